"""Collects the messages of a topic, one after the other, into arrays."""

import math
from array import array
from collections.abc import Mapping, Sequence

import numpy as np

from chefmate.bag_plot.series import Arrivals, Health, JointSeries
from chefmate_core.joints import JOINT_COUNT, JOINT_NAMES

# A stamp further than this from the time of reception is of another clock (a simulated one).
MOST_CLOCK_OFFSET_S = 5.0
GATE_PREFIX = 'gate_'  # of the gate's counters in the driver's diagnostics
TEMPERATURE_SUFFIX = '_temperature_c'


class ArrivalCollector:
    """Stamps and times of reception."""

    def __init__(self) -> None:
        self._time_s = array('d')
        self._received_s = array('d')
        self._age_s = array('d')

    def add(self, stamp_s: float, received_s: float) -> float:
        """Take a message, both times from the beginning of the bag; return its place on the axis.

        That is its stamp, or the time of reception where the stamp is of another clock.
        """
        age_s = received_s - stamp_s
        if not abs(age_s) <= MOST_CLOCK_OFFSET_S:
            stamp_s, age_s = received_s, math.nan
        self._time_s.append(stamp_s)
        self._received_s.append(received_s)
        self._age_s.append(age_s)
        return stamp_s

    def finish(self) -> Arrivals:
        """Return what there is, by stamp."""
        order = np.argsort(self._time_s, kind='stable')
        time_s, received_s, age_s = (
            np.array(values)[order] for values in (self._time_s, self._received_s, self._age_s)
        )
        return Arrivals(time_s, received_s, age_s)


class JointCollector:
    """Joint states and commands."""

    def __init__(self) -> None:
        self._time_s = array('d')
        self._position_rad = array('f')
        self._velocity_rad_s = array('f')
        self._labels: list[str] = []

    def add(
        self,
        time_s: float,
        label: str,
        names: Sequence[str],
        positions: Sequence[float],
        velocities: Sequence[float],
    ) -> bool:
        """Take a message; return False for one that is malformed, and leave it out."""
        if len(positions) != len(names) or not set(names) & set(JOINT_NAMES):
            return False
        index = {name: place for place, name in enumerate(names)}
        places = [index.get(name, -1) for name in JOINT_NAMES]
        self._time_s.append(time_s)
        self._labels.append(label)
        self._position_rad.extend(_picked(positions, places))
        has_velocity = len(velocities) == len(names)
        self._velocity_rad_s.extend(
            _picked(velocities, places) if has_velocity else (math.nan,) * JOINT_COUNT
        )
        return True

    def finish(self) -> JointSeries:
        """Return what there is, by time; what is not finite is NaN."""
        order = np.argsort(self._time_s, kind='stable')
        position_rad, velocity_rad_s = (
            np.array(values, dtype=np.float32).reshape(-1, JOINT_COUNT)[order]
            for values in (self._position_rad, self._velocity_rad_s)
        )
        for values in (position_rad, velocity_rad_s):
            values[~np.isfinite(values)] = np.nan
        return JointSeries(
            np.array(self._time_s)[order],
            position_rad,
            velocity_rad_s,
            tuple(self._labels[place] for place in order),
        )


class HealthCollector:
    """The follower's status in /diagnostics."""

    def __init__(self) -> None:
        self._time_s: list[float] = []
        self._temperature_c: list[list[float]] = []
        self._counters: list[dict[str, float]] = []

    def add(self, time_s: float, values: Mapping[str, str]) -> None:
        """Take a status of the follower, unless it tells neither temperatures nor counters."""
        temperature_c = [
            _number(values.get(name + TEMPERATURE_SUFFIX, '')) for name in JOINT_NAMES
        ]
        counters = {
            key.removeprefix(GATE_PREFIX): float(value)
            for key, value in values.items()
            if key.startswith(GATE_PREFIX) and value.isdecimal()
        }
        if counters or not all(map(math.isnan, temperature_c)):
            self._time_s.append(time_s)
            self._temperature_c.append(temperature_c)
            self._counters.append(counters)

    def finish(self) -> Health | None:
        """Return what there is, None for nothing."""
        if not self._time_s:
            return None
        names = sorted({name for counters in self._counters for name in counters})
        return Health(
            np.array(self._time_s),
            np.array(self._temperature_c).reshape(-1, JOINT_COUNT),
            {
                # A counter appears with its first event: what is not there yet is zero.
                name: np.array([counters.get(name, 0.0) for counters in self._counters])
                for name in names
            },
        )


def _picked(values: Sequence[float], places: Sequence[int]) -> list[float]:
    return [values[place] if place >= 0 else math.nan for place in places]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan
