"""Policies loaded in a thread: progress, failure, a change of mind."""

import threading
import time

import pytest

from chefmate_core.policy.loading import PolicyLoading
from chefmate_core.policy.registry import PolicyContext

MODULE = """
import time
from chefmate_core.errors import PolicyError
from policies import CountingPolicy

made = []

class Slow(CountingPolicy):
    is_closed = False

    def close(self):
        self.is_closed = True

def make(context, release=None, failure=''):
    context.tell('reading weights')
    if release is not None:
        context.tell('waiting')
        waiting.wait(10.0)
    if failure == 'own':
        raise PolicyError('no such weights')
    if failure:
        raise KeyError(failure)
    made.append(Slow())
    made[-1].context = context
    return made[-1]

import threading
waiting = threading.Event()
"""


@pytest.fixture
def slow(tmp_path, monkeypatch):
    """The module of an installed policy `slow`."""
    name = f'slow_{tmp_path.name}'.replace('-', '_')
    (tmp_path / f'{name}.py').write_text(MODULE)
    info = tmp_path / 'slow-1.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text('Name: slow\nVersion: 1\n')
    (info / 'entry_points.txt').write_text(f'[chefmate.policies]\nslow = {name}:make\n')
    monkeypatch.syspath_prepend(tmp_path)
    return __import__(name)


def wait_until(condition):
    end_s = time.monotonic() + 20.0
    while not condition():
        assert time.monotonic() < end_s
        time.sleep(0.005)


def test_a_policy_is_loaded_while_others_go_on_and_says_what_it_does(slow):
    told = []
    context = PolicyContext('follower.json', ('wrist',))
    loading = PolicyLoading('slow', '{"release": true}', context, told.append)
    wait_until(lambda: loading.what == 'waiting')
    assert not loading.is_done
    assert loading.take() is None
    slow.waiting.set()
    wait_until(lambda: loading.is_done)
    policy = loading.take()
    assert told == ['reading weights', 'waiting']
    assert policy.context.calibration_path == 'follower.json'
    assert not loading.failure
    assert loading.take() is None, 'it belongs to one'


@pytest.mark.parametrize(
    ('failure', 'expected'), [('own', 'no such weights'), ('weights', "KeyError: 'weights'")]
)
def test_a_failure_says_why(slow, failure, expected):
    loading = PolicyLoading(
        'slow', f'{{"failure": "{failure}"}}', PolicyContext(), lambda text: None
    )
    wait_until(lambda: loading.is_done)
    assert loading.take() is None
    assert loading.failure == expected


def test_an_unknown_option_says_so(slow):
    loading = PolicyLoading('slow', '{"sped": 1}', PolicyContext(), lambda text: None)
    wait_until(lambda: loading.is_done)
    assert 'sped' in loading.failure


def test_a_policy_that_nobody_wants_any_more_is_closed_when_it_is_loaded(slow):
    loading = PolicyLoading('slow', '{"release": true}', PolicyContext(), lambda text: None)
    wait_until(lambda: loading.what == 'waiting')
    loading.abandon()
    threading.Timer(0.05, slow.waiting.set).start()
    wait_until(lambda: loading.is_done)
    assert loading.take() is None
    assert slow.made[0].is_closed


def test_a_policy_that_is_loaded_and_not_taken_is_closed_with_its_loading(slow):
    loading = PolicyLoading('slow', '{}', PolicyContext(), lambda text: None)
    wait_until(lambda: loading.is_done)
    loading.abandon()
    assert slow.made[0].is_closed
