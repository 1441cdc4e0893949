"""The independent monitor must be able to fail: each rule passes narrowly and fails narrowly."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chefmate_core.calibration import RAD_PER_TICK, ArmCalibration
from chefmate_core.joints import JOINT_NAMES
from chefmate_core.safety.config import load_preset
from chefmate_core.servo import registers as reg
from chefmate_core.servo.arm import FeetechArm
from chefmate_core.servo.protocol import BROADCAST_ID, Frame, Instruction
from chefmate_sim.virtual_bus import FirstOrderArm, VirtualServoBus
from chefmate_sim.virtual_bus.joint_monitor import Rule
from chefmate_sim.virtual_bus.monitor import BusMonitor

CALIBRATION = ArmCalibration.load(
    Path(__file__).resolve().parents[4] / 'calibration' / 'follower.json'
)
CAREFUL = load_preset('careful')
PERIOD_S = 0.01
ELBOW = 2
VELOCITY = CAREFUL.max_velocity_rad_s[ELBOW]
ACCELERATION = CAREFUL.max_acceleration_rad_s2[ELBOW]
BLEND = CAREFUL.blend_velocity_rad_s[ELBOW]
LOWER = CALIBRATION.lower_limits_rad[ELBOW] + CAREFUL.limit_margin_rad
UPPER = CALIBRATION.upper_limits_rad[ELBOW] - CAREFUL.limit_margin_rad


class Servo:
    """The elbow's servo as the monitor sees it; goals are rounded to ticks on the way."""

    def __init__(self, slack_s=0.0):
        self.monitor = BusMonitor(CALIBRATION, CAREFUL, PERIOD_S, slack_s=slack_s)
        self.now_s = 100.0

    def ticks(self, position_rad):
        return round(
            position_rad / CALIBRATION.rad_per_tick[ELBOW] + CALIBRATION.zero_ticks[ELBOW]
        )

    def torque(self, value, goal_rad=0.0, position_rad=None):
        position_rad = goal_rad if position_rad is None else position_rad
        self.monitor.torque_written(ELBOW, self.now_s, value, self.ticks(goal_rad), position_rad)

    def goal(self, position_rad, after_s=PERIOD_S):
        self.now_s += after_s
        self.monitor.goal_written(ELBOW, self.now_s, self.ticks(position_rad))

    def on(self, position_rad=0.0, waited_s=1.0):
        """Torque on in the usual way, so long ago that the first motion is over."""
        self.goal(position_rad)
        self.torque(1, position_rad)
        if waited_s:
            self.goal(position_rad, waited_s)
        return self

    def creep(self, start_rad, ticks):
        """Single steps of a tick or two, so slowly that only the range is judged."""
        return self.play([start_rad + tick * RAD_PER_TICK for tick in ticks], after_s=0.1)

    def rules(self):
        return {violation.rule for violation in self.monitor.violations}

    def play(self, positions_rad, after_s=PERIOD_S):
        for position_rad in positions_rad:
            self.goal(position_rad, after_s)
        return self.rules()


def ramp(velocity, acceleration, seconds, start_rad=0.0, period_s=PERIOD_S):
    """Positions of a speed-up from rest to `velocity`, held then."""
    times = np.arange(period_s, seconds, period_s)
    knee_s = velocity / acceleration
    speeding = np.minimum(times, knee_s)
    return start_rad + acceleration * speeding**2 / 2 + velocity * (times - speeding)


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


# --- at the servos -------------------------------------------------------------------------------


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def rig():
    clock = Clock()
    model = FirstOrderArm(np.full(6, 0.2), clock=clock)
    with VirtualServoBus(model, CALIBRATION) as bus:
        monitor = BusMonitor(CALIBRATION, CAREFUL, PERIOD_S, clock=clock)
        monitor.watch(bus, model)
        arm = FeetechArm(bus.port, CALIBRATION, clock=clock)
        arm.connect()
        yield arm, bus, model, monitor, clock
        arm.disconnect(torque_off=False)


def test_sync_writes_of_a_driver_are_seen_with_their_time(rig):
    arm, _, _, monitor, clock = rig
    arm.set_torque(True)
    clock.now_s += 1.0
    arm.write_goal(np.full(6, 0.2))
    arm.read()  # answered after the goals were taken
    monitor.assert_clean()
    clock.now_s += PERIOD_S
    arm.write_goal(np.full(6, 0.4))
    arm.read()
    assert {violation.joint for violation in monitor.violations} == set(JOINT_NAMES)
    assert {violation.time_s for violation in monitor.violations} == {1.0 + PERIOD_S}


def test_single_writes_and_delayed_writes_are_seen_too(rig):
    arm, bus, _, monitor, _ = rig
    arm.set_torque(True)
    servo = bus.servos[ELBOW]
    before = monitor.counters['goals']
    far = reg.GOAL_POSITION.encode(3000)
    servo.execute(Frame(servo.servo_id, Instruction.REG_WRITE, bytes((42,)) + far))
    assert monitor.counters['goals'] == before
    servo.execute(Frame(BROADCAST_ID, Instruction.ACTION, b''))
    assert monitor.counters['goals'] == before + 1
    first = monitor.violation_count
    assert first
    servo.execute(Frame(servo.servo_id, Instruction.WRITE, bytes((42,)) + far))
    servo.execute(Frame(servo.servo_id, Instruction.WRITE, bytes((43, 0))))
    assert monitor.counters['goals'] == before + 3
    assert monitor.violation_count > first


def test_torque_switched_on_after_the_arm_was_moved_by_hand_is_seen(rig):
    arm, bus, model, monitor, _ = rig
    arm.set_torque(True)
    arm.set_torque(False)
    model.place(np.full(6, 0.5))
    bus.servos[ELBOW].execute(Frame(3, Instruction.WRITE, bytes((40, 1))))
    assert [violation.rule for violation in monitor.violations] == [Rule.TORQUE_ON]


def test_after_a_power_cut_torque_on_counts_as_one_again(rig):
    arm, bus, _, monitor, _ = rig
    arm.set_torque(True)
    bus.hang_up(power_lost=True)
    bus.plug_in()
    servo = bus.servos[ELBOW]
    servo.execute(Frame(3, Instruction.WRITE, bytes((40, 1))))
    assert monitor.counters['torque_ons'] == 7
    assert monitor.counters['torque_losses'] == 1
    monitor.assert_clean()  # the goal is where the joint is: a servo starts so
