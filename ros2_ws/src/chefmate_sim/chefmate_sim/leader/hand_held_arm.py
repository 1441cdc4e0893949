"""A leader arm on the table: its joints stay where a hand leaves them."""

import threading
import time
from collections.abc import Callable

import numpy as np

from chefmate_core.joints import JOINT_COUNT, LOWER_LIMITS_RAD, UPPER_LIMITS_RAD
from chefmate_sim.virtual_bus.model import FirstOrderArm

_LETS_GO_S = 0.05  # a hand that has not moved the joints for so long has stopped


class HandHeldArm(FirstOrderArm):
    """A `FirstOrderArm` that a hand moves while its torque is off. Safe from any thread.

    A joint that has torque holds against the hand. The velocity that the servos report is the
    hand's.
    """

    def __init__(
        self, position_rad: np.ndarray, clock: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(position_rad, clock=clock)
        self._hand_clock = clock
        self._hand_lock = threading.Lock()
        self._has_torque = np.zeros(JOINT_COUNT, dtype=bool)
        self._hand_velocity_rad_s = np.zeros(JOINT_COUNT)
        self._moved_s = -np.inf

    @property
    def has_torque(self) -> bool:
        """Whether any joint holds against the hand."""
        return bool(self._has_torque.any())

    def set_torque_limit(self, index: int, fraction: float) -> None:
        """Set the torque limit of one joint, 0..1."""
        self._has_torque[index] = fraction > 0.0
        super().set_torque_limit(index, fraction)

    def move(self, position_rad: np.ndarray) -> np.ndarray:
        """Bring the joints there by hand, shape (6,); return where they are then.

        The mechanical limits, and joints with torque, do not give way.
        """
        with self._hand_lock:
            now_s, before = self._hand_clock(), super().position_rad()
            wanted = np.clip(position_rad, LOWER_LIMITS_RAD, UPPER_LIMITS_RAD)
            after = np.where(self._has_torque, before, wanted)
            elapsed_s = now_s - self._moved_s
            flows = 0.0 < elapsed_s <= _LETS_GO_S
            self._hand_velocity_rad_s = (
                (after - before) / elapsed_s if flows else np.zeros(JOINT_COUNT)
            )
            self._moved_s = now_s
            self.place(after)
            return after

    def velocity_rad_s(self) -> np.ndarray:
        """Return the joint velocities now, rad/s, shape (6,)."""
        own = super().velocity_rad_s()
        is_held = self._hand_clock() - self._moved_s <= _LETS_GO_S
        return np.where(self._has_torque | ~np.array(is_held), own, self._hand_velocity_rad_s)
