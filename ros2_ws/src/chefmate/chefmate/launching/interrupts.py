"""Requests to end a launch: signals, and calls from other threads."""

import os
import signal
import threading
from contextlib import suppress
from types import FrameType, TracebackType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Collects requests and wakes the loop that waits on `fd`. Use as a context manager.

    Signals are listened to in the main thread only; elsewhere they are the caller's business.
    """

    def __init__(self) -> None:
        self.fd, self._waker = os.pipe()
        os.set_blocking(self._waker, False)
        self._lock = threading.Lock()
        self._open = True
        self._requests: list[int] = []
        self._before: dict[int, signal._HANDLER] = {}

    def __enter__(self) -> 'Interrupts':
        if threading.current_thread() is threading.main_thread():
            for number in _SIGNALS:
                handler = signal.getsignal(number)
                if number == signal.SIGHUP and handler is signal.SIG_IGN:  # nohup means it
                    continue
                # None: whoever set it was not Python, and cannot be put back
                self._before[number] = signal.SIG_DFL if handler is None else handler
                signal.signal(number, self._on_signal)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        with self._lock:
            self._open = False
            os.close(self.fd)
            os.close(self._waker)

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        # No lock: a handler interrupts the thread that may hold it, and only that thread closes.
        self._requests.append(number)
        self._wake()

    def request(self) -> None:
        """Ask for the end, from any thread. After the end it does nothing."""
        with self._lock:
            if self._open:
                self._requests.append(0)
                self._wake()

    def _wake(self) -> None:
        with suppress(BlockingIOError):  # full of wake-ups already
            os.write(self._waker, b'!')

    def take(self) -> list[int]:
        """Return what was asked since the last call: signal numbers, 0 for `request()`."""
        taken = []
        while self._requests:
            taken.append(self._requests.pop(0))
        return taken
