"""How a servo goes to its goal when it is given a speed for it."""

import math


class GoalProfile:
    """The goal that the position loop sees: the wanted one, or one on the way there.

    Positions in rad, `speed_rad_s` 0 for as fast as it can.
    """

    def __init__(self, position_rad: float) -> None:
        self._goal_rad = self.seen_rad = position_rad  # seen: by the position loop, now
        self._time_s: float | None = None

    def begin(self, position_rad: float) -> None:
        """Start from where the joint is, as when torque comes on."""
        self.seen_rad = position_rad

    def set_goal(self, goal_rad: float) -> None:
        """Take a new goal."""
        self._goal_rad = goal_rad

    def advance(self, speed_rad_s: float, now_s: float) -> float:
        """Return the goal that is seen now."""
        elapsed_s = 0.0 if self._time_s is None else max(now_s - self._time_s, 0.0)
        self._time_s = now_s
        left = self._goal_rad - self.seen_rad
        if speed_rad_s <= 0.0 or abs(left) <= speed_rad_s * elapsed_s:
            self.seen_rad = self._goal_rad
        else:
            self.seen_rad += math.copysign(speed_rad_s * elapsed_s, left)
        return self.seen_rad
