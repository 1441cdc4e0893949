"""The monitor judges motion: caps that are kept narrowly and broken narrowly, and any motion."""

import math

import numpy as np
import pytest
from elbow_monitor import ACCELERATION, LOWER, PERIOD_S, UPPER, VELOCITY, Servo, ramp
from hypothesis import given, settings
from hypothesis import strategies as st
from virtual_arm import ELBOW

from chefmate_core.calibration import RAD_PER_TICK
from chefmate_sim.virtual_bus.joint_monitor import Rule

# --- velocity and acceleration -------------------------------------------------------------------


def test_a_motion_at_both_caps_is_clean_and_was_seen():
    servo = Servo().on()
    assert servo.play(ramp(VELOCITY, ACCELERATION, 0.6)) == set()
    servo.monitor.assert_clean()
    statistics = servo.monitor.statistics()
    assert statistics['elbow_flex_max_velocity_rad_s'] == pytest.approx(VELOCITY, rel=0.02)
    assert statistics['elbow_flex_max_acceleration_rad_s2'] == pytest.approx(ACCELERATION, rel=0.1)
    assert statistics['goals_driven'] == 1 + len(ramp(VELOCITY, ACCELERATION, 0.6))


def test_one_percent_too_fast_is_a_violation():
    assert Servo().on().play(ramp(1.01 * VELOCITY, ACCELERATION, 0.6)) == {Rule.VELOCITY}


def test_a_tenth_too_much_acceleration_is_a_violation():
    assert Servo().on().play(ramp(VELOCITY, 1.1 * ACCELERATION, 0.6)) == {Rule.ACCELERATION}


def test_a_stop_at_once_from_full_speed_is_a_violation():
    servo = Servo().on()
    positions = ramp(VELOCITY, ACCELERATION, 0.4)
    assert servo.play(positions) == set()
    assert servo.play([positions[-1]] * 2) == {Rule.ACCELERATION}


def test_a_single_jump_is_a_violation_from_six_ticks_on():
    assert Servo().on().play([4 * RAD_PER_TICK] * 3) == {Rule.ACCELERATION}
    assert Servo().on().play([2 * RAD_PER_TICK] * 3) == set()


def test_uneven_steps_of_a_motion_at_the_caps_are_clean():
    servo = Servo().on()
    rng = np.random.default_rng(3)
    steps_s = rng.uniform(0.3, 2.5, 60) * PERIOD_S
    times = np.cumsum(steps_s)
    speeding = np.minimum(times, VELOCITY / ACCELERATION)
    positions = ACCELERATION * speeding**2 / 2 + VELOCITY * (times - speeding)
    for position_rad, step_s in zip(positions, steps_s, strict=True):
        servo.goal(position_rad, step_s)
    servo.monitor.assert_clean()


def test_two_different_goals_at_the_same_moment_are_a_jump():
    servo = Servo().on()
    servo.goal(0.03, after_s=0.0)
    assert Rule.VELOCITY in servo.rules()


# --- silence -------------------------------------------------------------------------------------


def cruising(slack_s=0.0):
    servo = Servo(slack_s).on()
    positions = ramp(VELOCITY, ACCELERATION, 0.4)
    assert servo.play(positions) == set()
    return servo, positions[-1]


def test_after_a_silence_the_motion_may_begin_from_rest():
    servo, here = cruising()
    servo.goal(here, after_s=5 * PERIOD_S)
    servo.play(ramp(VELOCITY, ACCELERATION, 0.4, here))
    servo.monitor.assert_clean()
    assert servo.monitor.statistics()['rests'] == 2  # `on` waits too


def test_after_a_silence_going_on_at_full_speed_is_a_violation():
    servo, here = cruising()
    servo.goal(here + VELOCITY * PERIOD_S, after_s=5 * PERIOD_S)
    assert servo.rules() == {Rule.ACCELERATION}


def test_after_a_silence_catching_up_with_the_time_that_passed_is_a_violation():
    servo, here = cruising()
    servo.goal(here + VELOCITY * 5 * PERIOD_S, after_s=5 * PERIOD_S)
    assert servo.rules() == {Rule.VELOCITY, Rule.ACCELERATION}


def test_up_to_three_periods_are_no_silence():
    servo, here = cruising()
    servo.play(here + VELOCITY * PERIOD_S * np.arange(2.5, 20.0, 2.5), after_s=2.5 * PERIOD_S)
    servo.monitor.assert_clean()


def test_a_stop_within_less_than_a_silence_is_still_a_stop_at_once():
    servo, here = cruising()
    servo.goal(here, after_s=2 * PERIOD_S)
    assert servo.rules() == {Rule.ACCELERATION}


def test_goals_lost_on_the_wire_are_no_silence_and_the_caps_hold_across_them():
    for catching_up, rules in ((1.0, set()), (1.05, {Rule.VELOCITY})):
        servo, here = cruising()
        for lost in range(1, 5):
            servo.monitor._joints[ELBOW].goal_lost(servo.now_s + lost * PERIOD_S)
        servo.goal(here + catching_up * VELOCITY * 5 * PERIOD_S, after_s=5 * PERIOD_S)
        assert servo.rules() == rules


def test_a_silence_that_ends_with_a_lost_goal_is_one():
    servo, here = cruising()
    servo.monitor._joints[ELBOW].goal_lost(servo.now_s + 9 * PERIOD_S)
    servo.goal(here + VELOCITY * 2 * PERIOD_S, after_s=10 * PERIOD_S)
    assert servo.rules() == {Rule.ACCELERATION}


def test_a_rest_in_a_goal_that_was_lost_may_be_anywhere_that_the_caps_reach():
    for catching_up, rules in ((1.0, set()), (1.5, {Rule.VELOCITY})):
        servo, here = cruising()
        servo.monitor._joints[ELBOW].goal_lost(servo.now_s + PERIOD_S)
        servo.goal(here + catching_up * VELOCITY * PERIOD_S + 0.02, after_s=9 * PERIOD_S)
        assert servo.rules() == rules


# --- a clock that stalls -------------------------------------------------------------------------


def test_slack_forgives_arrivals_that_were_late_and_nothing_without_it():
    rng = np.random.default_rng(5)
    positions = ramp(VELOCITY, ACCELERATION, 0.6)
    late_s = np.concatenate([[0.0], rng.uniform(0.0, 0.004, len(positions))])
    steps_s = PERIOD_S + np.diff(late_s)
    strict, lenient = Servo().on(), Servo(slack_s=0.004).on()
    for servo in (strict, lenient):
        for position_rad, step_s in zip(positions, steps_s, strict=True):
            servo.goal(position_rad, step_s)
    assert strict.rules()
    lenient.monitor.assert_clean()


def test_with_slack_a_full_speed_jump_is_still_seen():
    servo = Servo(slack_s=0.005).on()
    assert servo.play([0.1] * 3) >= {Rule.VELOCITY}


# --- any motion ----------------------------------------------------------------------------------


@st.composite
def motions(draw):
    """Steps, s, and positions, rad, of a motion within the caps; the first 0.5 s stand still."""
    steps, targets = [], []
    for _ in range(draw(st.integers(1, 6))):
        count = draw(st.integers(3, 30))
        steps += draw(st.lists(st.floats(0.3, 2.8), min_size=count, max_size=count))
        targets += [draw(st.floats(-1.0, 1.0)) * VELOCITY] * count
    steps_s = np.array([PERIOD_S, *steps]) * ([1.0] + [PERIOD_S] * len(steps))
    position, velocity, last_s = 0.0, 0.0, PERIOD_S
    positions = []
    for step_s, target in zip(steps_s[1:], targets, strict=True):
        room = (UPPER - 0.1 if velocity + target > 0 else -(LOWER + 0.1)) - abs(position)
        if velocity**2 / (2 * ACCELERATION) + 0.15 * VELOCITY > room:
            target = -math.copysign(0.2 * VELOCITY, position)
        change = ACCELERATION * (last_s + step_s) / 2
        velocity += min(max(target - velocity, -change), change)
        position += velocity * step_s
        positions.append(position)
        last_s = step_s
    return steps_s[1:], np.array(positions)


def played(steps_s, positions):
    servo = Servo().on()
    for step_s, position_rad in zip(steps_s, positions, strict=True):
        servo.goal(float(position_rad), float(step_s))
    return servo


@given(motions())
@settings(deadline=None)
def test_no_motion_within_the_caps_is_ever_a_violation(motion):
    played(*motion).monitor.assert_clean()


@given(motions(), st.data())
@settings(deadline=None)
def test_the_same_motion_with_one_jump_is_always_a_violation(motion, data):
    steps_s, positions = motion
    place = data.draw(st.integers(0, len(positions) - 1))
    step_s = max(float(steps_s[place]), PERIOD_S)
    jump = 3 * ACCELERATION * step_s**2 + 9 * RAD_PER_TICK
    jumped = positions.copy()
    jumped[place:] += data.draw(st.sampled_from([-1, 1])) * jump
    assert played(steps_s, jumped).rules() & {Rule.VELOCITY, Rule.ACCELERATION, Rule.LIMIT}


@given(motions(), st.floats(1.02, 3.0))
@settings(deadline=None)
def test_a_cruise_too_fast_somewhere_is_always_a_violation(motion, excess):
    steps_s, positions = motion
    end = positions[-1] if len(positions) else 0.0
    servo = played(steps_s, positions)
    servo.now_s += 1.0
    cruise = end - math.copysign(1.0, end) * ramp(excess * VELOCITY, ACCELERATION, 0.55)
    assert Rule.VELOCITY in servo.play(cruise)
