"""How the gate moves: blending, following, holding, stopping, after a stall."""

import math

import numpy as np
import pytest
from gate_bench import CONFIG, PERIOD_S, Bench, assert_within_caps, telemetry

from chefmate_core.joints import GRIPPER, JOINT_NAMES, LOWER_LIMITS_RAD
from chefmate_core.safety.command import Refusal
from chefmate_core.safety.gate import Mode


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


def test_a_joint_seeded_outside_its_limits_may_stand_there_and_move_in_never_out():
    lower = LOWER_LIMITS_RAD[0]
    bench = Bench()
    bench.position = np.array([lower, 0, 0, 0, 0, 0])
    bench.gate.activate(bench.position, bench.now_s)
    assert bench.step(20).position_rad[0] == lower
    bench.stream(lambda t: [lower - 1.0, 0, 0, 0, 0, 0], 3.0)
    assert bench.position[0] == pytest.approx(lower + CONFIG.limit_margin_rad)
    assert bench.gate.counters['seeded_outside_limits'] == 1


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


def test_a_commander_that_brought_the_arm_to_a_stand_has_ended_and_not_starved():
    bench = Bench()
    bench.stream(lambda t: [0.1] * 6, 2.0)
    bench.step(30)
    assert bench.gate.counters['commands_ended'] == 1
    assert bench.gate.counters['starvations'] == 0


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
