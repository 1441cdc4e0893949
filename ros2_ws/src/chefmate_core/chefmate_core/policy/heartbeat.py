"""A policy's heartbeat: for as long as it beats, somebody vouches for the chunks in play.

A thread of its own beats while a task runs, so that a long inference does not silence it. It says
that nobody vouches any more when an inference is overdue: one that never returns would otherwise
leave the arm to the rest of its last chunk.
"""

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PERIOD_S = 0.02
_SLACK = 1.5  # of the slowest inference
_REMEMBERED = 25  # inferences: 5 s of a policy that is asked five times a second
_LONGEST_LIMIT_S = 0.5  # a chunk has run out by then


class Heartbeat:
    """Tells `beat` True every `period_s` while all is well, and False once when it is not.

    An inference is overdue when it takes longer than `patience_s` and than half as long again as
    the slowest of the last ones, or longer than a chunk lasts. The first one has no limit: it
    loads and compiles, and tells nothing about the next.
    """

    def __init__(
        self,
        beat: Callable[[bool], None],
        patience_s: float = 0.1,
        period_s: float = PERIOD_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`beat` is called in the heartbeat's thread and, at a task's end, in the task's."""
        self.overdue = 0  # inferences so far
        self._beat, self._patience_s, self._period_s = beat, patience_s, period_s
        self._clock = clock
        self._newest_s: deque[float] = deque(maxlen=_REMEMBERED)
        self._inferences = 0
        self._due_s = math.inf  # when the running inference is overdue
        self._is_overdue = False

    @property
    def limit_s(self) -> float:
        """How long an inference may take now."""
        if self._inferences == 0:
            return math.inf
        usual_s = _SLACK * max(self._newest_s, default=math.inf)
        return max(self._patience_s, min(usual_s, _LONGEST_LIMIT_S))

    @contextmanager
    def task(self) -> Iterator[None]:
        """Beat while a task runs."""
        ended = threading.Event()
        thread = threading.Thread(target=self._run, args=(ended,), name='heartbeat', daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def withdraw(self) -> None:
        """Say that nobody vouches for the chunks in play: the task has ended before its time."""
        self._beat(False)

    @contextmanager
    def inference(self) -> Iterator[None]:
        """Watch how long an inference takes, and learn from one that returns."""
        begun_s, limit_s = self._clock(), self.limit_s
        self._due_s = begun_s + limit_s
        try:
            yield
        finally:
            self._due_s = math.inf
        # What failed, at once or after a time-out, tells nothing about how long an answer takes.
        self._inferences += 1
        if self._inferences > 1:
            # One that was stopped for minutes shall not buy as much for the next.
            self._newest_s.append(min(self._clock() - begun_s, limit_s))

    def tick(self) -> None:
        """Beat once, or say once that the inference is overdue."""
        was_overdue = self._is_overdue
        self._is_overdue = self._clock() > self._due_s
        if not self._is_overdue:
            self._beat(True)
        elif not was_overdue:
            self.overdue += 1
            self._beat(False)

    def _run(self, ended: threading.Event) -> None:
        self._is_overdue = False
        while not ended.is_set():
            self.tick()
            ended.wait(self._period_s)
