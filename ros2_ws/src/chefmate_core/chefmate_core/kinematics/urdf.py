"""Reads of a URDF what forward kinematics needs: links, joints, origins, axes.

Source of the format's rules: wiki.ros.org/urdf/XML/joint; as urdfdom has it, an origin is a
rotation about the fixed axes x, y, z (roll, pitch, yaw), then a translation, and a joint without
<axis> turns about x.
"""

import os
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from chefmate_core.errors import ConfigurationError

TURNING = ('revolute', 'continuous')
MOVABLE = (*TURNING, 'fixed')


class UrdfError(ConfigurationError):
    """A URDF that cannot be read, or whose links and joints form no tree."""


@dataclass(frozen=True)
class UrdfJoint:
    """One joint: where its child link is when the joint is at zero, and what it turns about."""

    name: str
    turns: bool
    parent: str
    child: str
    T_parent_child_zero: np.ndarray  # (4, 4)
    axis: np.ndarray  # (3,), unit length, in the child's frame


@dataclass(frozen=True)
class UrdfTree:
    """The links of a robot and the joint that carries each; the root has none."""

    root: str
    links: tuple[str, ...]
    joint_of_link: dict[str, UrdfJoint]  # by child link


def read_urdf(path_or_text: str | os.PathLike[str]) -> UrdfTree:
    """Read a URDF from a file or from its text (what the parameter robot_description holds).

    Raises:
        UrdfError: no file, no XML, no <robot>, a joint of another type than revolute, continuous
            or fixed, an unknown or doubly named link or joint, or more than one root.
    """
    where, text = _text(path_or_text)
    try:
        robot = ET.fromstring(text)
    except ET.ParseError as error:
        raise UrdfError(f'{where} is no XML: {error}') from error
    if robot.tag != 'robot':
        raise UrdfError(f'{where}: expected the root element <robot>, found <{robot.tag}>')
    links = tuple(_attribute(link, 'name', where) for link in robot.findall('link'))
    joints = [_joint(joint, where) for joint in robot.findall('joint')]
    _refuse_twice('link', links, where)
    _refuse_twice('joint', [joint.name for joint in joints], where)
    by_child: dict[str, UrdfJoint] = {}
    for joint in joints:
        for role, link in (('parent', joint.parent), ('child', joint.child)):
            if link not in links:
                raise UrdfError(f'{where}: joint {joint.name!r} names the {role} link {link!r}, '
                                f'which is not there')  # fmt: skip
        if joint.child in by_child:
            raise UrdfError(f'{where}: link {joint.child!r} is the child of two joints, '
                            f'{by_child[joint.child].name!r} and {joint.name!r}')  # fmt: skip
        by_child[joint.child] = joint
    roots = [link for link in links if link not in by_child]
    if len(roots) != 1:
        raise UrdfError(f'{where}: expected one root link, found {len(roots)}: {roots}')
    _refuse_rings(roots[0], links, by_child, where)
    return UrdfTree(roots[0], links, by_child)


def _text(path_or_text: str | os.PathLike[str]) -> tuple[str, str]:
    """Return what to call the source in messages, and its text."""
    if isinstance(path_or_text, str) and path_or_text.lstrip().startswith('<'):
        return 'the robot description', path_or_text
    path = Path(path_or_text)
    try:
        return str(path), path.read_text(encoding='utf-8')
    except (OSError, UnicodeDecodeError) as error:
        raise UrdfError(f'cannot read the URDF {path}: {error}') from error


def _joint(element: ET.Element, where: str) -> UrdfJoint:
    name = _attribute(element, 'name', where)
    kind = _attribute(element, 'type', where)
    if kind not in MOVABLE:
        raise UrdfError(f'{where}: joint {name!r} is of type {kind!r}; '
                        f'supported: {", ".join(MOVABLE)}')  # fmt: skip
    ends = {}
    for role in ('parent', 'child'):
        end = element.find(role)
        if end is None:
            raise UrdfError(f'{where}: joint {name!r} has no <{role}>')
        ends[role] = _attribute(end, 'link', where)
    axis = np.array([1.0, 0.0, 0.0])
    if kind in TURNING:  # a fixed joint may say 0 0 0, as onshape-to-robot writes it
        axis = _vector(element.find('axis'), 'xyz', (1.0, 0.0, 0.0), f'{where}: joint {name!r}')
        length = np.linalg.norm(axis)
        if length < 1e-9:
            raise UrdfError(f'{where}: joint {name!r} has an axis of length 0')
        axis /= length
    origin = element.find('origin')
    T_parent_child = np.eye(4)
    T_parent_child[:3, :3] = rotation_from_rpy(
        _vector(origin, 'rpy', (0.0, 0.0, 0.0), f'{where}: joint {name!r}')
    )
    T_parent_child[:3, 3] = _vector(origin, 'xyz', (0.0, 0.0, 0.0), f'{where}: joint {name!r}')
    return UrdfJoint(name, kind in TURNING, ends['parent'], ends['child'], T_parent_child, axis)


def rotation_from_rpy(rpy_rad: np.ndarray) -> np.ndarray:
    """Return the rotation matrix, shape (3, 3), of roll, pitch, yaw about fixed x, y, z."""
    (sr, sp, sy), (cr, cp, cy) = np.sin(rpy_rad), np.cos(rpy_rad)
    return np.array([
        [cy * cp, cy * sp * sr - sy * cr, cy * sp * cr + sy * sr],
        [sy * cp, sy * sp * sr + cy * cr, sy * sp * cr - cy * sr],
        [-sp, cp * sr, cp * cr],
    ])  # fmt: skip


def _vector(
    element: ET.Element | None, name: str, default: tuple[float, ...], what: str
) -> np.ndarray:
    text = None if element is None else element.get(name)
    if text is None:
        return np.array(default)
    try:
        vector = np.array([float(number) for number in text.split()])
    except ValueError:
        vector = np.empty(0)
    if vector.shape != (3,) or not np.all(np.isfinite(vector)):
        raise UrdfError(f'{what}: {name}="{text}" is not three finite numbers')
    return vector


def _attribute(element: ET.Element, name: str, where: str) -> str:
    value = element.get(name)
    if not value:
        raise UrdfError(f'{where}: a <{element.tag}> without {name}="..."')
    return value


def _refuse_rings(
    root: str, links: tuple[str, ...], by_child: dict[str, UrdfJoint], where: str
) -> None:
    reached = {root}
    while found := {link for link in links if link not in reached
                    and by_child[link].parent in reached}:  # fmt: skip
        reached |= found
    if lost := sorted(set(links) - reached):
        raise UrdfError(f'{where}: there is no way from the root to {lost}: a ring of joints')


def _refuse_twice(kind: str, names: tuple[str, ...] | list[str], where: str) -> None:
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UrdfError(f'{where}: the {kind} {twice[0]!r} is there more than once')
