"""Time that only the campaign moves: the driver's clocks, and the pace of its loop."""

import threading
import time
from collections.abc import Callable

from chefmate_core.timing import Ticker

_POLL_S = 0.005


class VirtualClock:
    """A steady clock and a wall clock that may be set; both stand still until told to move."""

    def __init__(self) -> None:
        self._steady_s = 1000.0
        self.wall_offset_s = 1.7e9

    def __call__(self) -> float:
        """Return the steady time, s."""
        return self._steady_s

    def wall(self) -> float:
        """Return the wall time, s."""
        return self._steady_s + self.wall_offset_s

    def advance(self, step_s: float) -> None:
        """Let time pass."""
        self._steady_s += step_s


class SteppedTicker(Ticker):
    """Paces a driver's loop by hand: one cycle for each `release`."""

    def __init__(self, period_s: float) -> None:
        super().__init__(period_s)
        self._may_go = threading.Semaphore(0)
        self.idle = threading.Event()  # the loop waits for its next cycle

    def wait(self, stop: threading.Event) -> bool:
        """Block until a cycle is released; return False when `stop` is set."""
        self.idle.set()
        while not self._may_go.acquire(timeout=_POLL_S):
            if stop.is_set():
                self.idle.clear()  # this loop has ended; the next one says when it waits
                return False
        return not stop.is_set()

    def slack_s(self) -> float:
        """Return 0: nothing is left of a cycle that takes no time."""
        return 0.0

    def release(self) -> None:
        """Let one cycle begin."""
        self.idle.clear()
        self._may_go.release()


def wait_until(
    condition: Callable[[], bool], what: Callable[[], str], timeout_s: float = 10.0
) -> None:
    """Wait in real time for something that other threads do; generous, machines stall."""
    end_s = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end_s:
            raise AssertionError(f'{what()}: not within {timeout_s:g} s of real time')
        time.sleep(0.0002)
