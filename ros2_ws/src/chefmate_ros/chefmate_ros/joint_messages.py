"""The one place where JointState messages are made and read; joint order is JOINT_NAMES."""

from collections.abc import Sequence

import numpy as np
from builtin_interfaces.msg import Time
from sensor_msgs.msg import JointState

from chefmate_core.joints import JOINT_NAMES
from chefmate_core.safety.command import Command


def seconds(stamp: Time) -> float:
    """Return a stamp as seconds; a float64 holds today's to 0.3 microseconds."""
    return stamp.sec + stamp.nanosec * 1e-9


def age_s(stamp: Time, clock_s: float) -> float:
    """Return how long ago a message was stamped, s; 0 for one without a stamp."""
    stamp_s = seconds(stamp)
    return clock_s - stamp_s if stamp_s > 0.0 else 0.0


def time_message(stamp_s: float) -> Time:
    """Return seconds as a stamp."""
    nanoseconds = round(stamp_s * 1e9)
    return Time(sec=nanoseconds // 1_000_000_000, nanosec=nanoseconds % 1_000_000_000)


def joint_state(
    stamp: Time,
    position_rad: np.ndarray,
    velocity_rad_s: np.ndarray,
    frame_id: str = '',
    names: Sequence[str] = JOINT_NAMES,
) -> JointState:
    """Return a JointState of all joints; `frame_id` carries the source of a command."""
    message = JointState()
    message.header.stamp = stamp
    message.header.frame_id = frame_id
    message.name = list(names)
    message.position = position_rad.tolist()
    message.velocity = velocity_rad_s.tolist()
    return message


def command_from(message: JointState) -> Command:
    """Return what a JointState commands, unjudged: the gate decides what it is worth."""
    return Command(
        names=tuple(message.name),
        positions_rad=message.position,
        stamp_s=seconds(message.header.stamp),
        source=message.header.frame_id,
    )


def joint_vectors(message: JointState) -> tuple[np.ndarray, np.ndarray] | None:
    """Return (position_rad, velocity_rad_s), shape (6,) each in JOINT_NAMES order, or None.

    None where a joint is missing or the message is malformed; a missing velocity reads as zero.
    """
    if len(message.position) != len(message.name) or not set(JOINT_NAMES) <= set(message.name):
        return None
    order = [message.name.index(name) for name in JOINT_NAMES]
    position = np.asarray(message.position, dtype=float)[order]
    if len(message.velocity) == len(message.name):
        velocity = np.asarray(message.velocity, dtype=float)[order]
    else:
        velocity = np.zeros(len(JOINT_NAMES))
    return position, velocity
