"""The gate, fed with hostile commands by hand and by hypothesis."""

import contextlib
import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chefmate_core.errors import ConfigurationError
from chefmate_core.joints import (
    GRIPPER,
    JOINT_COUNT,
    JOINT_NAMES,
    LOWER_LIMITS_RAD,
    UPPER_LIMITS_RAD,
)
from chefmate_core.safety.command import Command, Refusal
from chefmate_core.safety.config import config_from_mapping, load_preset
from chefmate_core.safety.gate import Mode, SafetyGate
from chefmate_core.safety.health import StopPersistsError
from chefmate_core.servo.readings import ArmHealth

PERIOD_S = 0.01
CONFIG = load_preset('careful')
WALL_S = 1_000_000.0  # the sender's clock when the steady clock reads zero


def telemetry(temperature_c=31.0, gripper_load=0.1, arm_load=0.1):
    load = np.full(JOINT_COUNT, arm_load)
    load[GRIPPER] = gripper_load
    none = np.zeros(JOINT_COUNT)
    return ArmHealth(
        temperature_c=np.full(JOINT_COUNT, temperature_c),
        voltage_v=np.full(JOINT_COUNT, 7.4),
        load_fraction=load,
        current_ma=load * 2400.0,
        status_bits=none.astype(int),
        moving=none.astype(bool),
        steady_time_s=0.0,
        age_s=none,
    )


class Bench:
    """A gate with a clock and a healthy arm that follows perfectly."""

    def __init__(self, start=0.0, config=CONFIG):
        self.gate = SafetyGate(config, LOWER_LIMITS_RAD, UPPER_LIMITS_RAD, PERIOD_S)
        self.now_s = 0.0
        self.position = np.full(JOINT_COUNT, float(start))
        self.gate.activate(self.position, self.now_s)
        self.trace = [self.position.copy()]
        self.health = telemetry()
        self.telemetry_due_s = 0.0
        self.sag_rad = 0.0  # the arm is measured so far below its setpoint

    def send(self, positions, names=JOINT_NAMES, age_s=0.0, source='test'):
        clock_s = WALL_S + self.now_s
        command = Command(names, positions, clock_s - age_s, source)
        return self.gate.command(command, clock_s, self.now_s)

    def step(self, cycles=1, period_s=PERIOD_S, measured=None):
        for _ in range(cycles):
            self.now_s += period_s
            if self.health is not None and self.now_s >= self.telemetry_due_s:
                self.telemetry_due_s = self.now_s + 0.1
                self.gate.observe(self.health, np.zeros(JOINT_COUNT), self.now_s)
            seen = self.position - self.sag_rad if measured is None else measured
            setpoint = self.gate.step(seen, self.now_s)
            self.position = setpoint.position_rad
            self.trace.append(self.position.copy())
        return setpoint

    def stream(self, function, seconds, source='test'):
        for _ in range(round(seconds / PERIOD_S)):
            self.send(function(self.now_s), source=source)
            self.step()


def assert_within_caps(trace, config=CONFIG, period_s=PERIOD_S):
    velocity = np.diff(np.array(trace), axis=0) / period_s
    assert np.all(np.abs(velocity) <= config.max_velocity_rad_s + 1e-9)
    acceleration = np.diff(np.vstack([np.zeros(JOINT_COUNT), velocity]), axis=0) / period_s
    assert np.all(np.abs(acceleration) <= config.max_acceleration_rad_s2 + 1e-6)


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


def test_the_first_command_is_approached_at_blend_speed_however_far_it_is():
    bench = Bench()
    bench.stream(lambda t: [1.5] * 6, 2.0)
    velocity = np.diff(np.array(bench.trace), axis=0) / PERIOD_S
    assert np.max(velocity, axis=0) == pytest.approx(CONFIG.blend_velocity_rad_s)
    assert bench.gate.mode is Mode.BLENDING
    bench.stream(lambda t: [1.5] * 6, 2.0)
    assert bench.gate.mode is Mode.FOLLOWING
    assert bench.position == pytest.approx([1.5] * 6, abs=1e-6)


def test_right_after_torque_came_on_nothing_moves_faster_than_blend_speed():
    bench = Bench()
    bench.stream(lambda t: [0.9 * math.sin(2 * math.pi * 0.3 * t)] * 6, 2.0)  # begins where it is
    assert bench.gate.mode is Mode.FOLLOWING
    first = round(CONFIG.first_motion_s / PERIOD_S) - 1
    velocity = np.diff(np.array(bench.trace), axis=0) / PERIOD_S
    assert np.all(np.abs(velocity[:first]) <= CONFIG.blend_velocity_rad_s + 1e-9)
    assert np.max(np.abs(velocity[first + 1 :, 0])) > 1.4, 'then it follows'
    assert_within_caps(bench.trace)


def test_a_new_source_is_a_hand_over_and_blends_again():
    bench = Bench()
    bench.stream(lambda t: [0.5] * 6, 3.0, source='policy')
    assert bench.gate.mode is Mode.FOLLOWING
    bench.send([-0.5] * 6, source='teleop')
    assert bench.gate.mode is Mode.BLENDING
    assert bench.gate.counters['blends'] == 2


def test_a_smooth_stream_within_the_caps_is_followed_without_lag_and_without_limiting():
    bench = Bench()

    def motion(t):
        swing = 0.8 * math.sin(1.5 * t)
        return [swing] * 5 + [0.8 + swing]

    bench.stream(motion, 8.0)
    error = bench.position - motion(bench.now_s - PERIOD_S)
    assert np.max(np.abs(error)) < 1e-3
    assert bench.gate.counters['rate_limited'] == 0
    assert_within_caps(bench.trace)


def test_a_jump_within_the_reject_distance_is_rate_limited_and_counted():
    bench = Bench()
    bench.stream(lambda t: [0.0] * 6, 0.2)
    bench.stream(lambda t: [0.9] * 6, 2.0)
    assert bench.gate.counters['rate_limited'] > 0
    assert bench.position == pytest.approx([0.9] * 6, abs=1e-6)
    assert_within_caps(bench.trace)


def test_an_absurd_command_is_refused_and_the_arm_holds():
    bench = Bench()
    bench.stream(lambda t: [0.3] * 6, 2.0)
    before = bench.position
    assert bench.send([-1.2] * 5 + [0.3]) is Refusal.ABSURD
    assert bench.step(50).mode is Mode.HOLDING
    assert bench.position == pytest.approx(before, abs=0.02)


def test_a_target_outside_the_limits_is_clamped_with_the_margin():
    bench = Bench()
    bench.stream(lambda t: [1e300] * 6, 10.0)
    upper = UPPER_LIMITS_RAD - CONFIG.limit_margin_rad
    assert bench.position == pytest.approx(upper, abs=1e-9)
    assert np.all(bench.position <= upper)
    assert bench.gate.counters['clamped_to_limits'] > 0


def test_a_starved_arm_decelerates_within_the_caps_and_stays():
    bench = Bench()
    bench.stream(lambda t: [min(1.5 * max(t - 0.5, 0.0), 1.4)] * 6, 1.2)
    moving = bench.step(15)
    assert np.any(moving.velocity_rad_s != 0.0)
    still = bench.step(60)
    assert still.mode is Mode.HOLDING
    assert np.all(still.velocity_rad_s == 0.0)
    assert bench.gate.counters['starvations'] == 1
    assert_within_caps(bench.trace)
    assert np.all(bench.step(100).position_rad == still.position_rad)


def test_a_hold_lets_go_of_a_setpoint_that_a_blocked_arm_could_not_reach_but_keeps_its_grip():
    bench = Bench()
    bench.stream(lambda t: [0.5] * 6, 3.0)
    bench.health = telemetry(arm_load=0.75)  # it pushes
    blocked_at = np.full(6, 0.2)
    setpoint = bench.step(200, measured=blocked_at)
    arm = np.arange(6) != GRIPPER
    assert setpoint.position_rad[arm] == pytest.approx([0.2] * 5, abs=1e-6)
    assert setpoint.position_rad[GRIPPER] == pytest.approx(0.5, abs=1e-6)


def test_an_arm_that_sags_does_not_creep_down_from_hold_to_hold():
    bench = Bench()
    bench.stream(lambda t: [0.5] * 6, 3.0)
    bench.health = telemetry(arm_load=0.35)  # its weight, at LeRobot's soft P
    for _ in range(20):
        bench.step(30, measured=bench.position - 0.2)  # starved
        bench.send(bench.position)
        bench.step(measured=bench.position - 0.2)
    assert bench.position == pytest.approx([0.5] * 6, abs=1e-6)
    assert bench.gate.counters['holds_relaxed'] == 0


@pytest.mark.parametrize('unread', [math.nan, math.inf, -math.inf])
def test_a_hold_with_an_unread_joint_stays_where_it_is(unread):
    bench = Bench()
    bench.stream(lambda t: [0.5] * 6, 3.0)
    setpoint = bench.step(100, measured=np.full(6, unread))
    assert setpoint.position_rad == pytest.approx([0.5] * 6, abs=1e-6)


def test_the_estop_is_latched_until_it_is_released_and_then_blends():
    bench = Bench()
    bench.stream(lambda t: [0.5 * math.sin(t)] * 6, 1.0)
    bench.gate.engage_estop()
    assert bench.send([0.0] * 6) is Refusal.ESTOP
    stopped = bench.step(60)
    assert stopped.mode is Mode.ESTOPPED
    assert np.all(stopped.velocity_rad_s == 0.0)
    assert_within_caps(bench.trace)
    bench.gate.release_estop()
    assert bench.send([0.0] * 6) is None
    assert bench.gate.mode is Mode.BLENDING


def test_the_release_of_the_estop_moves_nothing_and_keeps_the_grip():
    bench = Bench()
    bench.stream(lambda t: [0.5] * 6, 3.0)
    bench.gate.engage_estop()
    bench.step(60)
    bench.gate.release_estop()
    sagging_on_a_slice = np.array([0.45] * 5 + [0.7])
    assert bench.step(50, measured=sagging_on_a_slice).position_rad == pytest.approx([0.5] * 6)


def test_a_joint_seeded_outside_its_limits_may_stand_there_and_move_in_never_out():
    lower = LOWER_LIMITS_RAD[0]
    bench = Bench()
    bench.position = np.array([lower, 0, 0, 0, 0, 0])
    bench.gate.activate(bench.position, bench.now_s)
    assert bench.step(20).position_rad[0] == lower
    bench.stream(lambda t: [lower - 1.0, 0, 0, 0, 0, 0], 3.0)
    assert bench.position[0] == pytest.approx(lower + CONFIG.limit_margin_rad)
    assert bench.gate.counters['seeded_outside_limits'] == 1


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


def test_a_blend_towards_a_target_that_runs_away_catches_up_with_it_and_slowly():
    bench = Bench()
    bench.position = np.array([0.0, 0.0, -1.5, 0.0, 0.0, 0.0])
    bench.gate.activate(bench.position, bench.now_s)
    bench.trace = [bench.position]
    elbow = JOINT_NAMES.index('elbow_flex')

    def away(t):  # faster than blend speed
        return [0.0, 0.0, -1.3 + 0.7 * t, 0.0, 0.0, 0.0]

    bench.stream(away, 4.0)
    assert bench.gate.mode is Mode.FOLLOWING
    assert bench.position[elbow] == pytest.approx(-1.3 + 0.7 * bench.now_s, abs=0.02)
    speed = np.abs(np.diff(np.array(bench.trace), axis=0))[:, elbow] / PERIOD_S
    blend, growth = CONFIG.blend_velocity_rad_s[elbow], CONFIG.blend_acceleration_rad_s2[elbow]
    for cycle in range(round(2.0 / PERIOD_S)):
        since_s = max(0.0, (cycle + 2) * PERIOD_S - CONFIG.blend_patience_s)
        assert speed[cycle] <= blend + growth * since_s + 1e-9
    assert_within_caps(bench.trace)


def test_a_blend_towards_a_standing_target_never_goes_faster_than_blend_speed():
    bench = Bench(start=-1.2)
    bench.stream(lambda t: [1.2] * 6, 4.0)
    assert bench.gate.mode is Mode.BLENDING
    velocity = np.diff(np.array(bench.trace), axis=0) / PERIOD_S
    assert np.all(velocity <= CONFIG.blend_velocity_rad_s + 1e-9)


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


def test_a_commander_that_brought_the_arm_to_a_stand_has_ended_and_not_starved():
    bench = Bench()
    bench.stream(lambda t: [0.1] * 6, 2.0)
    bench.step(30)
    assert bench.gate.counters['commands_ended'] == 1
    assert bench.gate.counters['starvations'] == 0


@pytest.mark.parametrize('stall_s', [0.031, 0.1, 3.0])
def test_after_a_stall_of_the_loop_the_arm_starts_from_rest(stall_s):
    bench = Bench()
    for cycle in range(200):  # at its caps
        bench.send([1.5] * 6 if cycle < 150 else [-1.5] * 6)
        bench.step()
    bench.stream(lambda t: bench.position + 0.05, 0.5)
    assert np.max(np.abs(bench.gate.step(bench.position, bench.now_s).velocity_rad_s)) > 0.4
    before = bench.position
    after = bench.step(period_s=stall_s)
    first_step = CONFIG.max_acceleration_rad_s2 * PERIOD_S * PERIOD_S
    assert np.all(np.abs(after.position_rad - before) <= first_step + 1e-9)
    assert bench.gate.counters['stalls'] == 1


def test_a_late_cycle_is_no_stall_and_keeps_the_pace():
    bench = Bench()
    bench.stream(lambda t: [1.2] * 6, 1.0)
    before = bench.position
    after = bench.step(period_s=0.025)
    assert after.position_rad[0] - before[0] == pytest.approx(0.5 * 0.025)
    assert bench.gate.counters['stalls'] == 0


# --- health --------------------------------------------------------------------------------------


def heat(bench, temperature_c, seconds=1.3):
    bench.health = telemetry(temperature_c)
    bench.stream(lambda t: [1.5 * math.sin(t)] * 6, seconds)


def test_a_hot_servo_first_slows_the_arm_and_then_stops_it_within_the_caps():
    bench = Bench()
    bench.stream(lambda t: [1.5 * math.sin(t)] * 6, 1.0)
    heat(bench, 61.0)
    begun = len(bench.trace)
    bench.stream(lambda t: [1.5 * math.sin(t)] * 6, 4.0)
    velocity = np.diff(np.array(bench.trace[begun:]), axis=0) / PERIOD_S
    half = CONFIG.max_velocity_rad_s * CONFIG.health.derate_speed
    assert np.all(np.abs(velocity) <= half + 1e-9)
    assert bench.gate.mode is Mode.FOLLOWING
    heat(bench, 66.0)
    assert bench.gate.mode is Mode.ESTOPPED
    assert 'temperature 66 C' in bench.gate.stop_reason
    assert bench.gate.counters['health_derate'] == bench.gate.counters['health_stop'] == 1
    assert_within_caps(bench.trace)


def test_a_stop_for_a_servos_health_is_latched_and_released_only_when_its_cause_is_gone():
    bench = Bench()
    heat(bench, 66.0, seconds=3.0)
    assert bench.gate.mode is Mode.ESTOPPED
    with pytest.raises(StopPersistsError, match=r'temperature 66 C, above 65: stop.*Remove'):
        bench.gate.release_estop()
    assert bench.gate.mode is Mode.ESTOPPED
    heat(bench, 40.0)
    assert bench.gate.mode is Mode.ESTOPPED, 'cool again, and still latched'
    bench.gate.release_estop()
    assert bench.gate.mode is Mode.HOLDING


def test_an_arm_that_is_activated_with_an_unhealthy_servo_stops_at_once():
    bench = Bench()
    bench.gate.deactivate()
    for tenth in range(20):
        bench.gate.observe(telemetry(66.0), np.zeros(JOINT_COUNT), bench.now_s + 0.1 * tenth)
    bench.gate.activate(bench.position, bench.now_s + 2.0)
    bench.health = telemetry(66.0)
    assert bench.step(period_s=2.01).mode is Mode.ESTOPPED


def test_an_arm_that_does_not_follow_is_stopped_and_let_go_where_it_is():
    bench = Bench()
    blocked = np.zeros(JOINT_COUNT)
    for _ in range(300):
        bench.send([1.0] * 6)
        bench.step(measured=blocked)
    assert bench.gate.mode is Mode.ESTOPPED
    assert 'following error' in bench.gate.stop_reason
    end = bench.step(300, measured=blocked).position_rad
    assert end[:GRIPPER] == pytest.approx([0.0] * 5, abs=1e-6), 'it does not go on pushing'
    assert end[GRIPPER] > 0.5, 'but keeps its grip'
    assert_within_caps(bench.trace)
    bench.gate.release_estop()  # its cause has ended: the arm stands where it is


def test_a_gripper_that_presses_for_long_is_eased_and_the_setpoint_stays():
    bench = Bench()
    setpoint = bench.step()
    assert setpoint.gripper_torque is None
    bench.health = telemetry(gripper_load=-0.5)
    setpoint = bench.step(250)
    assert setpoint.gripper_torque == CONFIG.health.grip_eased_torque
    assert bench.gate.counters['grips_eased'] == 1
    assert np.all(setpoint.position_rad == 0.0)


def test_an_arm_without_telemetry_goes_on_slowly():
    bench = Bench()
    bench.health = None
    bench.stream(lambda t: [1.5 * math.sin(t)] * 6, 6.0)
    assert bench.gate.counters['health_derate'] == 1
    begun = len(bench.trace)
    bench.stream(lambda t: [1.5 * math.sin(t)] * 6, 3.0)
    velocity = np.diff(np.array(bench.trace[begun:]), axis=0) / PERIOD_S
    half = CONFIG.max_velocity_rad_s * CONFIG.health.derate_speed
    assert np.all(np.abs(velocity) <= half + 1e-9)


def test_unknown_presets_and_wrong_values_are_named():
    with pytest.raises(ConfigurationError, match='careful'):
        load_preset('reckless')
    with pytest.raises(ConfigurationError, match='missing keys'):
        config_from_mapping({'speed': 1}, 'here')


hostile_values = st.one_of(
    st.floats(allow_nan=True, allow_infinity=True), st.floats(-2.0, 2.0), st.just(1e300)
)
actions = st.one_of(
    st.tuples(
        st.just('send'),
        st.lists(hostile_values, min_size=6, max_size=6),
        st.sampled_from(['policy', 'teleop']),
        st.floats(-0.3, 0.3),
    ),
    st.tuples(st.just('stream'), st.lists(st.floats(-1.5, 1.5), min_size=6, max_size=6)),
    st.tuples(st.just('step'), st.integers(1, 40)),
    st.tuples(st.just('sense'), st.sampled_from([0.0, 0.2, -0.3, math.nan, math.inf])),
    st.tuples(
        st.just('health'),
        st.sampled_from(
            [
                telemetry(),
                telemetry(arm_load=0.75),
                telemetry(gripper_load=-0.5),
                telemetry(temperature_c=61.0),
                telemetry(temperature_c=66.0),
                telemetry(temperature_c=math.nan),
                None,
            ]
        ),
    ),
    st.tuples(st.just('estop')),
    st.tuples(st.just('release')),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(actions, max_size=30), st.floats(-0.15, 1.5))
def test_whatever_is_commanded_setpoints_stay_finite_inside_the_limits_and_within_the_caps(
    sequence, start
):
    bench = Bench(start)
    for kind, *arguments in sequence:
        if kind == 'send':
            bench.send(arguments[0], source=arguments[1], age_s=arguments[2])
        elif kind == 'stream':
            bench.stream(lambda t, goal=arguments[0]: goal, 0.3)
        elif kind == 'step':
            bench.step(arguments[0])
        elif kind == 'sense':
            bench.sag_rad = arguments[0]
        elif kind == 'health':
            bench.health = arguments[0]
        elif kind == 'estop':
            bench.gate.engage_estop()
        elif bench.gate.mode is Mode.ESTOPPED:
            with contextlib.suppress(StopPersistsError):
                bench.gate.release_estop()  # also while it still brakes
    positions = np.array(bench.trace)
    assert np.all(np.isfinite(positions))
    assert np.all(positions >= LOWER_LIMITS_RAD + CONFIG.limit_margin_rad - 1e-12)
    assert np.all(positions <= UPPER_LIMITS_RAD - CONFIG.limit_margin_rad + 1e-12)
    if len(bench.trace) > 1:
        assert_within_caps(bench.trace)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.001, 0.0299), min_size=30, max_size=120))
def test_uneven_steps_break_no_cap_at_the_limits(periods_s):
    bench = Bench(start=1.2)
    bench.stream(lambda t: [1.25] * 6, 0.4)
    velocity_before = bench.gate.step(bench.position, bench.now_s).velocity_rad_s
    for last_s, period_s in itertools.pairwise([PERIOD_S, *periods_s]):
        bench.send([1.8] * 6)
        setpoint = bench.step(period_s=period_s)
        change = np.abs(setpoint.velocity_rad_s - velocity_before)
        # Each velocity is the mean over its step: between their middles the cap holds.
        apart_s = 0.5 * (last_s + period_s)
        assert np.all(change <= CONFIG.max_acceleration_rad_s2 * apart_s + 1e-9)
        assert np.all(setpoint.position_rad <= UPPER_LIMITS_RAD - CONFIG.limit_margin_rad + 1e-12)
        velocity_before = setpoint.velocity_rad_s
