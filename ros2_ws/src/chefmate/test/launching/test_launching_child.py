"""The signals that end a process, and the time between them."""

import os
import signal
from types import SimpleNamespace

import pytest

from chefmate.launching import child as child_module
from chefmate.launching.child import Child
from chefmate.launching.process_actions import ProcessSpec

TERM_S, KILL_S = 1.5, 1.0


@pytest.fixture
def clock(monkeypatch):
    """The steady clock, which stands until it is moved."""
    clock = SimpleNamespace(now_s=100.0)
    clock.monotonic = lambda: clock.now_s
    monkeypatch.setattr(child_module, 'time', clock)
    return clock


@pytest.fixture
def stubborn():
    """A process that no signal but SIGKILL ends."""
    spec = ProcessSpec(
        name='stubborn-1',
        cmd=['sh', '-c', 'trap "" INT TERM; echo ready; sleep 60'],
        env=dict(os.environ),
        cwd=None,
        shell=False,
        output='screen',
        sigterm_after_s=TERM_S,
        sigkill_after_s=KILL_S,
        respawn=False,
        respawn_delay_s=0.0,
        respawn_max_retries=0,
    )
    said = []
    child = Child(None, spec, said.append)
    yield child
    child.signal(signal.SIGKILL)
    while not child.ended():
        os.sched_yield()


def test_the_signals_follow_each_other_as_planned(stubborn, clock):
    stubborn.end()
    assert stubborn.escalate() is None
    clock.now_s += TERM_S
    assert stubborn.escalate() == signal.SIGTERM
    assert stubborn.escalate() is None
    clock.now_s += KILL_S
    assert stubborn.escalate() == signal.SIGKILL
    clock.now_s += 1.0
    assert stubborn.escalate() == signal.SIGKILL, 'again: one signal may be lost'


def test_a_launch_that_stood_still_gives_a_process_the_whole_time_to_end(stubborn, clock):
    stubborn.end()
    clock.now_s += 10 * (TERM_S + KILL_S)
    assert stubborn.escalate() == signal.SIGTERM
    assert stubborn.escalate() is None
    clock.now_s += KILL_S
    assert stubborn.escalate() == signal.SIGKILL
