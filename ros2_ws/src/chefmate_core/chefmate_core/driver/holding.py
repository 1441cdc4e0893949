"""What the loop knows of torque: the arm holds, is limp, or waits for a silent joint."""

import math
from collections import Counter
from collections.abc import Callable

import numpy as np

from chefmate_core.driver.arm import Arm
from chefmate_core.errors import BusError
from chefmate_core.safety.gate import SafetyGate
from chefmate_core.servo.readings import ArmReading

LIMP_RETRY_S = 1.0


class ArmHolding:
    """Torque on and off, the gate's seed, and the pause while a joint is silent.

    The loop's thread calls it. Times are seconds of the steady clock.

    Args:
        longest_gap_s: for how long a joint may be silent.
        counters: where `pauses` are counted.
    """

    def __init__(
        self,
        arm: Arm,
        gate: SafetyGate,
        clock: Callable[[], float],
        longest_gap_s: float,
        counters: Counter[str],
    ) -> None:
        self.is_limp = False  # torque is known to be off
        self.is_paused = False  # nothing is written because a joint is silent
        self._arm, self._gate, self._clock = arm, gate, clock
        self._longest_gap_s = longest_gap_s
        self._counters = counters
        self._shall_be_limp = False  # torque should be off, and is not yet
        self._limp_due_s = -math.inf
        self._written_s = -math.inf

    def learn(self) -> None:
        """Find out whether any servo has torque, as when the loop begins."""
        self._shall_be_limp = False
        self.is_limp = not self._arm.torque_enabled().any()

    def take(self) -> None:
        """Make sure of every servo's torque, and seed the gate with what they hold."""
        was_limp, self.is_limp = self.is_limp or self._shall_be_limp, False
        try:
            held_rad = self._arm.hold()
        except BusError:
            # Some may have torque now and not hear of its end: the loop tells them again.
            self._shall_be_limp = was_limp
            raise
        self._shall_be_limp = False
        self.is_paused = False
        self._gate.activate(held_rad, self._clock())

    def go_limp(self) -> None:
        """Turn torque off; what fails is tried again by `retry`."""
        self._shall_be_limp = True
        self._limp_due_s = self._clock() + LIMP_RETRY_S
        self._arm.set_torque(False)
        self._shall_be_limp = False
        self.is_limp = True

    def retry(self, now_s: float) -> None:
        """Tell servos that did not hear of it to go limp."""
        if self._shall_be_limp and now_s >= self._limp_due_s:
            self.go_limp()

    def may_write(self, reading: ArmReading, now_s: float) -> bool:
        """Return whether a setpoint may go out: not while a joint is silent, nor right after.

        Nothing is written meanwhile, so that all joints stand. They go on from rest if the servos
        heard everything, as after a stall of the loop; else from what their registers say.
        """
        if not np.max(reading.age_s) <= self._longest_gap_s:  # NaN is silent too
            self._counters['pauses'] += not self.is_paused
            self.is_paused = True
        elif self.is_paused and now_s - self._written_s > self._longest_gap_s:
            self._resume()
            return False
        return not self.is_paused

    def wrote(self, now_s: float) -> None:
        """A setpoint went out."""
        self._written_s = now_s

    def _resume(self) -> None:
        if self._arm.holds(self._gate.setpoint_rad):
            self.is_paused = False
        else:
            self.take()
