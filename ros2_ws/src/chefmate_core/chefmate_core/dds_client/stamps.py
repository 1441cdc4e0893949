"""Stamps of messages, and how old they are."""

import time

from chefmate_core.dds_client.messages import Header, Time

NS_PER_S = 1_000_000_000


def now_ns() -> int:
    """Return the system's time, as ROS stamps with it while nothing is simulated, ns."""
    return time.time_ns()


def to_stamp(stamp_ns: int) -> Time:
    """Return the stamp of a time, ns."""
    sec, nanosec = divmod(stamp_ns, NS_PER_S)
    return Time(sec, nanosec)


def from_stamp(stamp: Time) -> int:
    """Return the time of a stamp, ns."""
    return stamp.sec * NS_PER_S + stamp.nanosec


def header(stamp_ns: int | None = None, frame_id: str = '') -> Header:
    """Return a header; the stamp is now, unless it is given."""
    return Header(to_stamp(now_ns() if stamp_ns is None else stamp_ns), frame_id)


def age_s(stamp: Time, at_ns: int | None = None) -> float:
    """Return how old a stamp is now, or was at `at_ns`, s; negative where it is in the future.

    Between two hosts this is right only as far as their clocks agree.
    """
    return ((now_ns() if at_ns is None else at_ns) - from_stamp(stamp)) / NS_PER_S
