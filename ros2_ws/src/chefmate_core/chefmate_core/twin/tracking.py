"""How far the twin is from the arm, compared at the same time."""

import math
from dataclasses import dataclass

import numpy as np

from chefmate_core.diagnosis import Level
from chefmate_core.joints import JOINT_COUNT
from chefmate_core.twin.config import TwinConfig
from chefmate_core.twin.history import History

LONGEST_GAP_S = 0.25  # no position of the arm is made up over a longer one
FASTEST_HZ = 250.0  # of a twin whose errors are kept for all of the window


class Threshold:
    """Crossed when values have been beyond it for the hold-off, over when below it as long."""

    def __init__(self, limit: float, hold_off_s: float) -> None:
        self._limit, self._hold_off_s = limit, hold_off_s
        self._changing_since_s: float | None = None
        self._taken_s = -np.inf
        self.is_crossed = False

    def take(self, time_s: float, value: float) -> None:
        """Look at the value of a time. What was before a gap has not lasted over the gap."""
        if time_s - self._taken_s > LONGEST_GAP_S:
            self._changing_since_s = None
        self._taken_s = time_s
        if (value > self._limit) is self.is_crossed:
            self._changing_since_s = None
        elif self._changing_since_s is None:
            self._changing_since_s = time_s
        elif time_s - self._changing_since_s >= self._hold_off_s:
            self.is_crossed = not self.is_crossed
            self._changing_since_s = None


@dataclass(frozen=True)
class JointError:
    """Real minus simulated at one instant."""

    time_s: float  # steady clock
    error_rad: np.ndarray  # (6,)


class ErrorTracker:
    """Compares each state of the twin with where the arm was at that state's time.

    A state of the twin waits until the arm's next reading, so that the arm is interpolated and
    never extrapolated. What the twin has not caught up with yet is part of this error: a twin
    that follows 50 ms behind an arm that moves at 1 rad/s shows 0.05 rad.
    """

    def __init__(self, config: TwinConfig) -> None:
        self._config = config
        self._errors = History(math.ceil(config.window_s * FASTEST_HZ))
        self._compared_s = -np.inf
        self._warn = Threshold(config.warn_rad, config.hold_off_s)
        self._alarm = Threshold(config.alarm_rad, config.hold_off_s)

    def compare(self, real: History, twin: History) -> JointError | None:
        """Compare what has become comparable; return the newest, or None without any."""
        if not len(real):
            return None
        times_s, simulated_rad = twin.after(self._compared_s)
        ripe = times_s <= real.times_s[-1]
        times_s, simulated_rad = times_s[ripe], simulated_rad[ripe]
        if not len(times_s):
            return None
        self._compared_s = float(times_s[-1])
        known = real.covers(times_s, LONGEST_GAP_S)
        times_s, simulated_rad = times_s[known], simulated_rad[known]
        if not len(times_s):
            return None
        errors_rad = real.at(times_s) - simulated_rad
        for time_s, error_rad in zip(times_s.tolist(), errors_rad, strict=True):
            self._errors.add(time_s, error_rad)
            worst_rad = float(np.max(np.abs(error_rad)))
            self._warn.take(time_s, worst_rad)
            self._alarm.take(time_s, worst_rad)
        return JointError(float(times_s[-1]), errors_rad[-1].copy())

    @property
    def level(self) -> Level:
        """OK, WARN or ERROR, after the hold-off."""
        if self._alarm.is_crossed:
            return Level.ERROR
        return Level.WARN if self._warn.is_crossed else Level.OK

    @property
    def newest_rad(self) -> np.ndarray:
        """The newest error, shape (6,); NaN without any."""
        if not len(self._errors):
            return np.full(JOINT_COUNT, np.nan)
        return self._errors.positions_rad[-1]

    def window(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Return rms and maximum of each joint over the window, rad, shape (6,); None if empty."""
        if not len(self._errors):
            return None
        newest_s = self._errors.times_s[-1]
        _, errors_rad = self._errors.after(newest_s - self._config.window_s)
        return np.sqrt(np.mean(errors_rad**2, axis=0)), np.max(np.abs(errors_rad), axis=0)
