"""Observations put together by stamps, and tasks run to every kind of end."""

import threading
import time

import numpy as np
import pytest

from chefmate_core.errors import PolicyError, UnknownInstructionError
from chefmate_core.geometry import Pose
from chefmate_core.policy.heartbeat import Heartbeat
from chefmate_core.policy.observations import ObservationBuffer, Unobservable
from chefmate_core.policy.protocol import ActionChunk, PolicySpec
from chefmate_core.policy.task import Outcome, StopRequest
from chefmate_core.policy.task_runner import TaskRunner

EVERYTHING = PolicySpec('test', cameras=('wrist',), needs_objects=True)
JOINTS = (np.zeros(6), np.zeros(6))
IMAGE = np.zeros((4, 4, 3), np.uint8)
POSES = {'patty': Pose(np.zeros(3), np.array([1.0, 0, 0, 0]))}


class CountingPolicy:
    """Moves nothing; done after `chunks` chunks, broken after `healthy`."""

    def __init__(self, chunks=3, healthy=100, spec=None):
        self.spec = spec or PolicySpec('counting', replan_period_s=0.01)
        self.chunks, self.healthy, self.inferences = chunks, healthy, 0

    def reset(self, instruction):
        if instruction == 'unknown':
            raise UnknownInstructionError('say something else')
        self.inferences = 0

    def infer(self, observation):
        self.inferences += 1
        if self.inferences > self.healthy:
            raise PolicyError('out of ideas')
        return ActionChunk(
            observation.stamp_s, np.zeros((16, 6)), done=self.inferences >= self.chunks
        )

    def close(self):
        pass


def observed(max_age_s=10.0):
    buffer = ObservationBuffer(['wrist'], max_age_s)
    buffer.add_joints(time.time(), *JOINTS)
    return buffer


def run(policy, buffer=None, instruction='cook', **options):
    chunks, progress = [], []
    runner = TaskRunner(
        policy, buffer or observed(), chunks.append, progress.append, give_up_s=0.2
    )
    return runner, chunks, progress, lambda: runner.run(instruction, **options)


def test_the_observation_is_of_the_newest_instant_that_every_sensor_has_seen():
    buffer = ObservationBuffer(['wrist'], max_age_s=1.0)
    for index in range(10):
        buffer.add_joints(10.0 + 0.01 * index, np.full(6, index), np.zeros(6))
    buffer.add_image('wrist', 10.042, IMAGE)
    buffer.add_objects(10.08, POSES)
    observation = buffer.observe(10.1, 'cook', EVERYTHING)
    assert observation.stamp_s == pytest.approx(10.04)
    assert np.all(observation.joint_position_rad == 4)
    assert observation.image_stamps_s == {'wrist': 10.042}
    assert observation.objects == POSES


@pytest.mark.parametrize('late', ['joint_states', 'objects', 'camera wrist'])
def test_a_sensor_that_is_old_is_named_and_nothing_is_observed(late):
    buffer = ObservationBuffer(['wrist'], max_age_s=0.2)
    stamps = dict.fromkeys(('joint_states', 'objects', 'camera wrist'), 10.0) | {late: 9.7}
    buffer.add_joints(stamps['joint_states'], *JOINTS)
    buffer.add_objects(stamps['objects'], POSES)
    buffer.add_image('wrist', stamps['camera wrist'], IMAGE)
    observation = buffer.observe(10.0, 'cook', EVERYTHING)
    assert isinstance(observation, Unobservable)
    assert late in observation.reason
    assert '0.30 s old' in observation.reason


def test_a_camera_that_does_not_exist_is_named():
    observation = observed().observe(time.time(), 'cook', PolicySpec('x', cameras=('ceiling',)))
    assert 'ceiling' in observation.reason


def test_after_the_clock_was_set_back_new_samples_are_taken():
    buffer = ObservationBuffer([], max_age_s=0.5)
    buffer.add_joints(5000.0, *JOINTS)
    buffer.add_joints(100.0, *JOINTS)
    assert buffer.observe(100.1, 'cook', PolicySpec('x')).stamp_s == 100.0


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
