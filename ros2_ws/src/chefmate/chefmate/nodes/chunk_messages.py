"""The one place where an action chunk becomes a JointTrajectory, and back.

`header.stamp` is the observation's time, point i is the goal for `stamp + time_from_start`. The
end of a task is told by the frame id, as JointTrajectory has no field for it.
"""

from dataclasses import dataclass

import numpy as np
from builtin_interfaces.msg import Duration
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

from chefmate_core.errors import ConfigurationError
from chefmate_core.joints import JOINT_NAMES
from chefmate_core.policy.protocol import PERIOD_S, ActionChunk
from chefmate_ros.joint_messages import time_message

FINAL = 'final'
UNEVEN_S = 1e-3  # between two points, more or less than between others


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


def chunk_rows(message: JointTrajectory) -> ChunkRows:
    """Return the rows in JOINT_NAMES order.

    Raises:
        ConfigurationError: other joints, no point, a point without a goal for each joint, or
            points that do not begin at the stamp and follow each other evenly.
    """
    names = list(message.joint_names)
    if sorted(names) != sorted(JOINT_NAMES):
        found = ', '.join(names) or 'none'
        raise ConfigurationError(
            f'a chunk is of the joints {", ".join(JOINT_NAMES)}; found {found}'
        )
    if not message.points:
        raise ConfigurationError('a chunk has at least one point; found none')
    for index, point in enumerate(message.points):
        if len(point.positions) != len(names):
            raise ConfigurationError(
                f'each point of a chunk has {len(names)} positions; '
                f'found {len(point.positions)} in point {index}'
            )
    order = [names.index(name) for name in JOINT_NAMES]
    positions = np.array([point.positions for point in message.points])[:, order]
    times_s = np.array([duration_s(point.time_from_start) for point in message.points])
    return ChunkRows(positions, _period_s(times_s), message.header.frame_id == FINAL)


def _period_s(times_s: np.ndarray) -> float:
    """Return the time between two points, from those of all points, shape (T,)."""
    if times_s[0] != 0.0:
        raise ConfigurationError(
            f'the first point of a chunk is for its stamp: time_from_start 0; '
            f'found {times_s[0]:g} s'
        )
    if len(times_s) == 1:
        return PERIOD_S
    gaps_s = np.diff(times_s)
    if not np.all(gaps_s > 0.0) or np.ptp(gaps_s) > UNEVEN_S:
        raise ConfigurationError(
            'the points of a chunk follow each other evenly; '
            f'found {gaps_s.min():g} to {gaps_s.max():g} s between two'
        )
    return float(gaps_s.mean())
