"""Real-time set-up: what is granted works, what is refused says why. Each in a process of its own.

Refusals are real ones: the process gives up its privileges first. Grants are tried where this
machine allows them.
"""

import json
import os
import resource
import subprocess
import sys
import threading

import pytest

from chefmate_core.errors import ConfigurationError
from chefmate_core.realtime import (
    RealtimeConfig,
    fifo_priority_allowed,
    judge_memory_limit,
    make_realtime,
    memory_lock_refusal,
)

NOBODY = 65534
UNPRIVILEGED = f"""
import os, resource
resource.setrlimit(resource.RLIMIT_MEMLOCK, (8 << 20, 8 << 20))
resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0))
if os.geteuid() == 0:
    os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})
"""
SET_UP = """
import json, os, sys
from chefmate_core.realtime import RealtimeConfig, make_realtime
LIMITS
report = make_realtime(RealtimeConfig(CONFIG))
blob = bytearray(64 << 20)  # dies here if memory was locked that may not be locked
print(json.dumps({
    'granted': report.granted,
    'measures': {m.name: [m.granted, m.found, m.advice] for m in report.measures},
    'values': report.as_dict(),
    'policy': os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK,
    'priority': os.sched_getparam(0).sched_priority,
}))
"""


def set_up(config='', limits=''):
    """Return what the set-up of a new process says."""
    code = SET_UP.replace('LIMITS', limits).replace('CONFIG', config)
    result = subprocess.run(
        [sys.executable, '-c', code], capture_output=True, text=True, check=True, timeout=60
    )
    return json.loads(result.stdout)


def may(priority=1):
    """Whether this machine lets its tests use real-time scheduling."""
    policy, parameter = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(priority))
        os.sched_setscheduler(0, policy, parameter)
    except PermissionError:
        return False
    return True


needs_fifo = pytest.mark.skipif(not may(), reason='this machine allows no SCHED_FIFO')
needs_memory = pytest.mark.skipif(
    memory_lock_refusal() != '', reason='this machine allows no locked memory'
)


def test_without_permission_it_runs_on_and_says_what_to_do():
    said = set_up(limits=UNPRIVILEGED)
    assert said['granted'] is False
    for name, words in (('scheduler', 'rtprio 50'), ('memory', 'memlock unlimited')):
        granted, _, advice = said['measures'][name]
        assert granted is False
        assert words in advice
        assert said['values'][f'realtime_{name}'].startswith('refused: ')
        assert words in said['values'][f'realtime_{name}']
    assert '8 MiB' in said['measures']['memory'][1]
    assert said['policy'] == os.SCHED_OTHER


def test_what_needs_no_permission_is_granted_without_any():
    measures = set_up(limits=UNPRIVILEGED)['measures']
    assert measures['timer'] == [True, 'timer slack 1 us', '']
    assert measures['switching'] == [True, 'Python threads switch after 0.5 ms', '']


@needs_fifo
def test_a_user_with_a_lower_limit_gets_that_priority_and_is_told(monkeypatch):
    monkeypatch.setattr('chefmate_core.realtime.fifo_priority_allowed', lambda: 20)
    found = {}

    def work():
        report = make_realtime(RealtimeConfig(lock_memory=False))
        found['priority'] = os.sched_getparam(0).sched_priority
        found['said'] = report.as_dict()['realtime_scheduler']
        report.undo()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == {'priority': 20, 'said': 'SCHED_FIFO 20 (50 asked for, no more is allowed)'}


@needs_fifo
def test_with_permission_the_thread_is_scheduled_first():
    said = set_up('priority=7')
    assert said['measures']['scheduler'] == [True, 'SCHED_FIFO 7', '']
    assert (said['policy'], said['priority']) == (os.SCHED_FIFO, 7)


@needs_memory
def test_with_permission_memory_is_locked():
    assert set_up()['measures']['memory'] == [True, 'memory locked', '']


def test_nothing_asked_for_is_nothing_done():
    nothing = 'lock_memory=False, timer_slack_ns=0, switch_interval_s=0.0'
    said = set_up(f'priority=0, {nothing}')
    assert said['granted'] is True
    assert said['measures'] == {}


@pytest.mark.parametrize(
    ('limit_bytes', 'capable', 'is_refused'),
    [
        (8 << 20, False, True),
        (16 << 30, False, True),  # enough today: an allocation of tomorrow would end the process
        (0, False, True),
        (8 << 20, True, False),
        (resource.RLIM_INFINITY, False, False),
    ],
)
def test_a_limit_on_locked_memory_is_refused_before_it_can_kill(limit_bytes, capable, is_refused):
    assert bool(judge_memory_limit(limit_bytes, capable)) is is_refused


def test_a_limit_on_the_priority_is_known_beforehand(monkeypatch):
    monkeypatch.setattr('chefmate_core.realtime._has_capability', lambda number: False)
    for limit, allowed in ((0, 0), (30, 30), (120, 99), (resource.RLIM_INFINITY, 99)):
        monkeypatch.setattr(resource, 'getrlimit', lambda which, limit=limit: (limit, limit))
        assert fifo_priority_allowed() == allowed


@needs_fifo
def test_everything_can_be_put_back():
    before = {}
    after = {}
    cpus = tuple(sorted(os.sched_getaffinity(0))[:1])

    def state():
        return (
            os.sched_getscheduler(0),
            os.sched_getparam(0).sched_priority,
            os.sched_getaffinity(0),
            sys.getswitchinterval(),
        )

    def work():
        before['state'] = state()
        report = make_realtime(RealtimeConfig(cpus=cpus, lock_memory=False))
        before['meanwhile'] = state()
        report.undo()
        after['state'] = state()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert before['meanwhile'] != before['state']
    assert before['meanwhile'][2] == set(cpus)
    assert after['state'] == before['state']


def others_while_set_up(config):
    """Return the policies of another thread before, during and after a set-up."""
    policies, done = [], threading.Event()
    other = threading.Thread(target=done.wait)
    other.start()

    def work():
        for step in (lambda: None, lambda: reports.append(make_realtime(config)), undo):
            step()
            policies.append(os.sched_getscheduler(other.native_id))

    reports = []

    def undo():
        reports[0].undo()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    done.set()
    other.join()
    return policies


@needs_fifo
def test_the_other_threads_of_the_process_come_before_other_programs():
    config = RealtimeConfig(lock_memory=False)
    assert others_while_set_up(config) == [os.SCHED_OTHER, os.SCHED_FIFO, os.SCHED_OTHER]


@needs_fifo
def test_other_threads_are_left_alone_when_asked_to():
    config = RealtimeConfig(lock_memory=False, others_priority=0)
    assert others_while_set_up(config) == [os.SCHED_OTHER] * 3


@pytest.mark.parametrize(
    'wrong',
    [
        {'priority': 100},
        {'priority': -1},
        {'priority': True},
        {'others_priority': 50},
        {'priority': 3, 'others_priority': 4},
        {'timer_slack_ns': -1},
        {'switch_interval_s': float('nan')},
        {'cpus': (4096,)},
    ],
)
def test_nonsense_is_refused_before_anything_is_done(wrong):
    with pytest.raises(ConfigurationError, match=list(wrong)[-1]):
        RealtimeConfig(**wrong)
