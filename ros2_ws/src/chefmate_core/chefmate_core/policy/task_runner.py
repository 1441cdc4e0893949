"""Runs a policy on one task: observe, infer, hand the chunk on, until it is done."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from chefmate_core.errors import ChefMateError, UnknownInstructionError
from chefmate_core.policy.heartbeat import Heartbeat
from chefmate_core.policy.observations import ObservationBuffer, Unobservable
from chefmate_core.policy.protocol import ActionChunk, Policy
from chefmate_core.timing import Durations

UNOBSERVABLE_RETRY_S = 0.02


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


@dataclass
class PolicyStatistics:
    """Over all tasks of a policy."""

    inference: Durations = field(default_factory=Durations)
    observation_age: Durations = field(default_factory=Durations)
    unobservable: int = 0
    last_unobservable: str = ''


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


class TaskRunner:
    """Runs one task at a time, in the calling thread."""

    def __init__(
        self,
        policy: Policy,
        buffer: ObservationBuffer,
        on_chunk: Callable[[ActionChunk], None],
        on_progress: Callable[[Progress], None],
        wall_clock: Callable[[], float] = time.time,
        give_up_unobservable_s: float = 5.0,
        heartbeat: Heartbeat | None = None,
    ) -> None:
        """`wall_clock` is the clock of the observations' stamps, seconds."""
        self.policy = policy
        self.statistics = PolicyStatistics()
        self._buffer = buffer
        self._on_chunk, self._on_progress = on_chunk, on_progress
        self._wall_clock = wall_clock
        self._give_up_s = give_up_unobservable_s
        self.heartbeat = heartbeat or Heartbeat(lambda alive: None)

    def run(
        self, instruction: str, max_duration_s: float = 0.0, stop: StopRequest | None = None
    ) -> TaskResult:
        """Do the task; `max_duration_s` 0: as long as it takes. Errors become the outcome."""
        stays_in_force = False
        try:
            with self.heartbeat.task():
                result = self._run(instruction, max_duration_s, stop or StopRequest())
            # A last chunk is played to its end; a new task's chunks join the old one's.
            stays_in_force = result.outcome in (Outcome.SUCCEEDED, Outcome.PREEMPTED)
        finally:
            if not stays_in_force:
                self.heartbeat.withdraw()
        return result

    def _run(self, instruction: str, max_duration_s: float, stop: StopRequest) -> TaskResult:
        start_s = time.monotonic()
        chunks = 0

        def result(outcome: Outcome, reason: str) -> TaskResult:
            return TaskResult(outcome, reason, time.monotonic() - start_s, chunks)

        try:
            self.policy.reset(instruction)
        except UnknownInstructionError as error:
            return result(Outcome.REFUSED, str(error))
        except ChefMateError as error:
            return result(Outcome.FAILED, str(error))
        observed_s = start_s
        while not stop.is_set():
            cycle_s = time.monotonic()
            if max_duration_s > 0.0 and cycle_s - start_s > max_duration_s:
                return result(Outcome.TIMED_OUT, f'not done after {max_duration_s:g} s')
            spec = self.policy.spec
            observation = self._buffer.observe(self._wall_clock(), instruction, spec)
            if isinstance(observation, Unobservable):
                self.statistics.unobservable += 1
                self.statistics.last_unobservable = observation.reason
                if cycle_s - observed_s > self._give_up_s:
                    return result(Outcome.FAILED, f'no observation: {observation.reason}')
                stop.wait(UNOBSERVABLE_RETRY_S)
                continue
            observed_s = cycle_s
            self.statistics.observation_age.add(self._wall_clock() - observation.stamp_s)
            try:
                with self.heartbeat.inference():
                    chunk = self.policy.infer(observation)
            except ChefMateError as error:
                return result(Outcome.FAILED, str(error))
            inference_s = time.monotonic() - cycle_s
            self.statistics.inference.add(inference_s)
            if stop.is_set():
                break
            self._on_chunk(chunk)
            chunks += 1
            self._on_progress(Progress(
                chunk.phase, time.monotonic() - start_s,
                self._wall_clock() - chunk.stamp_s, inference_s,
            ))  # fmt: skip
            if chunk.done:
                return result(Outcome.SUCCEEDED, chunk.phase)
            stop.wait(max(0.0, spec.replan_period_s - inference_s))
        return result(stop.outcome, f'{stop.outcome.lower()} before it was done')
