"""Garbage collection that does not stall a loop: short, by the loop itself, when there is time.

CPython collects when a counter says so, in whatever thread allocates at that moment, and stops
all others meanwhile. A full collection of a process with ROS in it takes tens of milliseconds. So
what is there after start-up is set aside (`gc.freeze`), automatic collection is off, and the loop
tidies up once a cycle, in the time that is left before its next deadline.
"""

import gc
import time
from collections.abc import Callable, Mapping

_MARGIN = 2.0  # a collection must fit this many times into what is left of a cycle
_RESERVE_S = 0.0003  # and leave this much: a wake-up is never exact
_FORGET = 0.98  # by this factor the memory of a long collection fades at each shorter one
_YOUNG = 700  # objects: CPython's own threshold of the youngest generation
_OLDER = 10  # collections of a generation until its elder is due: CPython's own
_PRESSING = 50_000  # young objects that are collected although there is no time for it
_FULL_EVERY_S = 60.0
GENERATIONS = 3


class GarbageKeeper:
    """Collects for the whole process in the slack of one loop. One thread calls it.

        keeper = GarbageKeeper()
        keeper.take_over()  # after start-up: it stalls for one full collection
        ...
        keeper.tidy(ticker.slack_s())  # once a cycle, after the work
        ...
        keeper.hand_back()

    Args:
        clock: seconds of a steady clock.
        cost_clock: seconds of processor time of the calling thread. What a collection is expected
            to take is learned from it: a machine that stalled meanwhile says nothing.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        cost_clock: Callable[[], float] = time.thread_time,
    ) -> None:
        self._clock, self._cost_clock = clock, cost_clock
        self.collections = [0] * GENERATIONS
        self.longest_s = [0.0] * GENERATIONS
        self.postponed = 0  # cycles in which a collection was due and did not fit
        self.forced = 0  # collections without the time for it: the young were too many
        self._expected_s = [0.0] * GENERATIONS
        self._since_elder = [0] * GENERATIONS
        self._full_due_s = 0.0
        self._was_enabled = False
        self.in_charge = False

    def take_over(self) -> None:
        """Collect, set aside what is alive, end automatic collection, and measure a full one."""
        if self.in_charge:
            return
        self._was_enabled = gc.isenabled()
        gc.collect()
        gc.freeze()
        gc.disable()
        self.in_charge = True
        self._collect(GENERATIONS - 1)  # what one costs now; the loop has not begun
        self.longest_s = [0.0] * GENERATIONS
        self.collections = [0] * GENERATIONS

    def hand_back(self) -> None:
        """Let CPython collect again as it did before."""
        if not self.in_charge:
            return
        self.in_charge = False
        gc.unfreeze()
        if self._was_enabled:
            gc.enable()

    def tidy(self, slack_s: float) -> float:
        """Collect the eldest generation that is due and fits into `slack_s`; return its pause, s.

        `math.inf` says that a stall would do no harm now.
        """
        if not self.in_charge:
            return 0.0
        young = gc.get_count()[0]
        is_due = (
            young >= _YOUNG,
            self._since_elder[1] >= _OLDER,
            self._clock() >= self._full_due_s and self._since_elder[2] > 0,
        )
        for generation in reversed(range(GENERATIONS)):
            if not is_due[generation]:
                continue
            if self._expected_s[generation] * _MARGIN + _RESERVE_S <= slack_s:
                return self._collect(generation)
        if any(is_due):
            self.postponed += 1
        if young >= _PRESSING:  # the alternative is to grow without end
            self.forced += 1
            return self._collect(0)
        return 0.0

    def statistics(self) -> Mapping[str, float]:
        """Flat, for diagnostics."""
        named: dict[str, float] = {
            f'gc_{index}_collections': n for index, n in enumerate(self.collections)
        }
        named |= {f'gc_{index}_max_ms': s * 1e3 for index, s in enumerate(self.longest_s)}
        return {**named, 'gc_postponed': self.postponed, 'gc_forced': self.forced}

    def _collect(self, generation: int) -> float:
        start_s, cost_from_s = self._clock(), self._cost_clock()
        gc.collect(generation)
        cost_s, now_s = self._cost_clock() - cost_from_s, self._clock()
        pause_s = now_s - start_s
        self.collections[generation] += 1
        self.longest_s[generation] = max(self.longest_s[generation], pause_s)
        self._expected_s[generation] = max(cost_s, self._expected_s[generation] * _FORGET)
        for younger in range(generation + 1):
            self._since_elder[younger] = 0
        if generation + 1 < GENERATIONS:
            self._since_elder[generation + 1] += 1
        else:
            self._full_due_s = now_s + _FULL_EVERY_S
        return pause_s
