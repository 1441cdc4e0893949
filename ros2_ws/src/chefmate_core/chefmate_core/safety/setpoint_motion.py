"""The motion of the setpoint: one step at a time, within the limits and the acceleration caps."""

import numpy as np


class SetpointMotion:
    """Position and velocity of six setpoints, rad and rad/s, arrays of shape (6,).

    Every step keeps three promises: the velocity changes by no more than the acceleration cap
    allows, it leaves room to stop before the limits, and a joint that begins outside its limits
    may stand there and move in, never out.

    Steps may be uneven. The velocity of a step is the mean over it, so it belongs to the step's
    middle, and two steps may differ by the cap times the distance of their middles.
    """

    def __init__(
        self,
        lower_rad: np.ndarray,
        upper_rad: np.ndarray,
        max_acceleration_rad_s2: np.ndarray,
        period_s: float,
        longest_step_s: float,
    ) -> None:
        self.lower_rad = lower_rad
        self.upper_rad = upper_rad
        self._acceleration = max_acceleration_rad_s2
        self._period_s = period_s
        self._longest_step_s = longest_step_s
        self._last_step_s = period_s
        self.position_rad = np.zeros_like(lower_rad)
        self.velocity_rad_s = np.zeros_like(lower_rad)

    @property
    def is_standing(self) -> bool:
        """Whether no joint's setpoint moves."""
        return not np.any(self.velocity_rad_s)

    def seed(self, position_rad: np.ndarray) -> None:
        """Stand at a position."""
        self.position_rad = np.array(position_rad, dtype=float)
        self.rest()

    def rest(self) -> None:
        """Stand here."""
        self.velocity_rad_s = np.zeros_like(self.position_rad)
        self._last_step_s = self._period_s

    def track(
        self, target_rad: np.ndarray, target_velocity: np.ndarray, cap: np.ndarray, step_s: float
    ) -> None:
        """One step towards a target that moves at `target_velocity`, able to stop on it.

        `cap` bounds the speed, rad/s; it may be lower than the present speed, which then falls
        within the acceleration cap.
        """
        remaining = target_rad - self.position_rad - target_velocity * step_s
        distance = np.abs(remaining)
        closing = np.minimum(distance / step_s, self._stoppable(distance, step_s))
        wanted = target_velocity + np.sign(remaining) * closing
        self.advance(np.clip(wanted, -cap, cap), step_s)

    def brake(self, step_s: float) -> None:
        """One step of coming to a stand."""
        self.advance(np.zeros_like(self.position_rad), step_s)

    def advance(self, wanted_velocity: np.ndarray, step_s: float) -> None:
        """One step at a velocity, as near to it as the promises allow."""
        change = self._acceleration * 0.5 * (self._last_step_s + step_s)
        self._last_step_s = step_s
        velocity = np.clip(
            wanted_velocity, self.velocity_rad_s - change, self.velocity_rad_s + change
        )
        # The next step may be the longest: half of it passes before its braking counts.
        lead_s = 0.5 * (step_s + self._longest_step_s)
        room_up = np.maximum(self.upper_rad - self.position_rad, 0.0)
        room_down = np.maximum(self.position_rad - self.lower_rad, 0.0)
        self.velocity_rad_s = np.clip(
            velocity, -self._stoppable(room_down, lead_s), self._stoppable(room_up, lead_s)
        )
        self.position_rad = self.position_rad + self.velocity_rad_s * step_s

    def _stoppable(self, distance_rad: np.ndarray, lead_s: float) -> np.ndarray:
        """Highest velocity that leaves room to stop within `distance_rad`.

        At that velocity the joint goes on for `lead_s` and then brakes: v*t + v^2/(2a) fills the
        distance; solved for v.
        """
        now = self._acceleration * lead_s
        return np.sqrt(now * now + 2.0 * self._acceleration * distance_rad) - now
