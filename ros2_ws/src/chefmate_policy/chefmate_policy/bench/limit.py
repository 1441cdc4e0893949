"""A limit for what cannot be asked to stop: torch.compile on a slow machine takes very long."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from chefmate_core.errors import PolicyError

AGAIN_S = 1.0  # an exception that a destructor swallows is raised once more


class _TimeIsUp(BaseException):
    """Not an Exception: compilers catch those, and go on."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Let the body take so long; in other threads than the main one it may take longer.

    Raises:
        PolicyError: it took longer; it was interrupted.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(*_: object) -> None:
        raise _TimeIsUp

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN_S)
    try:
        yield
    except _TimeIsUp:
        raise PolicyError(f'not ready after {seconds:g} s (--seconds)') from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
