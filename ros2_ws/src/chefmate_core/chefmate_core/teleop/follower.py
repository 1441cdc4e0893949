"""What teleoperation knows of the follower: where it is held, and what its safety gate does."""

import math
from dataclasses import dataclass

import numpy as np

from chefmate_core.motion.goal import JointGoal
from chefmate_core.safety.gate import Mode


@dataclass(frozen=True)
class TeleopCommand:
    """A goal for the follower, when it was measured, and who gives it."""

    goal: JointGoal
    stamp_s: float  # wall clock of the leader's reading
    source: str


class FollowerWatch:
    """The newest setpoint that the follower's driver applied. Times are of one steady clock."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._setpoint_rad: np.ndarray | None = None
        self._seen_s = -math.inf
        self._mode = ''

    def applied(self, setpoint_rad: np.ndarray, mode: str, now_s: float) -> None:
        """Take a setpoint, rad, shape (6,), and the gate's mode; '' from a driver without one."""
        self._setpoint_rad, self._mode, self._seen_s = setpoint_rad, mode, now_s

    def setpoint_rad(self, now_s: float) -> np.ndarray | None:
        """Where the arm is held, shape (6,), or None while nobody says so."""
        return self._setpoint_rad if now_s - self._seen_s <= self._timeout_s else None

    @property
    def is_following(self) -> bool:
        """Whether the gate follows a stream; while it blends or holds it goes its own way."""
        return self._mode == Mode.FOLLOWING

    @property
    def mode(self) -> str:
        """The gate's mode, as it was last told."""
        return self._mode
