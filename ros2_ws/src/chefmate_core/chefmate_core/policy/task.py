"""What there is to say about one task: its end, its progress, the wish to end it."""

import threading
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """How a task ended; the names of `chefmate_msgs/ExecuteTask`'s constants."""

    SUCCEEDED = 'SUCCEEDED'
    TIMED_OUT = 'TIMED_OUT'
    CANCELED = 'CANCELED'
    PREEMPTED = 'PREEMPTED'
    REFUSED = 'REFUSED'
    FAILED = 'FAILED'


@dataclass(frozen=True)
class TaskResult:
    """The end of a task."""

    outcome: Outcome
    reason: str
    duration_s: float
    chunk_count: int


@dataclass(frozen=True)
class Progress:
    """What a running task tells after each chunk."""

    phase: str
    elapsed_s: float
    chunk_age_s: float  # now - the observation's stamp
    inference_s: float


class StopRequest:
    """Ends one task, and only that one, from any thread; also before it has begun."""

    def __init__(self) -> None:
        self.outcome = Outcome.CANCELED
        self._event = threading.Event()

    def set(self, outcome: Outcome = Outcome.CANCELED) -> None:
        """Ask for the end; the task will say `outcome`. Only the first request counts."""
        if not self._event.is_set():
            self.outcome = outcome
            self._event.set()

    def is_set(self) -> bool:
        """Whether the end was asked for."""
        return self._event.is_set()

    def wait(self, timeout_s: float) -> None:
        """Sleep, but no longer than until the end is asked for."""
        self._event.wait(timeout_s)
