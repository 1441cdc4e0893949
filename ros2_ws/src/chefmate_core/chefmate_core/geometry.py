"""Rigid poses and the two quaternion orders.

Inside ChefMate a quaternion is (w, x, y, z), as MuJoCo has it; on ROS topics it is (x, y, z, w).
These two functions are the only place where one becomes the other.
"""

from dataclasses import dataclass

import numpy as np


def wxyz_to_xyzw(quaternion_wxyz: np.ndarray) -> np.ndarray:
    """Return the quaternion, shape (..., 4), in ROS order."""
    return np.roll(np.asarray(quaternion_wxyz, dtype=float), -1, axis=-1)


def xyzw_to_wxyz(quaternion_xyzw: np.ndarray) -> np.ndarray:
    """Return the quaternion, shape (..., 4), in MuJoCo order."""
    return np.roll(np.asarray(quaternion_xyzw, dtype=float), 1, axis=-1)


def rotation_matrix(quaternion_wxyz: np.ndarray) -> np.ndarray:
    """Return the rotation matrix, shape (3, 3), of a quaternion of any non-zero length."""
    w, x, y, z = np.asarray(quaternion_wxyz, dtype=float) / np.linalg.norm(quaternion_wxyz)
    return np.array([
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ])  # fmt: skip


@dataclass(frozen=True)
class Pose:
    """Pose of a frame in the arm's base frame: metres; quaternion (w, x, y, z)."""

    position_m: np.ndarray  # (3,)
    quaternion_wxyz: np.ndarray  # (4,)

    @property
    def rotation(self) -> np.ndarray:
        """Rotation matrix, shape (3, 3); its columns are the frame's axes in the base frame."""
        return rotation_matrix(self.quaternion_wxyz)
