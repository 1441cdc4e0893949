"""Work that other threads ask of a loop: done between two cycles, its outcome told to them."""

import queue
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from typing import Any

from chefmate_core.errors import BusError

TIMEOUT_S = 5.0  # a loop that does not answer for so long is given up


class LoopRequests:
    """A queue between any threads and one loop. `name` is who the loop serves, for messages."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._queue: queue.SimpleQueue[tuple[Callable[[], Any], Future]] = queue.SimpleQueue()

    def ask(self, work: Callable[[], Any], even_late: bool = False) -> None:
        """Have work done in the loop's thread, and wait for it; raises what it raises.

        What was not begun in time is not done later, unless `even_late`. Raises a BusError then.
        """
        future: Future = Future()
        self._queue.put((work, future))
        try:
            future.result(timeout=TIMEOUT_S)
        except FutureTimeoutError:
            if future.done():
                raise  # the work itself timed out
            given_up = not even_late and future.cancel()
            fate = 'it is given up' if given_up else 'it may still be carried out'
            raise BusError(
                f'{self._name}: the loop did not answer within {TIMEOUT_S:g} s; {fate}'
            ) from None

    def are_waiting(self) -> bool:
        """Return whether something is to be done."""
        return not self._queue.empty()

    def serve(self) -> None:
        """Do what is asked for; called in the loop's thread."""
        while self.are_waiting():
            work, future = self._queue.get()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                future.set_result(work())
            except Exception as error:  # who asked is told, whatever it is
                future.set_exception(error)
