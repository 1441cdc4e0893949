"""Runs a policy on one task: observe, infer, hand the chunk on, until it is done."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from chefmate_core.errors import ChefMateError, UnknownInstructionError
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


class TaskRunner:
    """Runs one task at a time in the calling thread; `stop` ends it from another."""

    def __init__(
        self,
        policy: Policy,
        buffer: ObservationBuffer,
        on_chunk: Callable[[ActionChunk], None],
        on_progress: Callable[[Progress], None],
        wall_clock: Callable[[], float] = time.time,
        give_up_unobservable_s: float = 5.0,
    ) -> None:
        """`wall_clock` is the clock of the observations' stamps, seconds."""
        self.policy = policy
        self.statistics = PolicyStatistics()
        self._buffer = buffer
        self._on_chunk, self._on_progress = on_chunk, on_progress
        self._wall_clock = wall_clock
        self._give_up_s = give_up_unobservable_s
        self._stop = threading.Event()
        self._stop_outcome = Outcome.CANCELED

    def stop(self, outcome: Outcome = Outcome.CANCELED) -> None:
        """End the running task soon."""
        self._stop_outcome = outcome
        self._stop.set()

    def run(self, instruction: str, max_duration_s: float = 0.0) -> TaskResult:
        """Do the task; `max_duration_s` 0: as long as it takes. Errors become the outcome."""
        self._stop.clear()
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
        while not self._stop.is_set():
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
                self._stop.wait(UNOBSERVABLE_RETRY_S)
                continue
            observed_s = cycle_s
            self.statistics.observation_age.add(self._wall_clock() - observation.stamp_s)
            try:
                chunk = self.policy.infer(observation)
            except ChefMateError as error:
                return result(Outcome.FAILED, str(error))
            inference_s = time.monotonic() - cycle_s
            self.statistics.inference.add(inference_s)
            if self._stop.is_set():
                break
            self._on_chunk(chunk)
            chunks += 1
            self._on_progress(Progress(
                chunk.phase, time.monotonic() - start_s,
                self._wall_clock() - chunk.stamp_s, inference_s,
            ))  # fmt: skip
            if chunk.done:
                return result(Outcome.SUCCEEDED, chunk.phase)
            self._stop.wait(max(0.0, spec.replan_period_s - inference_s))
        return result(self._stop_outcome, f'{self._stop_outcome.lower()} while running')
