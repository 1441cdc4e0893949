"""What the page knows of the emergency stop, and a press that waits until the arm has stopped."""

import math
import threading
from collections.abc import Callable

ANSWER_S = 1.5  # what an arm that is well needs, and a busy machine
SETTLED_S = 0.5  # 'stopped' that was heard may be older than a release, but not so much
APART_S = 0.1  # requests: a browser can press more often than a driver should be asked
BEFORE_ARM_S = 10.0  # a press with no arm there is for one that starts at this moment


class EmergencyStop:
    """The stop, as the driver has latched it and the browsers want it; for many threads.

    A press is asked for again until the arm says that it has stopped: the request dies with a
    connection that breaks, while the arm goes on. A stop and a release that follow one another
    are sent in this order.

    Args:
        ask: asks the driver to stop (True) or to release; does not wait.

    Attributes:
        stopped: what the driver said last; None: nothing, or it has gone.
        latch: number of the newest stop, pressed or heard of; a release is for one of them.
    """

    def __init__(self, ask: Callable[[bool], None]) -> None:
        self.stopped: bool | None = None
        self.latch = 0
        self._ask = ask
        self._lock = threading.Lock()
        self._wanted_since_s: float | None = None
        self._pressed_s, self._asked_s = 0.0, -math.inf
        self._offered = self._lost = False

    def press(self, now_s: float) -> None:
        """Somebody wants the arm to stop."""
        with self._lock:
            self.latch += 1
            self._pressed_s = now_s
            if self._wanted_since_s is None:
                self._wanted_since_s = now_s
            self._ask_again(now_s)

    def release(self, latch: int) -> bool:
        """Release the stop of that number; return whether it was still the newest."""
        with self._lock:
            if latch != self.latch:
                return False
            self._wanted_since_s, self._asked_s = None, -math.inf
            self._ask(False)
            return True

    def heard(self, stopped: bool | None) -> None:
        """The driver has said how the stop is; None: whoever said it last has gone."""
        with self._lock:
            if stopped and not self.stopped:
                self.latch += 1
            self.stopped = stopped
            if not stopped:
                self._asked_s = -math.inf
            elif self._asked_s >= self._pressed_s:  # a later press has not been asked for yet
                self._wanted_since_s = None

    def look(self, offered: bool, speaks: bool, now_s: float) -> str:
        """Ask again where that is due, and return the word for the page's bar.

        Args:
            offered: whether there is a driver that can be asked.
            speaks: whether the arm's own words are fresh.
            now_s: of the clock of `press`.

        Returns:
            free, unknown (the driver has not said), silent (the arm says nothing), stopping,
            unanswered, stopped, latched (stopped, but the arm says nothing), absent (no driver),
            gone (nor did it say good-bye).
        """
        with self._lock:
            if offered is not self._offered:
                self._lost = self._offered and not speaks
                self._offered = offered
            if self._is_wanted(now_s) and offered:
                self._ask_again(now_s)
            return self._word(offered, speaks, now_s)

    def _ask_again(self, now_s: float) -> None:
        if now_s - self._asked_s >= APART_S:
            self._asked_s = now_s
            self._ask(True)

    def _is_wanted(self, now_s: float) -> bool:
        waited_s = now_s - self._pressed_s
        nobody = not (self._offered or self._lost) and waited_s > BEFORE_ARM_S
        was_asked = self._asked_s >= self._pressed_s
        if nobody or (self.stopped and was_asked and waited_s > SETTLED_S):
            self._wanted_since_s = None
        return self._wanted_since_s is not None

    def _word(self, offered: bool, speaks: bool, now_s: float) -> str:
        if self.stopped and offered:
            return 'stopped' if speaks else 'latched'
        if self._wanted_since_s is not None:
            return 'stopping' if now_s - self._wanted_since_s < ANSWER_S else 'unanswered'
        if not offered:
            return 'gone' if self._lost else 'absent'
        if not speaks:
            return 'silent'
        return 'unknown' if self.stopped is None else 'free'
