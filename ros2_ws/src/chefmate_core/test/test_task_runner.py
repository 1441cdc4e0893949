"""Tasks run to every kind of end."""

import threading
import time

import numpy as np
import pytest
from policies import Cook, CountingPolicy, observed

from chefmate_core.motion.committed import CommittedMotion
from chefmate_core.policy.engine import EngineTimeoutError, EngineUnreachableError
from chefmate_core.policy.heartbeat import Heartbeat
from chefmate_core.policy.observations import ObservationBuffer, Unobservable
from chefmate_core.policy.protocol import PolicySpec
from chefmate_core.policy.task import Outcome, StopRequest
from chefmate_core.policy.task_runner import TaskRunner


def run(policy, buffer=None, instruction='cook', **options):
    chunks, progress = [], []
    runner = TaskRunner(
        policy, buffer or observed(), chunks.append, progress.append, give_up_s=0.2
    )
    return runner, chunks, progress, lambda: runner.run(instruction, **options)


def test_a_task_runs_until_the_policy_is_done():
    _, chunks, progress, go = run(CountingPolicy(chunks=3))
    result = go()
    assert result.outcome is Outcome.SUCCEEDED
    assert result.chunk_count == len(chunks) == len(progress) == 3


def test_an_unknown_instruction_is_refused_with_the_policys_words():
    _, chunks, _, go = run(CountingPolicy(), instruction='unknown')
    result = go()
    assert (result.outcome, result.reason, chunks) == (Outcome.REFUSED, 'say something else', [])


def test_a_policy_that_breaks_fails_the_task_with_its_reason():
    _, _, _, go = run(CountingPolicy(chunks=9, healthy=2))
    result = go()
    assert (result.outcome, result.reason) == (Outcome.FAILED, 'out of ideas')
    assert result.chunk_count == 2


def test_a_task_that_takes_too_long_is_given_up():
    _, _, _, go = run(CountingPolicy(chunks=10**9), max_duration_s=0.1)
    assert go().outcome is Outcome.TIMED_OUT


def test_blindness_fails_the_task_and_says_what_was_not_seen():
    runner, chunks, _, go = run(CountingPolicy(), buffer=ObservationBuffer([], 0.1))
    result = go()
    assert result.outcome is Outcome.FAILED
    assert 'joint_states: never seen' in result.reason
    assert runner.statistics.unobservable > 0
    assert chunks == []


@pytest.mark.parametrize('outcome', [Outcome.CANCELED, Outcome.PREEMPTED])
def test_a_task_can_be_stopped_from_another_thread(outcome):
    stop = StopRequest()
    _, _, _, go = run(CountingPolicy(chunks=10**9), stop=stop)
    threading.Timer(0.1, stop.set, [outcome]).start()
    assert go().outcome is outcome


def test_a_task_that_was_stopped_before_it_began_moves_nothing():
    stop = StopRequest()
    stop.set(Outcome.PREEMPTED)
    _, chunks, _, go = run(CountingPolicy(), stop=stop)
    assert go().outcome is Outcome.PREEMPTED
    assert chunks == []


@pytest.mark.parametrize(
    ('policy', 'options', 'vouched'),
    [
        (CountingPolicy(chunks=3), {}, True),
        (CountingPolicy(chunks=9, healthy=2), {}, False),
        (CountingPolicy(chunks=10**9), {'max_duration_s': 0.1}, False),
    ],
)
def test_a_task_that_ends_before_its_time_takes_its_chunks_back(policy, options, vouched):
    beats = []
    runner = TaskRunner(
        policy,
        observed(),
        lambda chunk: None,
        lambda progress: None,
        heartbeat=Heartbeat(beats.append, patience_s=60.0),
    )
    runner.run('cook', **options)
    assert beats[0] is True
    assert beats[-1] is vouched


def test_the_instruction_of_a_running_task_can_be_changed_and_an_unknown_one_is_refused():
    said = []
    policy = Cook(chunks=10**9)
    runner = TaskRunner(
        policy,
        observed(),
        lambda chunk: None,
        lambda progress: None,
        on_instruction=lambda *words: said.append(words),
    )
    stop = StopRequest()
    steps = {3: 'unknown', 6: 'clean up'}

    def at_chunk(chunk):
        count = len(policy.observations)
        if count in steps:
            runner.set_instruction(steps[count])
        if count == 9:
            stop.set()

    runner._on_chunk = at_chunk
    result = runner.run('cook', stop=stop)
    assert result.outcome is Outcome.CANCELED
    assert result.chunk_count == 9, 'the task went on'
    assert said == [('cook', ''), ('unknown', 'say something else'), ('clean up', '')]
    seen = [observation.instruction for observation in policy.observations]
    assert seen == ['cook'] * 6 + ['clean up'] * 3


def test_a_wish_from_before_a_task_does_not_change_it():
    policy = Cook(chunks=2)
    runner = TaskRunner(policy, observed(), lambda chunk: None, lambda progress: None)
    runner.set_instruction('clean up')
    runner.run('cook')
    assert policy.instructions == ['cook']


def test_a_busy_engine_is_asked_again():
    policy = Cook(busy=3, chunks=2)
    runner = TaskRunner(policy, observed(), lambda chunk: None, lambda progress: None)
    assert runner.run('cook').outcome is Outcome.SUCCEEDED
    assert runner.statistics.unanswered == 3
    assert runner.statistics.last_unanswered == 'come again'


def test_an_engine_that_does_not_answer_for_long_fails_the_task():
    policy = Cook(busy=10**9)
    runner = TaskRunner(
        policy, observed(), lambda chunk: None, lambda progress: None, unanswered_give_up_s=0.1
    )
    result = runner.run('cook')
    assert (result.outcome, result.reason) == (Outcome.FAILED, 'no answer: come again')


@pytest.mark.parametrize('trouble', [EngineTimeoutError, EngineUnreachableError])
def test_a_server_that_goes_and_comes_back_costs_time_and_not_the_task(trouble):
    policy = Cook(busy=3, chunks=2, trouble=trouble)
    runner = TaskRunner(policy, observed(), lambda chunk: None, lambda progress: None)
    assert runner.run('cook').outcome is Outcome.SUCCEEDED
    assert runner.statistics.unanswered == 3


class Stumbling:
    """Sensors of which one fails at the question of each given number."""

    def __init__(self, fails_at):
        self.buffer, self.fails_at, self.questions = observed(), fails_at, 0

    def observe(self, *question):
        self.questions += 1
        if self.questions in self.fails_at:
            return Unobservable('camera wrist: it stumbled')
        return self.buffer.observe(*question)


def away(policy, sensors, **options):
    """Run a task of a policy whose server is away for its first questions, 20 ms apart."""
    runner = TaskRunner(policy, sensors, lambda chunk: None, lambda progress: None, **options)
    return runner, runner.run('cook', max_duration_s=20.0)


def test_sensors_that_stumble_while_a_server_is_away_have_not_been_blind_for_as_long():
    policy = Cook(busy=20, chunks=2, trouble=EngineUnreachableError)
    runner, result = away(policy, Stumbling({15}), give_up_s=0.1)
    assert (result.outcome, result.reason) == (Outcome.SUCCEEDED, '')
    assert runner.statistics.unobservable == 1


def test_a_server_that_stays_away_fails_the_task_though_sensors_stumble():
    policy = Cook(busy=10**9, trouble=EngineUnreachableError)
    _, result = away(policy, Stumbling(range(2, 10**9, 2)), unanswered_give_up_s=0.2)
    assert (result.outcome, result.reason) == (Outcome.FAILED, 'no answer: come again')


def test_a_policy_that_never_says_done_times_out_with_that_reason():
    spec = PolicySpec('groot', replan_period_s=0.01, says_done=False)
    _, _, _, go = run(CountingPolicy(chunks=10**9, spec=spec), max_duration_s=0.1)
    assert 'groot never says that it is done' in go().reason


@pytest.mark.parametrize(('horizon', 'rows'), [(16, 8), (6, 3), (1, 0)])
def test_no_more_than_half_a_chunk_is_committed_however_slow_the_answers(horizon, rows):
    committed = CommittedMotion()
    now_s = time.time()
    committed.add(now_s - 5.0, np.zeros((300, 6)), 1 / 30)
    policy = Cook(
        chunks=3, spec=PolicySpec('slow', replan_period_s=0.01, horizon=horizon, period_s=1e-4)
    )
    buffer = observed()
    TaskRunner(policy, buffer, lambda chunk: None, lambda progress: None, committed=committed).run(
        'cook'
    )
    found = [
        0 if observation.committed_rad is None else len(observation.committed_rad)
        for observation in policy.observations
    ]
    assert found[-1] == rows
