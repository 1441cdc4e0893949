"""A policy's heartbeat: it beats while all is well and says when it is not."""

import contextlib
import threading

import pytest

from chefmate_core.errors import PolicyError
from chefmate_core.policy.heartbeat import Heartbeat


class Clock:
    """Seconds that pass when told to."""

    def __init__(self):
        self.now_s = 100.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def beats():
    return []


@pytest.fixture
def heart(clock, beats):
    return Heartbeat(beats.append, patience_s=0.1, clock=clock)


def infer(heart, clock, seconds):
    """One inference that takes so long, with a tick every 10 ms."""
    with heart.inference():
        for _ in range(round(seconds / 0.01)):
            clock.now_s += 0.01
            heart.tick()


def test_it_beats_while_inferences_are_on_time(heart, clock, beats):
    for _ in range(10):
        infer(heart, clock, 0.08)
    assert len(beats) == 80
    assert all(beats)
    assert heart.overdue == 0


def test_an_inference_that_never_returns_is_told_once_and_then_there_is_silence(
    heart, clock, beats
):
    infer(heart, clock, 0.02)
    infer(heart, clock, 0.02)
    beats.clear()
    with heart.inference():
        for _ in range(100):
            clock.now_s += 0.01
            heart.tick()
        assert beats.count(False) == 1
        assert beats[-1] is False
        assert 9 <= beats.count(True) <= 11, 'it beat until its patience ended'
    assert heart.overdue == 1


def test_it_beats_again_when_a_late_inference_has_returned(heart, clock, beats):
    infer(heart, clock, 0.02)
    infer(heart, clock, 0.02)
    infer(heart, clock, 0.3)
    heart.tick()
    assert beats[-1] is True


def test_the_first_inference_may_take_as_long_as_it_needs(heart, clock, beats):
    infer(heart, clock, 20.0)
    assert all(beats)


def test_a_hang_of_the_second_inference_is_noticed_before_a_chunk_has_run_out(heart, clock, beats):
    infer(heart, clock, 20.0)
    infer(heart, clock, 0.53)
    assert beats[-1] is False


def test_a_policy_that_needs_150_ms_is_never_overdue(heart, clock, beats):
    for index in range(50):
        infer(heart, clock, 0.15 + 0.05 * (index % 3))
    assert all(beats)


def test_a_policy_that_has_become_slow_is_overdue_only_until_that_is_known(heart, clock, beats):
    for _ in range(5):
        infer(heart, clock, 0.05)
    for _ in range(20):
        infer(heart, clock, 0.3)
    assert heart.overdue <= 3


def test_one_that_was_stopped_for_a_minute_gets_no_minute_for_the_next(heart, clock):
    infer(heart, clock, 0.02)
    infer(heart, clock, 0.02)
    infer(heart, clock, 60.0)
    assert heart.limit_s <= 0.2


def test_questions_that_fail_at_once_do_not_make_a_good_answer_late(heart, clock, beats):
    for _ in range(5):
        infer(heart, clock, 0.3)
    limit_s = heart.limit_s
    for _ in range(30):  # its server is started again: nobody listens
        with contextlib.suppress(PolicyError), heart.inference():
            raise PolicyError('nobody listens')
    assert heart.limit_s == limit_s
    infer(heart, clock, 0.3)
    assert heart.overdue == 0 and all(beats)


def test_the_first_answer_may_take_as_long_as_it_needs_after_questions_that_failed(heart, clock):
    with contextlib.suppress(PolicyError), heart.inference():
        raise PolicyError('nobody listens')
    infer(heart, clock, 5.0)
    assert heart.overdue == 0


def test_in_a_task_it_beats_by_itself_and_afterwards_no_more():
    beats, enough = [], threading.Event()

    def beat(alive):
        beats.append(alive)
        if len(beats) >= 5:
            enough.set()

    heart = Heartbeat(beat, period_s=0.001)
    with heart.task():
        assert enough.wait(30.0)
    assert all(beats)
    assert 'heartbeat' not in {thread.name for thread in threading.enumerate()}
