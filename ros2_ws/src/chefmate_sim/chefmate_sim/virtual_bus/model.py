"""What a virtual servo bus moves: the protocol, and an arm without physics."""

import math
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
        start = np.zeros(JOINT_COUNT) if position_rad is None else position_rad
        now_s = clock()
        self._clock = clock
        self._max_speed_rad_s = max_speed_rad_s
        self._lock = threading.Lock()
        # Plain numbers, joint by joint: for six joints numpy would take five times as long.
        self._joints = [
            _Joint(float(position), low, high, time_constant_s, max_speed_rad_s, now_s)
            for position, low, high in zip(
                start, LOWER_LIMITS_RAD.tolist(), UPPER_LIMITS_RAD.tolist(), strict=True
            )
        ]

    def position_rad(self) -> np.ndarray:
        """Return the joint positions now, rad, shape (6,)."""
        return np.array([joint.position_rad for joint in self._now()])

    def velocity_rad_s(self) -> np.ndarray:
        """Return the joint velocities now, rad/s, shape (6,)."""
        return np.array([joint.velocity_rad_s for joint in self._now()])

    def load_fraction(self) -> np.ndarray:
        """Return the load, shape (6,): what the motion needs; nothing hangs on these joints."""
        return self.velocity_rad_s() / self._max_speed_rad_s

    def set_goal(self, index: int, position_rad: float) -> None:
        """Set the goal of one joint, rad; beyond the mechanical limit, to the limit."""
        with self._lock:
            joint = self._joints[index]
            joint.advance(self._clock())
            joint.goal_rad = min(max(position_rad, joint.lower_rad), joint.upper_rad)

    def set_torque_limit(self, index: int, fraction: float) -> None:
        """Set the torque limit of one joint, 0..1; it limits the speed likewise."""
        with self._lock:
            joint = self._joints[index]
            joint.advance(self._clock())
            joint.top_speed_rad_s = self._max_speed_rad_s * min(fraction, 1.0)

    def place(self, position_rad: np.ndarray) -> None:
        """Put the joints somewhere at once, shape (6,), as a hand moves a limp leader arm."""
        with self._lock:
            now_s = self._clock()
            for joint, position in zip(self._joints, position_rad, strict=True):
                joint.advance(now_s)
                joint.position_rad = float(position)
                joint.velocity_rad_s = 0.0

    def _now(self) -> list['_Joint']:
        with self._lock:
            now_s = self._clock()
            for joint in self._joints:
                joint.advance(now_s)
            return self._joints


class _Joint:
    def __init__(
        self,
        position_rad: float,
        lower_rad: float,
        upper_rad: float,
        time_constant_s: float,
        max_speed_rad_s: float,
        now_s: float,
    ) -> None:
        self.position_rad = position_rad
        self.velocity_rad_s = 0.0
        self.goal_rad = position_rad
        self.top_speed_rad_s = 0.0
        self.lower_rad = lower_rad
        self.upper_rad = upper_rad
        self._time_constant_s = time_constant_s
        self._time_s = now_s

    def advance(self, now_s: float) -> None:
        elapsed_s = now_s - self._time_s
        self._time_s = now_s
        error = self.goal_rad - self.position_rad
        if self.top_speed_rad_s <= 0.0 or error == 0.0:
            self.velocity_rad_s = 0.0
            return
        direction = math.copysign(1.0, error)
        distance = abs(error)
        # First at top speed, down to the distance where error / time constant is slower; then
        # exponentially.
        knee = self.top_speed_rad_s * self._time_constant_s
        cruise_s = min(elapsed_s, max(distance - knee, 0.0) / self.top_speed_rad_s)
        left = distance - self.top_speed_rad_s * cruise_s
        left *= math.exp(-(elapsed_s - cruise_s) / self._time_constant_s)
        speed = min(left / self._time_constant_s, self.top_speed_rad_s)
        self.position_rad = self.goal_rad - direction * left
        self.velocity_rad_s = direction * speed
