"""The way out of the emergency stop: a question about one stop, in the browser of who asks."""

import threading
from collections.abc import Callable

import viser

from chefmate.viewer.emergency_stop import EmergencyStop

QUESTION = 'Look at it, not at this page: is nobody within its reach?'
AT_REST = 'The arm will hold where it is, and follow commands again.'
AT_WORK = '**The task goes on at once, without another press**, from where the arm is.'


class ReleaseQuestions:
    """The questions that are open, one for each browser at most.

    While one is open, somebody else may release the stop, and a third press it again: the answer
    to the old question must not release the new stop.
    """

    def __init__(self, stop: EmergencyStop, end_task: Callable[[], None]) -> None:
        self._stop, self._end_task = stop, end_task
        self._lock = threading.Lock()
        self._open: dict[int, tuple[int, Callable[[], None]]] = {}  # latch, close

    def ask(self, client: viser.ClientHandle, working: bool) -> None:
        """Ask in this browser; `working`: there is a task that would go on."""
        latch, number = self._stop.latch, client.client_id
        with self._lock:
            self._close(number)
            with client.gui.add_modal('Let the arm move again?') as modal:
                client.gui.add_markdown(f'{AT_WORK if working else AT_REST} {QUESTION}')
                end = client.gui.add_button('Stop the task first', color='gray', visible=working)
                yes = client.gui.add_button('Yes, let it move', color='orange')
                no = client.gui.add_button('No, keep it stopped', color='gray')
            self._open[number] = (latch, modal.close)
        yes.on_click(lambda _: self._answered(number, latch, self._release))
        end.on_click(lambda _: self._answered(number, latch, lambda _: self._end_task()))
        no.on_click(lambda _: self._answered(number, latch, lambda _: None))

    def withdraw(self) -> None:
        """Close the questions about stops that are no more."""
        with self._lock:
            for number, (latch, _) in list(self._open.items()):
                if latch != self._stop.latch or not self._stop.stopped:
                    self._close(number)

    def _answered(self, number: int, latch: int, do: Callable[[int], None]) -> None:
        with self._lock:
            if self._open.get(number, (None,))[0] != latch:
                return
            self._close(number)
        do(latch)

    def _release(self, latch: int) -> None:
        self._stop.release(latch)

    def _close(self, number: int) -> None:
        if number in self._open:
            _, close = self._open.pop(number)
            close()
