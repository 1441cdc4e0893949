"""A goal for the joints at one instant."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class JointGoal:
    """The goal of one instant."""

    position_rad: np.ndarray  # (6,)
    velocity_rad_s: np.ndarray  # (6,)
