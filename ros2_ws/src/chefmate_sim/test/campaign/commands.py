"""What arrives on a command topic: rubbish of every kind, and honest motion."""

import math
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from chefmate_core.joints import JOINT_COUNT, JOINT_NAMES, LOWER_LIMITS_RAD, UPPER_LIMITS_RAD
from chefmate_core.safety.command import Command

SOURCES = ('policy', 'leader', '')

_numbers = st.one_of(
    st.floats(-2.0, 2.0),
    st.sampled_from([math.nan, math.inf, -math.inf, 1e300, -1e300, 1e-300, -0.0, 10.0, 5e-324]),
)
_names = st.one_of(
    st.just(JOINT_NAMES),
    st.just(tuple(reversed(JOINT_NAMES))),
    st.permutations(JOINT_NAMES).map(tuple),
    st.lists(st.sampled_from(JOINT_NAMES), max_size=8).map(tuple),  # missing, repeated, empty
    st.lists(
        st.sampled_from([*JOINT_NAMES, 'elbow', '', 'shoulder_pan_joint', 'Jaw', '\0']),
        min_size=1,
        max_size=7,
    ).map(tuple),
)
_ages_s = st.one_of(
    st.just(0.0),
    st.floats(-0.3, 0.5),
    st.sampled_from([-3600.0, 3600.0, -1e9, 1e9, math.nan, math.inf, -math.inf, 1e300]),
)


@dataclass(frozen=True)
class Rubbish:
    """A command whose stamp is relative to the moment it is sent."""

    names: tuple[str, ...]
    positions_rad: tuple[float, ...]
    age_s: float
    source: str

    def at(self, wall_s: float) -> Command:
        """Return the command as it is sent now."""
        return Command(self.names, self.positions_rad, wall_s - self.age_s, self.source)


@st.composite
def rubbish(draw) -> Rubbish:
    """Any command. Most have as many positions as names."""
    names = draw(_names)
    wrong = draw(st.sampled_from([0, 0, 0, 0, -1, 1, 20]))
    count = max(len(names) + wrong, 0)
    positions = draw(st.lists(_numbers, min_size=count, max_size=count))
    return Rubbish(names, tuple(positions), draw(_ages_s), draw(st.sampled_from(SOURCES)))


goals = st.lists(st.floats(0.0, 1.0), min_size=JOINT_COUNT, max_size=JOINT_COUNT).map(
    lambda shares: LOWER_LIMITS_RAD + np.array(shares) * (UPPER_LIMITS_RAD - LOWER_LIMITS_RAD)
)
"""Goals anywhere in the mechanical range, shape (6,), rad."""


class Swing:
    """An honest smooth motion: sines about where it begins, at most so fast as said.

    `share` is the top speed as a share of `speed_rad_s`, shape (6,): above 1 the gate limits it.
    """

    def __init__(self, start_rad, speed_rad_s, share: float, frequency_hz: float, towards: int):
        self._start_rad = np.array(start_rad)
        self._rate = 2 * math.pi * frequency_hz
        room = np.where(towards > 0, UPPER_LIMITS_RAD - start_rad, start_rad - LOWER_LIMITS_RAD)
        reach = np.minimum(share * speed_rad_s / self._rate, np.maximum(room, 0.1) / 2)
        self._reach = towards * reach

    def at(self, time_s: float) -> np.ndarray:
        """Return the goals that long after the beginning, rad, shape (6,)."""
        return self._start_rad + self._reach * (1 - math.cos(self._rate * time_s))
