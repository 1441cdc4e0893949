"""How well the follower follows: latency from reading to wire, and the error of each joint."""

from collections import deque

import numpy as np

from chefmate_core.joints import JOINT_COUNT, JOINT_NAMES
from chefmate_core.teleop.follower import TeleopCommand
from chefmate_core.timing import Durations, Rate

_KEPT_COMMANDS = 50  # half a second at 100 Hz
_KEPT_ERRORS = 1000  # ten seconds
_SPEED_OVER = 5  # commands, over which a joint's speed is taken
_FAST_RAD_S = 0.2  # a joint that hardly moves tells nothing of when its goal arrived


class TeleopMonitor:
    """Watches one follower. One thread calls it; stamps are of the wall clock, s."""

    def __init__(self) -> None:
        self.commands = Rate()
        self.ages = Durations()
        self.latencies = Durations()
        self._sent: deque[tuple[float, np.ndarray]] = deque(maxlen=_KEPT_COMMANDS)
        self._applied_rad = np.full(JOINT_COUNT, np.nan)
        self._errors = np.zeros((_KEPT_ERRORS, JOINT_COUNT))
        self._error_count = 0

    def sent(self, command: TeleopCommand, clock_s: float) -> None:
        """A command was published."""
        self.commands.tick()
        self.ages.add(clock_s - command.stamp_s)
        self._sent.append((command.stamp_s, command.goal.position_rad))

    def applied(self, setpoint_rad: np.ndarray, stamp_s: float) -> None:
        """A setpoint, shape (6,), went on the wire.

        The latency is taken from the instant at which the hand was where the fastest joint's
        setpoint is now: so it holds what the safety gate takes.
        """
        is_new = not np.array_equal(setpoint_rad, self._applied_rad)
        self._applied_rad = setpoint_rad
        if not is_new or len(self._sent) <= _SPEED_OVER:
            return
        (then_s, then_rad), (newest_s, newest_rad) = self._sent[-1 - _SPEED_OVER], self._sent[-1]
        speed = np.abs(newest_rad - then_rad) / max(newest_s - then_s, 1e-3)
        joint = int(np.argmax(speed))
        if speed[joint] > _FAST_RAD_S:
            wanted_s = self._when(joint, float(setpoint_rad[joint]))
            if wanted_s is not None:
                self.latencies.add(stamp_s - wanted_s)

    def _when(self, joint: int, place_rad: float) -> float | None:
        """Stamp at which the hand last brought a joint to a place, None if it did not lately."""
        after_s, after_rad = self._sent[-1][0], self._sent[-1][1][joint]
        for index in range(len(self._sent) - 2, -1, -1):
            before_s, before_rad = self._sent[index][0], self._sent[index][1][joint]
            low, high = min(before_rad, after_rad), max(before_rad, after_rad)
            if low <= place_rad <= high and high > low:
                part = (place_rad - before_rad) / (after_rad - before_rad)
                return float(before_s + part * (after_s - before_s))
            after_s, after_rad = before_s, before_rad
        return None

    def measured(self, position_rad: np.ndarray, wanted_rad: np.ndarray) -> None:
        """The follower was measured at one place while the hand wanted another, shape (6,) each.

        A joint that could not be read (NaN) counts for nothing.
        """
        error = np.nan_to_num(position_rad - wanted_rad)
        self._errors[self._error_count % _KEPT_ERRORS] = error
        self._error_count += 1

    def values(self) -> dict[str, float]:
        """Return rate, ages, latencies and the error of each joint, for diagnostics."""
        values: dict[str, float] = {
            'commands': self.commands.count,
            'rate_hz': self.commands.hz(),
            **self.ages.summary_ms('command_age'),
            **self.latencies.summary_ms('latency'),
        }
        errors = self._errors[: self._error_count]
        if len(errors):
            rms, peak = np.sqrt(np.mean(errors**2, axis=0)), np.max(np.abs(errors), axis=0)
            for index, name in enumerate(JOINT_NAMES):
                values[f'{name}_error_rms_rad'] = float(rms[index])
                values[f'{name}_error_max_rad'] = float(peak[index])
        return values
