"""Where the links are for given joint positions."""

import os
from collections.abc import Sequence

import numpy as np

from chefmate_core.errors import ConfigurationError, UnknownJointError
from chefmate_core.joints import JOINT_NAMES
from chefmate_core.kinematics.urdf import UrdfJoint, UrdfTree, read_urdf

GRIPPER_LINK = 'gripper_frame_link'  # the point between the jaws, as the stock URDF names it


class Chain:
    """Forward kinematics of a URDF for positions in a given order of joints.

    Poses are in the root link's frame (`base_link`), metres and rad. Joints are found in the URDF
    by name; what stands between links that is fixed is folded into one matrix beforehand.
    """

    def __init__(self, tree: UrdfTree, joint_names: Sequence[str] = JOINT_NAMES) -> None:
        turning = [joint.name for joint in tree.joint_of_link.values() if joint.turns]
        for name in joint_names:
            if name not in turning:
                raise UnknownJointError(
                    f'the robot description has no turning joint {name!r}; it has: '
                    f'{", ".join(turning)}'
                )
        for name in turning:
            if name not in joint_names:
                raise UnknownJointError(
                    f'the robot description has a turning joint {name!r} that no position is '
                    f'given for; expected just these: {", ".join(joint_names)}'
                )
        self._tree = tree
        self._joint_names = tuple(joint_names)
        self._steps_to = {link: self._steps(link) for link in tree.links}

    @classmethod
    def from_urdf(
        cls, path_or_text: str | os.PathLike[str], joint_names: Sequence[str] = JOINT_NAMES
    ) -> 'Chain':
        """Read a URDF file, or the text of one; `joint_names` gives the order of positions.

        Raises:
            UrdfError: the file cannot be read or describes no robot.
            UnknownJointError: its turning joints are not those of `joint_names`.
        """
        return cls(read_urdf(path_or_text), joint_names)

    @property
    def root(self) -> str:
        """The link that poses are relative to."""
        return self._tree.root

    @property
    def links(self) -> tuple[str, ...]:
        """Every link, in the URDF's order."""
        return self._tree.links

    def require(self, link: str) -> None:
        """Raise ConfigurationError that lists the links if there is none of this name."""
        if link not in self._steps_to:
            raise ConfigurationError(
                f'the robot description has no link {link!r}; it has: {", ".join(self.links)}'
            )

    def pose(self, position_rad: np.ndarray, link: str = GRIPPER_LINK) -> np.ndarray:
        """Return T_root_link, shape (4, 4), for joint positions of shape (6,), rad.

        Raises:
            ConfigurationError: no such link, or positions of another shape.
        """
        position_rad = np.asarray(position_rad, dtype=float)
        if position_rad.shape != (len(self._joint_names),):
            raise ConfigurationError(
                f'expected positions of shape ({len(self._joint_names)},), '
                f'found {position_rad.shape}'
            )
        return self.poses(position_rad[np.newaxis], link)[0]

    def positions(self, positions_rad: np.ndarray, link: str = GRIPPER_LINK) -> np.ndarray:
        """Return where the link's origin is, shape (n, 3), m, for positions (n, 6), rad."""
        return self.poses(positions_rad, link)[:, :3, 3]

    def poses(self, positions_rad: np.ndarray, link: str = GRIPPER_LINK) -> np.ndarray:
        """Return T_root_link, shape (n, 4, 4), for joint positions of shape (n, 6), rad.

        Raises:
            ConfigurationError: no such link, or positions of another shape.
        """
        positions_rad = np.asarray(positions_rad, dtype=float)
        if positions_rad.ndim != 2 or positions_rad.shape[1] != len(self._joint_names):
            raise ConfigurationError(
                f'expected positions of shape (n, {len(self._joint_names)}), '
                f'found {positions_rad.shape}'
            )
        self.require(link)
        steps, T_last_link = self._steps_to[link]
        T_root_here = np.broadcast_to(np.eye(4), (len(positions_rad), 4, 4))
        for T_fixed, axis, column in steps:
            T_turn = _turns(axis, positions_rad[:, column])
            T_root_here = T_root_here @ T_fixed @ T_turn
        return T_root_here @ T_last_link

    def _steps(self, link: str) -> tuple[list[tuple[np.ndarray, np.ndarray, int]], np.ndarray]:
        """Return (fixed part, axis, column) for each turning joint up to `link`, and the rest."""
        joints: list[UrdfJoint] = []
        while link != self._tree.root:
            joint = self._tree.joint_of_link[link]
            joints.insert(0, joint)
            link = joint.parent
        steps, T_fixed = [], np.eye(4)
        for joint in joints:
            T_fixed = T_fixed @ joint.T_parent_child_zero
            if joint.turns:
                steps.append((T_fixed, joint.axis, self._joint_names.index(joint.name)))
                T_fixed = np.eye(4)
        return steps, T_fixed


def _turns(axis: np.ndarray, angles_rad: np.ndarray) -> np.ndarray:
    """Return turns about a unit axis (Rodrigues), shape (n, 4, 4)."""
    x, y, z = axis
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    sin, cos = (f(angles_rad)[:, np.newaxis, np.newaxis] for f in (np.sin, np.cos))
    T_turn = np.zeros((len(angles_rad), 4, 4))
    T_turn[:, :3, :3] = np.eye(3) + sin * cross + (1.0 - cos) * (cross @ cross)
    T_turn[:, 3, 3] = 1.0
    return T_turn
