"""A keyboard as the source: joints move while a key is held, and stand when it is let go.

What arrives are velocities, each of which counts for a moment only: a terminal that dies, hangs or
loses its connection moves nothing any more. The motion begins where the arm is held.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from chefmate_core.errors import ConfigurationError
from chefmate_core.joints import JOINT_COUNT, JOINT_NAMES
from chefmate_core.motion.goal import JointGoal
from chefmate_core.motion.reach import Reach
from chefmate_core.teleop.clutch import Clutch
from chefmate_core.teleop.config import TeleopConfig
from chefmate_core.teleop.follower import FollowerWatch, TeleopCommand

_LONGEST_STEP_S = 0.05  # a process that was stopped does not make up for it
_AFTERWARDS_S = 0.1  # a stand is told for so long, so that its end is no starvation


@dataclass(frozen=True)
class JogConfig:
    """How keys move the arm."""

    key_timeout_s: float = 0.15  # a held key repeats 25 to 40 times a second
    acceleration_rad_s2: float = 4.0  # up to 0.5 rad/s in an eighth of a second

    def __post_init__(self) -> None:
        if not 0.03 <= self.key_timeout_s <= 0.5:
            raise ConfigurationError(
                'keyboard: key_timeout_s is from 0.03 to 0.5, so that a dead terminal stops the '
                f'arm; found {self.key_timeout_s}'
            )
        if not 0.0 < self.acceleration_rad_s2 <= 12.0:
            raise ConfigurationError(
                'keyboard: acceleration_rad_s2 is above 0 and at most 12; found '
                f'{self.acceleration_rad_s2}'
            )


class JogRefusal(StrEnum):
    """Why a velocity was not used. The names are the counters in diagnostics."""

    MALFORMED = 'refused_malformed'  # unknown or repeated names, lengths differ
    NOT_FINITE = 'refused_not_finite'
    STALE = 'refused_stale'  # it waited for longer than a key is held by it


class JogTeleop:
    """See the module's docstring. One thread calls it; `now_s` is of one steady clock."""

    def __init__(self, reach: Reach, clutch: Clutch, config: TeleopConfig, jog: JogConfig) -> None:
        """Take the follower's limits and speeds as `reach`."""
        self.clutch = clutch
        self.follower = FollowerWatch(config.follower_timeout_s)
        self.counters: Counter[str] = Counter()
        self._reach = reach
        self._jog = jog
        self._wanted = np.zeros(JOINT_COUNT)  # rad/s
        self._asked_s = -math.inf
        self._goal: JointGoal | None = None
        self._sampled_s = -math.inf
        self._moved_s = -math.inf

    def jog(
        self,
        names: Sequence[str],
        velocity_rad_s: Sequence[float],
        now_s: float,
        age_s: float = 0.0,
    ) -> JogRefusal | None:
        """Take the velocities of some joints; the others are to stand. Or return why not.

        `age_s` is how long ago the key was read: this process may have been stopped since.
        """
        refusal = self._take(names, velocity_rad_s, now_s, age_s)
        self.counters[refusal or 'keys'] += 1
        return refusal

    def _take(
        self, names: Sequence[str], velocity_rad_s: Sequence[float], now_s: float, age_s: float
    ) -> JogRefusal | None:
        if not age_s <= self._jog.key_timeout_s:  # True for NaN
            return JogRefusal.STALE
        known = len(set(names)) == len(names) and set(names) <= set(JOINT_NAMES)
        if not known or len(names) != len(velocity_rad_s):
            return JogRefusal.MALFORMED
        if not all(math.isfinite(value) for value in velocity_rad_s):
            return JogRefusal.NOT_FINITE
        wanted = np.zeros(JOINT_COUNT)
        for name, value in zip(names, velocity_rad_s, strict=True):
            wanted[JOINT_NAMES.index(name)] = value
        self._wanted, self._asked_s = self._reach.limited(wanted), now_s - max(age_s, 0.0)
        return None

    def sample(self, clock_s: float, now_s: float) -> TeleopCommand | None:
        """Return the command of this instant, or None while the arm stands."""
        step_s = min(max(now_s - self._sampled_s, 0.0), _LONGEST_STEP_S)
        self._sampled_s = now_s
        setpoint_rad = self.follower.setpoint_rad(now_s)
        if not self.clutch.is_engaged or setpoint_rad is None:
            self._goal = None
            return None
        wanted = self._wanted if now_s - self._asked_s <= self._jog.key_timeout_s else 0.0
        if self._goal is None:
            if not np.any(wanted):
                return None
            self.clutch.begin_anew()
            self._goal, step_s = JointGoal(setpoint_rad, np.zeros(JOINT_COUNT)), 0.0
        self._goal = self._advanced(self._goal, wanted, setpoint_rad, step_s)
        if np.any(wanted) or np.any(self._goal.velocity_rad_s):
            self._moved_s = now_s
        command = TeleopCommand(self._goal, clock_s, self.clutch.source)
        if now_s - self._moved_s > _AFTERWARDS_S:
            self._goal = None
        return command

    def _advanced(
        self, last: JointGoal, wanted: np.ndarray | float, setpoint_rad: np.ndarray, step_s: float
    ) -> JointGoal:
        change = self._jog.acceleration_rad_s2 * step_s
        velocity = np.clip(wanted, last.velocity_rad_s - change, last.velocity_rad_s + change)
        moved = JointGoal(last.position_rad + velocity * step_s, velocity)
        inside = self._reach.toward(moved, None, step_s)  # stands at the ends of its range
        return self._reach.leashed(inside, setpoint_rad)

    def state(self, now_s: float) -> str:
        """What goes on, for people."""
        if not self.clutch.is_engaged:
            return str(self.clutch.state)
        if self.follower.setpoint_rad(now_s) is None:
            return 'waiting for the follower: it has no torque, or its driver is gone'
        return 'standing' if self._goal is None else 'moving'
