"""How well the follower follows: latency from reading to wire, and the error of each joint."""

from collections import deque

import numpy as np

from chefmate_core.joints import JOINT_COUNT, JOINT_NAMES
from chefmate_core.teleop.follower import TeleopCommand
from chefmate_core.timing import Durations, Rate

_KEPT_COMMANDS = 32  # a third of a second at 100 Hz
_KEPT_ERRORS = 1000  # ten seconds
_SAME_RAD = 1e-6  # a goal that the gate has passed as it is
_MOVED_RAD = 1e-4  # a goal that stands tells nothing of when it arrived


class TeleopMonitor:
    """Watches one follower. One thread calls it; stamps are of the wall clock, s."""

    def __init__(self) -> None:
        self.commands = Rate()
        self.ages = Durations()
        self.latencies = Durations()
        self._sent: deque[tuple[float, np.ndarray]] = deque(maxlen=_KEPT_COMMANDS)
        self._newest_rad = np.full(JOINT_COUNT, np.nan)
        self._errors = np.zeros((_KEPT_ERRORS, JOINT_COUNT))
        self._error_count = 0

    def sent(self, command: TeleopCommand, clock_s: float) -> None:
        """A command was published."""
        self.commands.tick()
        self.ages.add(clock_s - command.stamp_s)
        position = command.goal.position_rad
        if not np.max(np.abs(position - self._newest_rad)) <= _MOVED_RAD:
            self._sent.append((command.stamp_s, position))
            self._newest_rad = position

    def applied(self, setpoint_rad: np.ndarray, stamp_s: float) -> None:
        """A setpoint, shape (6,), went on the wire; it tells when a command arrived there."""
        for index in reversed(range(len(self._sent))):
            sent_s, position = self._sent[index]
            if np.max(np.abs(position - setpoint_rad)) <= _SAME_RAD:
                self.latencies.add(stamp_s - sent_s)
                for _ in range(index + 1):
                    self._sent.popleft()
                return

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
