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
    while not said:  # it has set its trap
        for stream in child.streams:
            child.read(stream)
    yield child
    child.signal(signal.SIGKILL)
    while not child.ended():
        os.sched_yield()


def sent(child, clock, seconds):
    """Look at it every 50 ms for so long; return the signals that were sent."""
    signals = []
    for _ in range(round(seconds / 0.05)):
        clock.now_s += 0.05
        signals.append(child.escalate())
    return [number for number in signals if number is not None]


def test_the_signals_follow_each_other_as_planned(stubborn, clock):
    stubborn.end()
    assert sent(stubborn, clock, TERM_S - 0.1) == []
    assert sent(stubborn, clock, 0.2) == [signal.SIGTERM]
    assert sent(stubborn, clock, KILL_S - 0.2) == []
    assert not stubborn.ended(), 'it is stubborn'
    assert sent(stubborn, clock, 0.2) == [signal.SIGKILL]
    assert sent(stubborn, clock, 1.1) == [signal.SIGKILL], 'again: one signal may be lost'


def test_a_launch_that_stood_still_gives_a_process_the_whole_time_to_end(stubborn, clock):
    stubborn.end()
    clock.now_s += 10 * (TERM_S + KILL_S)
    assert sent(stubborn, clock, TERM_S - 0.5) == []
    assert sent(stubborn, clock, 0.5) == [signal.SIGTERM]
    clock.now_s += 10 * KILL_S
    assert sent(stubborn, clock, KILL_S - 0.5) == []
    assert sent(stubborn, clock, 0.5) == [signal.SIGKILL]
