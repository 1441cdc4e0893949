"""A thread that does one job at a time for an event loop.

It is a daemon, unlike those of an executor: a server that is told to stop while a model loads or
hangs does not have to wait for it.
"""

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

Result = TypeVar('Result')
_Job = tuple[asyncio.AbstractEventLoop, asyncio.Future, Callable[..., Any], tuple]


class Worker:
    """Runs functions in a thread of its own, in the order in which they came."""

    def __init__(self, name: str) -> None:
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    async def run(self, function: Callable[..., Result], *args: Any) -> Result:
        """Return what `function(*args)` returns, or raise what it raises."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        self._jobs.put((loop, future, function, args))
        return await future

    def close(self) -> None:
        """End the thread after its last job; does not wait for it."""
        self._jobs.put(None)

    def _work(self) -> None:
        for loop, future, function, args in iter(self._jobs.get, None):
            result, error = None, None
            try:
                result = function(*args)
            except Exception as raised:
                error = raised
            with contextlib.suppress(RuntimeError):  # the loop has been closed: nobody waits
                loop.call_soon_threadsafe(_settle, future, result, error)
            del future, function, args, result, error  # frames and weights are large


def _settle(future: asyncio.Future, result: Any, error: Exception | None) -> None:
    if future.cancelled():
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
