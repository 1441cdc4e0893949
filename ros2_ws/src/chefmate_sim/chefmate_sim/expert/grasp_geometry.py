"""TCP orientations that a five-joint arm can take exactly, and the slice directions they follow.

After pan, three joints turn about the same horizontal axis and the last rolls the gripper. The
gripper therefore always points within the vertical plane through the pan axis, at azimuth phi.
A slice plane with normal n can be matched at any azimuth: the approach is the line in which
the two planes meet. phi follows from where the gripper is, and the gripper from phi: a fixed
point, found by iteration.
"""

import numpy as np

from chefmate_sim.expert.kinematics import ArmKinematics, TcpPose

_FIXED_POINT_ITERATIONS = 12


def unit(vector: np.ndarray) -> np.ndarray:
    """Return `vector`, shape (3,), at length 1."""
    return vector / np.linalg.norm(vector)


def upward_normal(rotation: np.ndarray) -> np.ndarray:
    """Return the slice's normal that points up, shape (3,); `rotation` is the slice frame's."""
    normal = rotation[:, 2]
    return normal if normal[2] >= 0.0 else -normal


def tilt_rad(rotation: np.ndarray) -> float:
    """Return the angle between the slice and the horizontal, rad, 0 to pi/2."""
    return float(np.arccos(np.clip(abs(rotation[2, 2]), 0.0, 1.0)))


def downhill(normal: np.ndarray) -> np.ndarray:
    """Return the steepest direction down within the plane of `normal`, shape (3,): the slot's."""
    down = np.array([0.0, 0.0, -1.0])
    return unit(down - normal * (normal @ down))


def in_plane_rotation(normal: np.ndarray, azimuth_rad: float) -> np.ndarray:
    """Return the TCP rotation, shape (3, 3), that lies flat in a slice plane at one azimuth.

    `normal` must point up, shape (3,): the static finger goes below the slice.
    """
    cos, sin = np.cos(azimuth_rad), np.sin(azimuth_rad)
    approach = unit(np.array([cos, sin, -(normal[0] * cos + normal[1] * sin) / normal[2]]))
    return np.column_stack([approach, np.cross(normal, approach), normal])


def pitched_rotation(pitch_rad: float, azimuth_rad: float) -> np.ndarray:
    """Return the TCP rotation, shape (3, 3), pitched below the horizontal, jaw level sideways."""
    normal = np.array([
        np.sin(pitch_rad) * np.cos(azimuth_rad),
        np.sin(pitch_rad) * np.sin(azimuth_rad),
        np.cos(pitch_rad),
    ])  # fmt: skip
    return in_plane_rotation(normal, azimuth_rad)


def tcp_in_plane(arm: ArmKinematics, position_m: np.ndarray, normal: np.ndarray) -> TcpPose:
    """Return the TCP pose at `position_m` whose jaw closes along `normal`; shapes (3,)."""
    return _reachable(arm, position_m, lambda azimuth_rad: in_plane_rotation(normal, azimuth_rad))


def tcp_pitched(arm: ArmKinematics, position_m: np.ndarray, pitch_rad: float) -> TcpPose:
    """Return the TCP pose at `position_m`, shape (3,), pitched below the horizontal."""
    return _reachable(
        arm, position_m, lambda azimuth_rad: pitched_rotation(pitch_rad, azimuth_rad)
    )


def _reachable(arm: ArmKinematics, position_m: np.ndarray, rotation_at) -> TcpPose:
    position_m = np.asarray(position_m, float)
    gripper_m = position_m
    for _ in range(_FIXED_POINT_ITERATIONS):
        offset = gripper_m[:2] - arm.pan_axis_xy_m
        rotation = rotation_at(np.arctan2(offset[1], offset[0]))
        gripper_m = position_m + rotation @ arm.gripper_in_tcp_m
    return TcpPose(position_m, rotation)
