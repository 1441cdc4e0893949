"""Where the arm may go at all, and how fast: what a policy says may be anywhere."""

from collections.abc import Sequence

import numpy as np

from chefmate_core.errors import ConfigurationError
from chefmate_core.joints import JOINT_COUNT
from chefmate_core.motion.goal import JointGoal

_ROUNDING = 1e-6  # a motion exactly at its cap is within it


class Reach:
    """Limits of joint goals; without any, everything is within reach."""

    def __init__(
        self,
        max_velocity_rad_s: Sequence[float] | np.ndarray = (np.inf,) * JOINT_COUNT,
        lower_rad: Sequence[float] | np.ndarray = (-np.inf,) * JOINT_COUNT,
        upper_rad: Sequence[float] | np.ndarray = (np.inf,) * JOINT_COUNT,
        leash_rad: float = np.inf,
    ) -> None:
        """All of shape (6,), but for the leash: how far ahead of the arm a goal may go."""
        self._leash_rad = leash_rad
        self.max_velocity_rad_s = np.asarray(max_velocity_rad_s, dtype=float)
        self._lower = np.asarray(lower_rad, dtype=float)
        self._upper = np.asarray(upper_rad, dtype=float)
        for values in (self.max_velocity_rad_s, self._lower, self._upper):
            if values.shape != (JOINT_COUNT,):
                raise ConfigurationError(
                    f'a limit of the goals has shape ({JOINT_COUNT},); found {values.shape}'
                )
        if not leash_rad > 0.0:
            raise ConfigurationError(f'the leash is above 0 rad; found {leash_rad}')
        if not (np.all(self.max_velocity_rad_s > 0.0) and np.all(self._lower < self._upper)):
            raise ConfigurationError(
                'goals need speeds above 0 and lower limits below upper ones; found speeds '
                f'{self.max_velocity_rad_s.tolist()}, limits {self._lower.tolist()} to '
                f'{self._upper.tolist()}'
            )

    def limited(self, velocity_rad_s: np.ndarray) -> np.ndarray:
        """Return velocities within the caps, shape (6,)."""
        return np.clip(velocity_rad_s, -self.max_velocity_rad_s, self.max_velocity_rad_s)

    def toward(self, goal: JointGoal, last: JointGoal | None, step_s: float) -> JointGoal:
        """Return `goal`, or as much of the straight way to it as `step_s` after `last` allows."""
        position = np.clip(goal.position_rad, self._lower, self._upper)
        is_inside = position == goal.position_rad
        velocity = np.where(is_inside, self.limited(goal.velocity_rad_s), 0.0)
        if last is None:
            return JointGoal(position, velocity)
        step_s = max(step_s, 1e-6)
        way = position - last.position_rad
        excess = float(np.max(np.abs(way) / (self.max_velocity_rad_s * step_s)))
        if excess <= 1.0 + _ROUNDING:
            return JointGoal(position, velocity)
        way = way / excess
        return JointGoal(last.position_rad + way, way / step_s)

    def leashed(self, goal: JointGoal, arm_rad: np.ndarray) -> JointGoal:
        """Return `goal`, or what of the way from the arm to it the leash allows."""
        way = goal.position_rad - arm_rad
        excess = float(np.max(np.abs(way))) / self._leash_rad
        if not excess > 1.0:
            return goal
        return JointGoal(arm_rad + way / excess, goal.velocity_rad_s / excess)
