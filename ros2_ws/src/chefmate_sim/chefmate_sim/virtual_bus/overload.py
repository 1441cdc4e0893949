"""The STS3215's overload protection: what it does when a motor pushes too long.

Source: Feetech, STS memory table, registers 34 to 36 and 19: a load above `overload_torque` that
lasts `protection_time` sets the overload bit, and, where the unloading condition names it, leaves
the servo `protective_torque`. The table does not say how it ends. Assumed: by power-off, by
writing `torque_enable`, or by a goal on the side away from the obstacle.
"""

from chefmate_core.servo import registers as reg
from chefmate_sim.virtual_bus.memory import ServoMemory

_LOAD_PER_COUNT = 0.01  # of `overload_torque`
_SECONDS_PER_COUNT = 0.01  # of `protection_time`


class OverloadProtection:
    """The protection of one servo. Loads are signed as the servo's ticks are."""

    def __init__(self, memory: ServoMemory) -> None:
        self._live = memory.live
        self._since_s: float | None = None
        self._direction = 0.0  # of the push that tripped it; 0: not tripped

    @property
    def has_tripped(self) -> bool:
        """Whether the servo is in overload."""
        return self._direction != 0.0

    @property
    def torque_fraction(self) -> float:
        """How much of the stall torque the protection leaves, 0..1."""
        live = self._live
        if not self._direction or not live[reg.UNLOADING_CONDITION.address] & reg.STATUS_OVERLOAD:
            return 1.0
        return min(live[reg.PROTECTIVE_TORQUE.address] * _LOAD_PER_COUNT, 1.0)

    def watch(self, load: float, now_s: float) -> bool:
        """Take the load now, -1..1; return whether the protection trips with it."""
        live = self._live
        if abs(load) <= live[reg.OVERLOAD_TORQUE.address] * _LOAD_PER_COUNT:
            self._since_s = None
            return False
        if self._since_s is None:
            self._since_s = now_s
        lasts_s = live[reg.PROTECTION_TIME.address] * _SECONDS_PER_COUNT
        if self._direction or now_s - self._since_s < lasts_s:
            return False
        self._direction = 1.0 if load > 0.0 else -1.0
        return True

    def relieve(self, goal_ticks: int, present_ticks: int) -> None:
        """Take a new goal: one that leads away from the obstacle ends the overload."""
        if (goal_ticks - present_ticks) * self._direction < 0.0:
            self.reset()

    def reset(self) -> None:
        """End the overload."""
        self._since_s = None
        self._direction = 0.0
