"""What a bag says, as arrays over time."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from chefmate_core.joints import JOINT_COUNT


@dataclass(frozen=True, eq=False)
class Arrivals:
    """When the messages of one topic were stamped and received; in order of their stamps."""

    time_s: np.ndarray  # (n,) the stamp, from the beginning of the bag
    received_s: np.ndarray  # (n,) from the beginning of the bag
    age_s: np.ndarray  # (n,) received less stamped; NaN where the stamp is none of this clock

    def __len__(self) -> int:
        return len(self.time_s)


@dataclass(frozen=True, eq=False)
class JointSeries:
    """The joints of one topic, in the order of `JOINT_NAMES`; NaN where a joint is not named."""

    time_s: np.ndarray  # (n,)
    position_rad: np.ndarray  # (n, 6)
    velocity_rad_s: np.ndarray  # (n, 6), NaN throughout where the topic has none
    labels: tuple[str, ...]  # (n,) the frame_id: source of a command, mode of the gate


@dataclass(frozen=True, eq=False)
class Health:
    """What the driver's diagnostics say of the follower."""

    time_s: np.ndarray  # (n,)
    temperature_c: np.ndarray  # (n, 6), NaN where unknown
    counters: Mapping[str, np.ndarray]  # of the gate: name -> (n,), counted since the driver began


@dataclass(frozen=True, eq=False)
class Recording:
    """A bag, or a stretch of one. All times are from the beginning of the bag."""

    begin_ns: int  # the bag's beginning, on the recorder's clock
    start_s: float
    end_s: float
    joints: Mapping[str, JointSeries] = field(default_factory=dict)  # by topic
    arrivals: Mapping[str, Arrivals] = field(default_factory=dict)  # by topic, those with stamps
    health: Health | None = None
    instructions: tuple[tuple[float, str], ...] = ()  # (s, text), each change once
    messages: Mapping[str, int] = field(default_factory=dict)  # by topic, what was read
    unreadable: Mapping[str, int] = field(default_factory=dict)  # by topic
    other_topics: tuple[str, ...] = ()  # in the bag, and not drawn


def at_times(series: JointSeries, time_s: np.ndarray) -> np.ndarray:
    """Return the newest position at each time, shape (len(time_s), 6); NaN before the first."""
    if not len(series.time_s):
        return np.full((len(time_s), JOINT_COUNT), np.nan)
    places = np.searchsorted(series.time_s, time_s, side='right') - 1
    found = series.position_rad[np.maximum(places, 0)].copy()
    found[places < 0] = np.nan
    return found
