"""Periodic loops on the steady clock, and what is known about how well they kept time."""

import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping

import numpy as np

KEPT = 12_000  # newest durations that percentiles are taken over: a minute at 200 Hz


class Durations:
    """The newest durations of something, for percentiles; safe to read from another thread.

    One thread adds. The ring is an array: to copy it takes a microsecond, where to go through a
    deque would keep the interpreter from the loop that adds.
    """

    def __init__(self, kept: int = KEPT) -> None:
        self._ring = np.zeros(kept)
        self.count = 0

    def add(self, duration_s: float) -> None:
        """Record one duration."""
        self._ring[self.count % len(self._ring)] = duration_s
        self.count += 1

    def newest_s(self) -> np.ndarray:
        """Return the newest durations, s, in no particular order."""
        return self._ring[: self.count].copy()

    def summary_ms(self, prefix: str) -> dict[str, float]:
        """Return `{prefix}_p50_ms`, `_p99_ms`, `_p999_ms`, `_max_ms`; empty without any."""
        return percentiles_ms(self.newest_s(), prefix)


def percentiles_ms(durations_s: Iterable[float], prefix: str) -> dict[str, float]:
    """Return p50, p99, p99.9 and max in ms under names that begin with `prefix`."""
    if not isinstance(durations_s, np.ndarray):
        durations_s = np.fromiter(durations_s, dtype=float)
    if not len(durations_s):
        return {}
    values = durations_s * 1e3
    p50, p99, p999 = np.percentile(values, (50, 99, 99.9))
    return {
        f'{prefix}_p50_ms': float(p50),
        f'{prefix}_p99_ms': float(p99),
        f'{prefix}_p999_ms': float(p999),
        f'{prefix}_max_ms': float(values.max()),
    }


class Rate:
    """How often something happened lately, per second."""

    def __init__(self, window_s: float = 2.0) -> None:
        self._window_s = window_s
        self._times: deque[float] = deque()
        self._lock = threading.Lock()
        self.count = 0

    def tick(self, now_s: float | None = None) -> None:
        """It happened now."""
        now_s = time.monotonic() if now_s is None else now_s
        with self._lock:
            self.count += 1
            self._times.append(now_s)
            self._forget(now_s)

    def hz(self, now_s: float | None = None) -> float:
        """Return the rate over the window."""
        now_s = time.monotonic() if now_s is None else now_s
        with self._lock:
            self._forget(now_s)
            if len(self._times) < 2:
                return 0.0
            return (len(self._times) - 1) / max(now_s - self._times[0], 1e-9)

    def _forget(self, now_s: float) -> None:
        while self._times and now_s - self._times[0] > self._window_s:
            self._times.popleft()


class Pauses:
    """The longest time between two ticks of a loop: for how long its process stood."""

    def __init__(self) -> None:
        self.longest_s, self._last_s = 0.0, time.monotonic()

    def tick(self) -> None:
        """Take note of the time."""
        now_s = time.monotonic()
        self.longest_s, self._last_s = max(self.longest_s, now_s - self._last_s), now_s


class Ticker:
    """Wakes at absolute deadlines of the steady clock; a missed one is skipped and counted."""

    def __init__(self, period_s: float) -> None:
        self.period_s = period_s
        self.periods = Durations()
        self.overruns = 0
        self._deadline_s = 0.0
        self._woken_s = 0.0

    def wait(self, stop: threading.Event) -> bool:
        """Sleep until the next deadline; return False at once when `stop` is set."""
        now_s = time.monotonic()
        if self._deadline_s == 0.0:
            self._deadline_s = now_s
        self._deadline_s += self.period_s
        if self._deadline_s < now_s:
            missed = int((now_s - self._deadline_s) / self.period_s) + 1
            self.overruns += missed
            self._deadline_s += missed * self.period_s
        if stop.is_set():
            return False
        # Python makes this an absolute sleep (clock_nanosleep, TIMER_ABSTIME); the clock is read
        # last, because what happens between the reading and the sleep makes the sleep too long.
        time.sleep(max(0.0, self._deadline_s - time.monotonic()))
        now_s = time.monotonic()
        if self._woken_s:
            self.periods.add(now_s - self._woken_s)
        self._woken_s = now_s
        return not stop.is_set()

    def slack_s(self) -> float:
        """Return how long it is until the next deadline, s; negative when it has passed."""
        return self._deadline_s + self.period_s - time.monotonic()

    def statistics(self) -> Mapping[str, float]:
        """Period percentiles and the number of overruns, for diagnostics."""
        return {**self.periods.summary_ms('period'), 'overruns': self.overruns}
