"""Watches what the arm's driver applies: where is the arm held, and does it follow us?"""

import math

import numpy as np

from chefmate_core.motion.silence import Silence
from chefmate_core.safety.gate import Mode

MAX_AGE_S = 0.2  # twenty cycles of the driver; the gate's patience with a silent commander


class ArmWatch:
    """One thread calls it; times are of one steady clock, s.

    A motion that the safety gate has taken up anew, after a pause of the bus or of our commands,
    is approached by it joint by joint at blend speed: off the path. Who plays a path has to stop
    then, and to go on from where the arm stands.
    """

    def __init__(self) -> None:
        self._position_rad: np.ndarray | None = None
        self._seen_s = -math.inf
        self._silence = Silence()
        self._has_followed = False
        self._has_let_go = False

    def applied(self, position_rad: np.ndarray, mode: str, now_s: float) -> None:
        """Take a setpoint, rad, shape (6,), and the gate's mode; '' from a driver without one."""
        self._position_rad, self._seen_s = position_rad, now_s
        self._silence.end()
        if mode == Mode.FOLLOWING:
            self._has_followed = True
        elif mode and self._has_followed:
            self._has_let_go = True

    def standing_rad(self, now_s: float) -> np.ndarray | None:
        """Where the arm is held, shape (6,), or None if that is not known now."""
        return self._position_rad if now_s - self._seen_s <= MAX_AGE_S else None

    def begin(self) -> None:
        """A motion begins: the gate follows it from now on, or will soon."""
        self._has_followed = self._has_let_go = False

    def step(self, now_s: float) -> None:
        """Let time pass."""
        self._silence.step(now_s)

    @property
    def follows(self) -> bool:
        """Whether the arm follows the motion, as far as one can see, as of the last `step`."""
        return not self._has_let_go and self._silence.duration_s <= MAX_AGE_S
