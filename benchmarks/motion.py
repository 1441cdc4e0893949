"""The motion of the benchmarks: all joints at once, free of contact."""

import numpy as np

from chefmate_description.scene import HOME_POSITION_RAD

# Per joint, two swings (amplitude rad, period s). Around this middle they stay clear of the table
# and of everything on it in kitchen 0: an arm that touches sticks, and slips at 4 rad/s.
SWINGS = (
    ((0.5, 4.1), (0.08, 1.3)),
    ((0.3, 5.3), (0.06, 1.1)),
    ((0.3, 4.7), (0.08, 1.7)),
    ((0.4, 3.7), (0.08, 1.2)),
    ((0.6, 4.3), (0.10, 1.5)),
    ((0.5, 3.1), (0.08, 1.4)),
)
MIDDLE_RAD = np.array(HOME_POSITION_RAD) + np.array([0.0, 0.2, -0.6, 0.0, 0.0, 0.7])


def curve(time_s: float) -> np.ndarray:
    """Where the arm is to be, shape (6,); at rest at the beginning."""
    ramp = min(time_s / 2.0, 1.0)
    offset = [sum(a * np.sin(2 * np.pi * time_s / p) for a, p in swings) for swings in SWINGS]
    return MIDDLE_RAD + ramp * np.array(offset)
