"""What the gate takes and what it refuses, and when it takes anything at all."""

import math

import numpy as np
import pytest
from gate_bench import CONFIG, PERIOD_S, WALL_S, Bench

from chefmate_core.errors import ConfigurationError
from chefmate_core.joints import JOINT_NAMES, LOWER_LIMITS_RAD, UPPER_LIMITS_RAD
from chefmate_core.safety.command import Command, Refusal
from chefmate_core.safety.config import config_from_mapping, load_preset
from chefmate_core.safety.gate import Mode, SafetyGate


def test_unknown_presets_and_wrong_values_are_named():
    with pytest.raises(ConfigurationError, match='careful'):
        load_preset('reckless')
    with pytest.raises(ConfigurationError, match='missing keys'):
        config_from_mapping({'speed': 1}, 'here')


@pytest.mark.parametrize('seed', [[0.0] * 5, [math.nan] * 6])
def test_a_failed_read_never_seeds_the_gate(seed):
    gate = SafetyGate(CONFIG, LOWER_LIMITS_RAD, UPPER_LIMITS_RAD, PERIOD_S)
    with pytest.raises(ConfigurationError, match='finite'):
        gate.activate(seed, 0.0)
    assert gate.mode is Mode.INACTIVE


def test_before_activation_commands_are_refused_and_there_is_no_setpoint():
    gate = SafetyGate(CONFIG, LOWER_LIMITS_RAD, UPPER_LIMITS_RAD, PERIOD_S)
    assert gate.command(Command(JOINT_NAMES, [0.0] * 6, 0.0), 0.0, 0.0) is Refusal.INACTIVE
    with pytest.raises(ConfigurationError):
        gate.step(np.zeros(6), 0.0)


@pytest.mark.parametrize('rubbish', [math.nan, math.inf, -math.inf])
def test_a_value_that_is_not_finite_is_refused_and_counted(rubbish):
    bench = Bench()
    assert bench.send([0.1] * 5 + [rubbish]) is Refusal.NOT_FINITE
    assert bench.gate.counters[Refusal.NOT_FINITE] == 1
    assert np.all(bench.step(50).position_rad == 0.0)


@pytest.mark.parametrize(
    ('names', 'positions', 'refusal'),
    [
        ((), (), Refusal.EMPTY),
        (JOINT_NAMES, [0.0] * 5, Refusal.LENGTH),
        (('elbow',), [0.0], Refusal.UNKNOWN_NAME),
        (('gripper', 'gripper'), [0.0, 0.1], Refusal.REPEATED_NAME),
    ],
)
def test_a_malformed_command_is_refused_by_name(names, positions, refusal):
    assert Bench().send(positions, names=names) is refusal


def test_a_command_older_than_the_timeout_or_from_the_future_is_refused():
    bench = Bench()
    assert bench.send([0.1] * 6, age_s=0.21) is Refusal.STALE
    assert bench.send([0.1] * 6, age_s=-0.06) is Refusal.FUTURE
    assert bench.send([0.1] * 6, age_s=0.19) is None


def test_a_repeated_or_older_stamp_of_the_same_source_is_refused():
    bench = Bench()
    assert bench.send([0.1] * 6) is None
    assert bench.send([0.1] * 6) is Refusal.OUT_OF_ORDER
    assert bench.send([0.1] * 6, age_s=0.01) is Refusal.OUT_OF_ORDER


def test_after_the_senders_clock_jumped_back_its_commands_are_taken_again():
    bench = Bench()
    assert bench.send([0.0] * 6) is None
    jumped = WALL_S - 3600.0
    for _ in range(30):
        bench.step()
        clock_s = jumped + bench.now_s
        refusal = bench.gate.command(
            Command(JOINT_NAMES, [0.0] * 6, clock_s), clock_s, bench.now_s
        )
    assert refusal is None


def test_names_may_come_in_any_order_and_in_part():
    bench = Bench()
    bench.stream(lambda t: [0.3] * 6, 3.0)
    for _ in range(300):
        assert bench.send([0.2, 0.1], names=('gripper', 'shoulder_pan')) is None
        bench.step()
    assert bench.position == pytest.approx([0.1, 0.3, 0.3, 0.3, 0.3, 0.2], abs=1e-6)


def test_a_target_outside_the_limits_is_clamped_with_the_margin():
    bench = Bench()
    bench.stream(lambda t: [1e300] * 6, 10.0)
    upper = UPPER_LIMITS_RAD - CONFIG.limit_margin_rad
    assert bench.position == pytest.approx(upper, abs=1e-9)
    assert np.all(bench.position <= upper)
    assert bench.gate.counters['clamped_to_limits'] > 0


def test_an_absurd_command_is_refused_and_the_arm_holds():
    bench = Bench()
    bench.stream(lambda t: [0.3] * 6, 2.0)
    before = bench.position
    assert bench.send([-1.2] * 5 + [0.3]) is Refusal.ABSURD
    assert bench.step(50).mode is Mode.HOLDING
    assert bench.position == pytest.approx(before, abs=0.02)


def test_a_source_that_repeats_an_absurd_command_is_refused_every_time():
    bench = Bench()
    bench.stream(lambda t: [0.3] * 6, 2.0)
    before = bench.position
    for _ in range(100):
        assert bench.send([-1.2] * 5 + [0.3]) is Refusal.ABSURD
        bench.step()
    assert np.max(np.abs(bench.position - before)) < 0.01
    assert bench.gate.counters[Refusal.ABSURD] == 100
    assert bench.send([0.25] * 6) is None, 'sane again'
    assert bench.gate.mode is Mode.BLENDING


def test_after_a_pause_a_source_that_was_absurd_is_approached_like_any_other():
    bench = Bench()
    bench.stream(lambda t: [0.3] * 6, 2.0)
    assert bench.send([-1.2] * 5 + [0.3]) is Refusal.ABSURD
    bench.step(30)
    assert bench.send([-1.2] * 5 + [0.3]) is None
    assert bench.gate.mode is Mode.BLENDING
