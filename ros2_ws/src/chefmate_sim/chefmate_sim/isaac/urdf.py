"""Reads the generated URDF: what a link weighs, looks like and touches with, and its joints."""

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from chefmate_core.errors import ConfigurationError
from chefmate_core.geometry import rotation_matrix

_PACKAGE_URI = 'package://chefmate_description/'


@dataclass(frozen=True)
class Inertia:
    """Mass, centre, and the tensor about the centre in the link's axes."""

    mass_kg: float
    centre_m: np.ndarray  # (3,)
    tensor_kg_m2: np.ndarray  # (3, 3)


@dataclass(frozen=True)
class MeshPart:
    """A drawn mesh; `transform` (4, 4) puts it into the link's frame."""

    file: Path
    transform: np.ndarray
    colour: tuple[float, float, float]


@dataclass(frozen=True)
class BoxPart:
    """A box that touches; `transform` (4, 4) puts its centre into the link's frame."""

    name: str
    transform: np.ndarray
    size_m: np.ndarray  # (3,), full edges


@dataclass(frozen=True)
class Link:
    """One link. A link without mass and parts is a mere frame."""

    name: str
    inertia: Inertia | None
    meshes: tuple[MeshPart, ...]
    boxes: tuple[BoxPart, ...]

    @property
    def is_frame(self) -> bool:
        """Whether nothing of it can be seen or touched."""
        return not (self.meshes or self.boxes)


@dataclass(frozen=True)
class Joint:
    """One joint; `transform` (4, 4) is the child's frame at zero in the parent's."""

    name: str
    revolute: bool
    parent: str
    child: str
    transform: np.ndarray
    axis: np.ndarray  # (3,), in the child's frame
    lower_rad: float = 0.0
    upper_rad: float = 0.0
    velocity_rad_s: float = 0.0


@dataclass(frozen=True)
class Arm:
    """Links by name and joints in the file's order."""

    links: dict[str, Link]
    joints: tuple[Joint, ...]

    @property
    def root(self) -> str:
        """The link that is nobody's child."""
        children = {joint.child for joint in self.joints}
        (root,) = (name for name in self.links if name not in children)
        return root


def read_urdf(path: Path) -> Arm:
    """Read the arm; meshes are looked for next to the URDF's folder.

    Raises:
        ConfigurationError: a joint or a collision shape of a kind that this reader does not know.
    """
    root = ET.parse(path).getroot()
    colours = {
        material.attrib['name']: _numbers(colour.attrib['rgba'])[:3]
        for material in root.findall('material')
        if (colour := material.find('color')) is not None
    }
    share = path.parents[1]
    links = {one.attrib['name']: _link(one, share, colours) for one in root.findall('link')}
    return Arm(links, tuple(_joint(one) for one in root.findall('joint')))


def _numbers(text: str) -> np.ndarray:
    return np.array([float(word) for word in text.split()])


def _transform(element: ET.Element) -> np.ndarray:
    transform = np.eye(4)
    origin = element.find('origin')
    if origin is not None:
        transform[:3, 3] = _numbers(origin.get('xyz', '0 0 0'))
        transform[:3, :3] = _rotation(*_numbers(origin.get('rpy', '0 0 0')))
    return transform


def _rotation(roll_rad: float, pitch_rad: float, yaw_rad: float) -> np.ndarray:
    """Return URDF's rotation, shape (3, 3): about the fixed axes x, then y, then z."""

    def about(axis: int, angle_rad: float) -> np.ndarray:
        quaternion = np.zeros(4)
        quaternion[0], quaternion[1 + axis] = np.cos(angle_rad / 2), np.sin(angle_rad / 2)
        return rotation_matrix(quaternion)

    return about(2, yaw_rad) @ about(1, pitch_rad) @ about(0, roll_rad)


def _link(element: ET.Element, share: Path, colours: dict[str, np.ndarray]) -> Link:
    name = element.attrib['name']
    meshes = tuple(_mesh(one, share, colours) for one in element.findall('visual'))
    boxes = tuple(
        _box(one, f'{name}_box_{index}') for index, one in enumerate(element.findall('collision'))
    )
    return Link(name, _inertia(element.find('inertial')), meshes, boxes)


def _inertia(element: ET.Element | None) -> Inertia | None:
    if element is None:
        return None
    value = {**_child(element, 'mass').attrib, **_child(element, 'inertia').attrib}
    xx, xy, xz, yy, yz, zz = (
        float(value[key]) for key in ('ixx', 'ixy', 'ixz', 'iyy', 'iyz', 'izz')
    )
    transform = _transform(element)
    turn = transform[:3, :3]
    tensor = turn @ np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]) @ turn.T
    return Inertia(float(value['value']), transform[:3, 3], tensor)


def _mesh(element: ET.Element, share: Path, colours: dict[str, np.ndarray]) -> MeshPart:
    uri = _child(_child(element, 'geometry'), 'mesh').attrib['filename']
    if not uri.startswith(_PACKAGE_URI):
        raise ConfigurationError(f'a mesh of the URDF is {uri!r}; expected {_PACKAGE_URI}...')
    red, green, blue = colours[_child(element, 'material').attrib['name']]
    file = share / uri.removeprefix(_PACKAGE_URI)
    return MeshPart(file, _transform(element), (float(red), float(green), float(blue)))


def _box(element: ET.Element, default_name: str) -> BoxPart:
    size = _child(_child(element, 'geometry'), 'box').attrib['size']
    return BoxPart(element.get('name', default_name), _transform(element), _numbers(size))


def _joint(element: ET.Element) -> Joint:
    name, kind = element.attrib['name'], element.attrib['type']
    if kind not in ('revolute', 'fixed'):
        raise ConfigurationError(f'joint {name} is {kind!r}; expected revolute or fixed')
    axis, limit = element.find('axis'), element.find('limit')
    limits = {} if limit is None else limit.attrib
    return Joint(
        name,
        kind == 'revolute',
        _child(element, 'parent').attrib['link'],
        _child(element, 'child').attrib['link'],
        _transform(element),
        np.array([1.0, 0.0, 0.0]) if axis is None else _numbers(axis.attrib['xyz']),
        float(limits.get('lower', 0.0)),
        float(limits.get('upper', 0.0)),
        float(limits.get('velocity', 0.0)),
    )


def _child(element: ET.Element, tag: str) -> ET.Element:
    child = element.find(tag)
    if child is None:
        raise ConfigurationError(f'<{element.tag}> of the URDF has no <{tag}> that can be read')
    return child
