"""When something was measured, on our steady clock, from stamps that may be of any clock."""

from collections import Counter
from enum import StrEnum

RESTART_S = 1.0  # a stamp that goes back further comes from somebody who began anew
STEPPED_BACK = 3  # stamps in a row, in order, before the newest: their clock was set back


class StampClock(StrEnum):
    """Whose clock a sender stamps with."""

    OURS = 'ours'
    FOREIGN = 'foreign'  # simulation time here, wall time there; or two hosts without chrony
    NONE = 'none'  # stamps are zero


class StampReader:
    """Turns the stamps of one sender into times of the steady clock.

    A stamp that our clock can explain counts. Of any other, only the order counts: its state is
    then taken to be of the time at which it arrived.

    Args:
        oldest_s: a stamp that is further in the past is of another clock; unless this sender's
            clock was ours before: then it is that late.
        future_s: a stamp that is further in the future is of another clock.
    """

    def __init__(self, oldest_s: float = 10.0, future_s: float = 0.1) -> None:
        self._oldest_s, self._future_s = oldest_s, future_s
        self._stamp_s = 0.0
        self._is_ours = False  # by some stamp since its sender began
        self._back_s, self._back = 0.0, 0  # the last stamp before the newest, how many in a row
        self.clock = StampClock.OURS
        self.age_s = 0.0  # of the last one at its arrival, where the clock is ours
        self.counters: Counter[str] = Counter()

    def read(self, stamp_s: float, clock_s: float, now_s: float) -> float | None:
        """Return the time of a state, s of the steady clock, or None for one to be left out.

        Args:
            stamp_s: of the message.
            clock_s: the node's clock now.
            now_s: the steady clock now.
        """
        if stamp_s == 0.0:
            self._use(StampClock.NONE)
            return now_s
        step_s = stamp_s - self._stamp_s
        if self._stamp_s and step_s < -RESTART_S:
            self.counters['restarts'] += 1
            self._is_ours = False
        elif self._stamp_s and step_s <= 0.0 and not self._was_set_back(stamp_s):
            self.counters['out_of_order' if step_s < 0.0 else 'repeated'] += 1
            return None
        self._stamp_s, self._back = stamp_s, 0
        age_s = clock_s - stamp_s
        if -self._future_s <= age_s and (age_s <= self._oldest_s or self._is_ours):
            self._use(StampClock.OURS)
            self._is_ours, self.age_s = True, age_s
            return now_s - max(age_s, 0.0)
        self._use(StampClock.FOREIGN)
        return now_s

    def _was_set_back(self, stamp_s: float) -> bool:
        """Whether enough stamps in a row go on from before the newest one."""
        self._back = self._back + 1 if self._back and stamp_s > self._back_s else 1
        self._back_s = stamp_s
        return self._back >= STEPPED_BACK

    def _use(self, clock: StampClock) -> None:
        if clock is not self.clock:
            self.counters['clock_changes'] += 1
            self.clock, self.age_s = clock, 0.0
