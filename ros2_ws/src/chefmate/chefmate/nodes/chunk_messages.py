"""The one place where an action chunk becomes a JointTrajectory, and back.

`header.stamp` is the observation's time, point i is the goal for `stamp + time_from_start`. The
end of a task is told by the frame id, as JointTrajectory has no field for it.
"""

from dataclasses import dataclass

import numpy as np
from builtin_interfaces.msg import Duration
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from chefmate_core.joints import JOINT_NAMES
from chefmate_core.policy.protocol import ActionChunk
from chefmate_ros.joint_messages import time_message

FINAL = 'final'


@dataclass(frozen=True)
class ChunkRows:
    """What the executor needs of a chunk."""

    positions_rad: np.ndarray  # (T, 6)
    period_s: float
    final: bool


def chunk_message(chunk: ActionChunk) -> JointTrajectory:
    """Return the chunk as a JointTrajectory of all joints."""
    message = trajectory_message(chunk.stamp_s, chunk.positions_rad, chunk.period_s)
    message.header.frame_id = FINAL if chunk.done else ''
    return message


def trajectory_message(
    stamp_s: float, positions_rad: np.ndarray, period_s: float
) -> JointTrajectory:
    """Return rows of shape (T, 6), `period_s` apart from `stamp_s` on; T may be 0."""
    message = JointTrajectory()
    message.header.stamp = time_message(stamp_s)
    message.joint_names = list(JOINT_NAMES)
    message.points = [
        JointTrajectoryPoint(positions=row, time_from_start=duration(index * period_s))
        for index, row in enumerate(positions_rad.tolist())
    ]
    return message


def duration(seconds: float) -> Duration:
    """Return seconds as a Duration."""
    nanoseconds = round(seconds * 1e9)
    return Duration(sec=nanoseconds // 1_000_000_000, nanosec=nanoseconds % 1_000_000_000)


def duration_s(message: Duration) -> float:
    """Return a Duration as seconds."""
    return message.sec + message.nanosec * 1e-9


def chunk_rows(message: JointTrajectory) -> ChunkRows | None:
    """Return the rows in JOINT_NAMES order, or None for a malformed or unevenly spaced chunk."""
    names = list(message.joint_names)
    if sorted(names) != sorted(JOINT_NAMES) or not message.points:
        return None
    if any(len(point.positions) != len(names) for point in message.points):
        return None
    order = [names.index(name) for name in JOINT_NAMES]
    positions = np.array([point.positions for point in message.points])[:, order]
    times = np.array([duration_s(point.time_from_start) for point in message.points])
    if len(times) == 1:
        return ChunkRows(positions, 1.0 / 30.0, message.header.frame_id == FINAL)
    gaps = np.diff(times)
    if times[0] != 0.0 or not np.all(gaps > 0.0) or np.ptp(gaps) > 1e-3:
        return None
    return ChunkRows(positions, float(gaps.mean()), message.header.frame_id == FINAL)
