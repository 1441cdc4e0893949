"""What a virtual servo bus moves: the protocol, and an arm without physics."""

import threading
import time
from collections.abc import Callable
from typing import Protocol

import numpy as np

from chefmate_core.joints import (
    JOINT_COUNT,
    LOWER_LIMITS_RAD,
    SERVO_MAX_SPEED_RAD_S,
    UPPER_LIMITS_RAD,
)


class ServoArmModel(Protocol):
    """Six joints as their servos feel them, in the order of `JOINT_NAMES`.

    The bus calls it from its own thread: whoever implements it latches what is set and returns
    what was last computed, and never blocks.
    """

    def position_rad(self) -> np.ndarray:
        """Return the joint positions, rad, shape (6,)."""
        ...

    def velocity_rad_s(self) -> np.ndarray:
        """Return the joint velocities, rad/s, shape (6,)."""
        ...

    def load_fraction(self) -> np.ndarray:
        """Return the motors' torque as a fraction of stall torque, -1..1, shape (6,)."""
        ...

    def set_goal(self, index: int, position_rad: float) -> None:
        """Set where the servo of joint `index` goes while its torque is on, rad."""
        ...

    def set_torque_limit(self, index: int, fraction: float) -> None:
        """Set how much of its stall torque the servo may use; 0 is torque off, limp."""
        ...


class FirstOrderArm:
    """Speed-limited first-order joints on the steady clock, without gravity.

    A joint with torque runs to its goal with the speed min(error / time constant, top speed)
    and stops at the mechanical limits; without torque it stays where it is. Time is integrated
    exactly between two calls, however far apart they are. Safe to call from any thread.
    """

    def __init__(
        self,
        position_rad: np.ndarray | None = None,
        *,
        time_constant_s: float = 0.03,
        max_speed_rad_s: float = SERVO_MAX_SPEED_RAD_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._time_constant_s = time_constant_s
        self._max_speed_rad_s = max_speed_rad_s
        self._clock = clock
        self._lock = threading.Lock()
        start = np.zeros(JOINT_COUNT) if position_rad is None else position_rad
        self._position_rad = np.array(start, dtype=float)
        self._velocity_rad_s = np.zeros(JOINT_COUNT)
        self._goal_rad = self._position_rad.copy()
        self._torque_limit = np.zeros(JOINT_COUNT)
        self._time_s = clock()

    def position_rad(self) -> np.ndarray:
        """Return the joint positions now, rad, shape (6,)."""
        with self._lock:
            self._advance()
            return self._position_rad.copy()

    def velocity_rad_s(self) -> np.ndarray:
        """Return the joint velocities now, rad/s, shape (6,)."""
        with self._lock:
            self._advance()
            return self._velocity_rad_s.copy()

    def load_fraction(self) -> np.ndarray:
        """Return the load, shape (6,): what the motion needs; nothing hangs on these joints."""
        with self._lock:
            self._advance()
            return self._velocity_rad_s / self._max_speed_rad_s

    def set_goal(self, index: int, position_rad: float) -> None:
        """Set the goal of one joint, rad."""
        with self._lock:
            self._advance()
            self._goal_rad[index] = position_rad

    def set_torque_limit(self, index: int, fraction: float) -> None:
        """Set the torque limit of one joint, 0..1; it also limits the speed."""
        with self._lock:
            self._advance()
            self._torque_limit[index] = fraction

    def place(self, position_rad: np.ndarray) -> None:
        """Put the joints somewhere at once, shape (6,), as a hand moves a limp leader arm."""
        with self._lock:
            self._advance()
            self._position_rad[:] = position_rad
            self._velocity_rad_s[:] = 0.0

    def _advance(self) -> None:
        now_s = self._clock()
        elapsed_s = now_s - self._time_s
        self._time_s = now_s
        top_speed = self._max_speed_rad_s * np.minimum(self._torque_limit, 1.0)
        powered = top_speed > 0.0
        error = np.where(powered, self._goal_rad - self._position_rad, 0.0)
        distance = np.abs(error)
        # First at top speed down to the distance where error / time constant is slower, then
        # exponentially.
        knee = top_speed * self._time_constant_s
        to_knee = np.maximum(distance - knee, 0.0)
        at_top_speed_s = np.divide(to_knee, top_speed, out=np.zeros(JOINT_COUNT), where=powered)
        cruise_s = np.minimum(elapsed_s, at_top_speed_s)
        left = distance - top_speed * cruise_s
        left = left * np.exp(-(elapsed_s - cruise_s) / self._time_constant_s)
        moved = self._position_rad + np.sign(error) * (distance - left)
        self._position_rad = np.where(
            powered, np.clip(moved, LOWER_LIMITS_RAD, UPPER_LIMITS_RAD), self._position_rad
        )
        speed = np.minimum(left / self._time_constant_s, top_speed)
        self._velocity_rad_s = np.where(powered, np.sign(error) * speed, 0.0)
