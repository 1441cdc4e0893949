"""Keys move joints while they are held, and a dead terminal moves nothing."""

import numpy as np
import pytest
from gate_bench import assert_within_caps
from teleop_bench import JogRig

from chefmate_core.errors import ConfigurationError
from chefmate_core.safety.gate import Mode
from chefmate_core.teleop.jog import JogConfig, JogRefusal

ELBOW = 2


@pytest.fixture
def rig():
    return JogRig(0.2)


def test_a_held_key_moves_its_joint_alone_and_at_its_speed(rig):
    rig.hold(['elbow_flex'], [0.4], seconds=1.5)
    moved = rig.position - 0.2
    assert moved[ELBOW] == pytest.approx(0.4 * 1.5, abs=0.05)
    assert np.delete(moved, ELBOW) == pytest.approx(np.zeros(5), abs=1e-9)
    assert_within_caps(rig.bench.trace)


def test_a_dead_terminal_stops_the_arm(rig):
    rig.hold(['elbow_flex'], [0.4], seconds=0.6)
    died_at = rig.position[ELBOW]
    rig.run(100)
    # for the key's timeout, and to brake
    assert rig.position[ELBOW] - died_at < 0.4 * (0.15 + 0.06)
    stood = rig.position.copy()
    rig.run(100)
    assert rig.position == pytest.approx(stood, abs=1e-12)
    assert rig.gate.mode is Mode.HOLDING
    assert rig.gate.counters['starvations'] == 0, 'a stand that was meant is none'


def test_a_key_that_is_let_go_stops_the_arm_at_once_and_not_at_a_timeout(rig):
    rig.hold(['elbow_flex'], [0.4], seconds=0.6)
    let_go = rig.position[ELBOW]
    rig.press([], [])
    rig.run(50)
    assert rig.position[ELBOW] - let_go < 0.04


def test_at_the_end_of_its_range_a_joint_stands(rig):
    rig.hold(['gripper'], [1.5], seconds=2.5)
    assert rig.position[5] == pytest.approx(1.74533 - 0.01, abs=1e-6)
    assert rig.gate.counters['clamped_to_limits'] == 0
    assert_within_caps(rig.bench.trace)


def test_a_speed_beyond_the_gates_is_limited(rig):
    rig.hold(['elbow_flex'], [50.0], seconds=0.5)
    assert_within_caps(rig.bench.trace)
    assert rig.gate.counters['refused_absurd'] == 0


@pytest.mark.parametrize(
    ('names', 'velocities', 'refusal'),
    [
        (['elbow'], [0.1], JogRefusal.MALFORMED),
        (['elbow_flex', 'elbow_flex'], [0.1, 0.1], JogRefusal.MALFORMED),
        (['elbow_flex'], [], JogRefusal.MALFORMED),
        (['elbow_flex'], [float('nan')], JogRefusal.NOT_FINITE),
        (['elbow_flex'], [float('inf')], JogRefusal.NOT_FINITE),
    ],
)
def test_nonsense_is_refused_and_counted_and_moves_nothing(rig, names, velocities, refusal):
    assert rig.press(names, velocities) is refusal
    rig.run(20)
    assert rig.commands == []
    assert rig.teleop.counters[refusal] == 1


@pytest.mark.parametrize('age_s', [JogConfig().key_timeout_s + 0.001, 60.0, float('nan')])
def test_a_key_that_was_pressed_too_long_ago_moves_nothing(rig, age_s):
    assert rig.press(['elbow_flex'], [0.3], age_s) is JogRefusal.STALE
    rig.run(20)
    assert rig.commands == []


def test_a_key_counts_from_when_it_was_pressed(rig):
    rig.hold(['elbow_flex'], [0.4], seconds=0.6)
    before = rig.position[ELBOW]
    assert rig.press(['elbow_flex'], [0.4], age_s=JogConfig().key_timeout_s - 0.02) is None
    rig.run(100)
    assert rig.position[ELBOW] - before < 0.4 * (0.02 + 0.06)  # and to brake


def test_a_paused_clutch_moves_nothing(rig):
    rig.clutch.set(False)
    rig.hold(['elbow_flex'], [0.4], seconds=0.5)
    assert rig.commands == []


def test_keys_begin_where_the_arm_is_held_whoever_moved_it_there(rig):
    rig.hold(['elbow_flex'], [0.4], seconds=0.5)
    rig.run(60)
    rig.bench.stream(lambda _: np.full(6, 0.5), seconds=2.0, source='policy')
    rig.bench.step(60)
    rig.tell()
    rig.hold(['wrist_roll'], [0.2], seconds=0.5)
    assert np.delete(rig.position, 4) == pytest.approx(np.full(5, 0.5), abs=1e-6)


@pytest.mark.parametrize('timeout_s', [0.0, 5.0, float('nan')])
def test_a_timeout_that_would_not_stop_the_arm_is_refused(timeout_s):
    with pytest.raises(ConfigurationError, match='key_timeout_s'):
        JogConfig(key_timeout_s=timeout_s)
