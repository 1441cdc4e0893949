"""The monitor judges goals and torque: ranges, how torque comes on, and the first motion."""

import math

import pytest
from elbow_monitor import ACCELERATION, BLEND, LOWER, UPPER, Servo, ramp
from virtual_arm import ELBOW

from chefmate_core.calibration import RAD_PER_TICK
from chefmate_sim.virtual_bus.joint_monitor import Rule

# --- range ---------------------------------------------------------------------------------------


@pytest.mark.parametrize('edge, outwards', [(LOWER, -1), (UPPER, 1)])
def test_the_margin_of_the_range_is_kept_but_for_a_tick(edge, outwards):
    assert Servo().on(edge).creep(edge, [0.4 * outwards]) == set()
    assert Servo().on(edge).creep(edge, [1.3 * outwards, 2.6 * outwards]) == {Rule.LIMIT}


@pytest.mark.parametrize('edge, outwards', [(LOWER, -1), (UPPER, 1)])
def test_a_joint_outside_its_range_may_stand_and_move_in_but_not_out(edge, outwards):
    outside = edge + outwards * 3 * RAD_PER_TICK
    assert Servo().on(outside).creep(outside, [0, -outwards, -3 * outwards]) == set()
    assert Servo().on(outside).creep(outside, [2 * outwards]) == {Rule.LIMIT}


def test_what_came_in_may_not_go_out_again():
    outside = LOWER - 4 * RAD_PER_TICK
    servo = Servo().on(outside)
    assert servo.creep(outside, [2, 4]) == set()
    assert servo.creep(outside, [2]) == {Rule.LIMIT}


@pytest.mark.parametrize('ticks', [-5, 4096, 32767, 955, 3161])
def test_a_goal_outside_the_calibrated_range_is_a_violation_even_without_torque(ticks):
    servo = Servo()
    servo.monitor.goal_written(ELBOW, 1.0, ticks)
    assert servo.rules() == {Rule.REGISTER}


def test_without_torque_goals_may_jump():
    assert Servo().play([0.0, 1.0, -1.0]) == set()


# --- torque on -----------------------------------------------------------------------------------


def test_torque_comes_on_with_the_goal_within_a_degree():
    near, far = Servo(), Servo()
    for servo, degrees in ((near, 0.95), (far, 1.1)):
        goal_rad = 0.3
        servo.goal(goal_rad)
        servo.torque(1, goal_rad, goal_rad + math.radians(degrees))
    assert near.rules() == set()
    assert far.rules() == {Rule.TORQUE_ON}


def test_torque_without_a_goal_written_before_needs_the_goal_to_be_where_the_joint_is():
    here, beside = Servo(), Servo()
    here.torque(1, 0.3, 0.3 + 0.5 * RAD_PER_TICK)
    beside.torque(1, 0.3, 0.3 + 3 * RAD_PER_TICK)
    assert here.rules() == set()
    assert beside.rules() == {Rule.TORQUE_ON}


def test_a_goal_from_before_the_last_torque_does_not_count():
    servo = Servo().on()
    servo.torque(0)
    servo.torque(1, 0.0, 0.01)
    assert servo.rules() == {Rule.TORQUE_ON}


def test_confirming_torque_that_is_on_is_no_torque_on():
    servo = Servo().on()
    servo.torque(1, 0.0, position_rad=0.5)  # an arm that is pushed away
    servo.monitor.assert_clean()
    assert servo.monitor.counters['torque_ons'] == 1


def test_the_first_motion_is_no_faster_than_blend_speed():
    assert Servo().on(waited_s=0.0).play(ramp(BLEND, ACCELERATION, 0.5)) == set()
    assert Servo().on(waited_s=0.0).play(ramp(1.02 * BLEND, ACCELERATION, 0.5)) == {
        Rule.FIRST_MOTION
    }


def test_after_the_first_motion_it_may_be_faster():
    assert Servo().on(waited_s=0.51).play(ramp(1.02 * BLEND, ACCELERATION, 0.5)) == set()


@pytest.mark.parametrize('value', [2, 128, 255])
def test_a_torque_switch_is_only_ever_off_or_on(value):
    servo = Servo()
    servo.torque(value)
    assert servo.rules() == {Rule.REGISTER}


# --- what it says --------------------------------------------------------------------------------


def test_a_violation_names_the_joint_the_time_and_the_numbers():
    servo = Servo().on(UPPER)
    servo.goal(UPPER + 0.008)
    with pytest.raises(AssertionError) as raised:
        servo.monitor.assert_clean()
    message = str(raised.value)
    for part in ('elbow_flex at 101.02', 'limit', f'{UPPER:.4f}', 'Newest goals'):
        assert part in message


def test_ten_thousand_violations_are_counted_but_not_all_kept():
    servo = Servo()
    for _ in range(10_000):
        servo.monitor.goal_written(ELBOW, 1.0, -1)
    assert servo.monitor.violation_count == 10_000
    assert servo.monitor.counters['violations_register'] == 10_000
    assert len(servo.monitor.violations) < 100
