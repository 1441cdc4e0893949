"""Runs a policy on one task: observe, infer, hand the chunk on, until it is done."""

import math
import time
from collections.abc import Callable
from dataclasses import replace

from chefmate_core.errors import ChefMateError, PolicyError, UnknownInstructionError
from chefmate_core.motion.committed import CommittedMotion
from chefmate_core.policy.engine import EngineBusyError, EngineTimeoutError, EngineUnreachableError
from chefmate_core.policy.heartbeat import Heartbeat
from chefmate_core.policy.observations import ObservationBuffer, Unobservable
from chefmate_core.policy.protocol import ActionChunk, Observation, Policy, PolicySpec
from chefmate_core.policy.statistics import PolicyStatistics
from chefmate_core.policy.task import Outcome, Progress, StopRequest, TaskResult

RETRY_S = 0.02
MOST_COMMITTED = 0.5  # of a chunk: a policy must have something left to say


class _Patience:
    """How long one kind of trouble may last: from where it begins until it is over."""

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._since_s: float | None = None

    def ends(self, begun_s: float, now_s: float) -> bool:
        """Whether trouble that began at `begun_s`, if it is new, has lasted for too long."""
        if self._since_s is None:
            self._since_s = begun_s
        return now_s - self._since_s > self._limit_s

    def renew(self) -> None:
        """The trouble is over."""
        self._since_s = None


class TaskRunner:
    """Runs one task at a time, in the calling thread."""

    def __init__(
        self,
        policy: Policy,
        buffer: ObservationBuffer,
        on_chunk: Callable[[ActionChunk], None],
        on_progress: Callable[[Progress], None],
        wall_clock: Callable[[], float] = time.time,
        give_up_s: float = 5.0,
        unanswered_give_up_s: float = 60.0,
        heartbeat: Heartbeat | None = None,
        committed: CommittedMotion | None = None,
        on_instruction: Callable[[str, str], None] = lambda instruction, refusal: None,
    ) -> None:
        """Make a runner.

        Args:
            wall_clock: the clock of the observations' stamps, seconds.
            give_up_s: a task fails after so long without an observation.
            unanswered_give_up_s: and after so long without an answer: a policy's host may be
                started again, or drop off the network; the arm stands meanwhile.
            committed: what the executor says that it will play.
            on_instruction: told each instruction that comes into force, and each wish for another
                one that the policy refuses, with its words.
        """
        self.policy = policy
        self.statistics = PolicyStatistics()
        self._buffer = buffer
        self._on_chunk, self._on_progress = on_chunk, on_progress
        self._on_instruction = on_instruction
        self._wall_clock = wall_clock
        self._give_up_s, self._unanswered_give_up_s = give_up_s, unanswered_give_up_s
        self.heartbeat = heartbeat or Heartbeat(lambda alive: None)
        self._committed = committed or CommittedMotion()
        self._instruction = ''
        self._wanted_instruction: str | None = None

    def set_instruction(self, instruction: str) -> None:
        """Change what the running task is to do, from any thread, with its next chunk."""
        self._wanted_instruction = instruction

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

        self._wanted_instruction = None
        try:
            self._begin(instruction)
        except UnknownInstructionError as error:
            return result(Outcome.REFUSED, str(error))
        except ChefMateError as error:
            return result(Outcome.FAILED, str(error))
        # Each counts for itself: a camera that stumbles once while the policy's host is started
        # again has not been blind for as long as that takes.
        blind, unanswered = _Patience(self._give_up_s), _Patience(self._unanswered_give_up_s)
        while not stop.is_set():
            cycle_s = time.monotonic()
            spec = self.policy.spec
            if max_duration_s > 0.0 and cycle_s - start_s > max_duration_s:
                unsaid = '' if spec.says_done else f'; {spec.name} never says that it is done'
                return result(Outcome.TIMED_OUT, f'not done after {max_duration_s:g} s{unsaid}')
            self._change_instruction()
            observation = self._buffer.observe(self._wall_clock(), self._instruction, spec)
            if isinstance(observation, Unobservable):
                self.statistics.unobservable += 1
                self.statistics.last_unobservable = observation.reason
                if blind.ends(cycle_s, cycle_s):
                    return result(Outcome.FAILED, f'no observation: {observation.reason}')
                stop.wait(RETRY_S)
                continue
            blind.renew()
            observation = self._with_committed(observation, spec)
            try:
                with self.heartbeat.inference():
                    chunk = self.policy.infer(observation)
            except (EngineBusyError, EngineTimeoutError, EngineUnreachableError) as error:
                self.statistics.unanswered += 1
                self.statistics.last_unanswered = str(error)
                if unanswered.ends(cycle_s, time.monotonic()):
                    return result(Outcome.FAILED, f'no answer: {error}')
                stop.wait(RETRY_S)
                continue
            except ChefMateError as error:
                return result(Outcome.FAILED, str(error))
            unanswered.renew()
            inference_s = time.monotonic() - cycle_s
            self.statistics.add(chunk, inference_s)
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

    def _begin(self, instruction: str) -> None:
        self.policy.reset(instruction)
        self._instruction = instruction
        self._on_instruction(instruction, '')

    def _change_instruction(self) -> None:
        """Take a new instruction, or go on with the old one and say why."""
        wanted, self._wanted_instruction = self._wanted_instruction, None
        if wanted is None or wanted == self._instruction:
            return
        try:
            self._begin(wanted)
        except PolicyError as error:
            self._on_instruction(wanted, str(error))

    def _with_committed(self, observation: Observation, spec: PolicySpec) -> Observation:
        """Add what will be played until the answer comes, as far as that is known."""
        age_s = self._wall_clock() - observation.stamp_s
        self.statistics.observation_age.add(age_s)
        latency_s = max(age_s, 0.0) + self.statistics.expected_inference_s()
        rows = math.ceil(latency_s * observation.speed / spec.period_s)
        rows = min(rows, int(MOST_COMMITTED * spec.horizon))
        # Row i of a chunk is played i periods after the observation, slower while the arm is.
        return replace(
            observation,
            committed_rad=self._committed.rows(
                observation.stamp_s, rows, spec.period_s / observation.speed
            ),
        )
