import numpy as np
import pytest
from calibrating_rig import advance, make_blank, new_hand, new_session, settings_of
from virtual_arm import CALIBRATION, CONFIG, START_RAD

from chefmate_core.calibrating.errors import NotReadyError
from chefmate_core.calibrating.views import Severity, Step
from chefmate_core.calibration import RAD_PER_TICK, ArmCalibration
from chefmate_core.errors import CalibrationError
from chefmate_core.joints import GRIPPER, JOINT_NAMES, LOWER_LIMITS_RAD, UPPER_LIMITS_RAD
from chefmate_core.servo import registers as reg
from chefmate_core.servo.arm import FeetechArm
from chefmate_core.servo.bus import ServoBus
from chefmate_sim.virtual_bus import FirstOrderArm, VirtualServoBus
from chefmate_sim.virtual_bus.faults import Fault, FaultKind

ELBOW = JOINT_NAMES.index('elbow_flex')
ROLL = JOINT_NAMES.index('wrist_roll')


@pytest.fixture
def path(tmp_path):
    return tmp_path / 'mine' / 'follower.json'


@pytest.fixture
def session(virtual, path, clock):
    make_blank(virtual)
    with new_session(virtual, path, clock) as session:
        session.start()
        yield session
        virtual.clear_faults()


@pytest.fixture
def hand(model):
    return new_hand(model)


def test_a_hand_calibrates_a_new_arm_and_the_driver_knows_where_it_is(
    session, virtual, model, hand, path, clock
):
    advance(session, hand, clock)
    session.close()
    calibration = ArmCalibration.load(path)
    for joint, held in zip(calibration.joints, settings_of(virtual), strict=True):
        assert held.homing_offset == joint.homing_offset
        assert (held.min_position_limit, held.max_position_limit) == (
            joint.range_min,
            joint.range_max,
        )
    pose = START_RAD / 2
    model.place(pose)
    for servo in virtual.servos:
        servo.power_on()  # the EEPROM has it, not the RAM
    arm = FeetechArm(virtual.port, calibration, CONFIG)
    arm.connect()  # refuses where file and servos differ
    try:
        assert arm.read().position_rad == pytest.approx(pose, abs=2 * RAD_PER_TICK)
    finally:
        arm.disconnect(torque_off=False)
    ends = np.array([joint.range_max - joint.range_min for joint in calibration.joints])
    spans = (UPPER_LIMITS_RAD - LOWER_LIMITS_RAD) / RAD_PER_TICK
    spans[ROLL] = 4095  # the whole turn, as LeRobot takes it
    assert ends == pytest.approx(spans, abs=2)


def test_the_middle_pose_reads_2047_on_every_joint(session, hand, model, virtual, clock):
    advance(session, hand, clock)
    model.place(hand.middle_rad)
    session.close()
    bus = ServoBus(virtual.port, CONFIG)
    bus.open()
    reported = [bus.read(servo_id, reg.PRESENT_POSITION) for servo_id in CALIBRATION.ids]
    bus.close()
    assert reported == pytest.approx([2047] * 6, abs=1)


def test_nothing_is_written_before_the_last_confirmation(session, hand, virtual, path, clock):
    before = settings_of(virtual)
    advance(session, hand, clock, until=Step.REVIEW)
    assert settings_of(virtual) == before
    assert not path.exists()
    session.cancel()
    session.close()
    assert session.step is Step.CANCELLED
    assert settings_of(virtual) == before


def test_an_arm_that_holds_itself_is_supported_before_its_torque_goes_off(
    virtual, path, clock, arm
):
    arm.hold()
    arm.disconnect(torque_off=False)
    with new_session(virtual, path, clock) as session:
        session.start()
        assert session.step is Step.SUPPORT
        assert all(servo.memory.get(reg.TORQUE_ENABLE) for servo in virtual.servos)
        session.confirm()
        assert session.step is Step.MIDDLE
        assert not any(servo.memory.get(reg.TORQUE_ENABLE) for servo in virtual.servos)


def test_a_joint_that_was_left_out_is_named_and_the_hand_may_catch_up(
    session, model, clock, virtual
):
    reach = np.ones(6)
    reach[ELBOW] = 0.0
    hand = new_hand(model, reach=reach)
    with pytest.raises(NotReadyError, match=r'elbow_flex: it was not moved.*both of its stops'):
        advance(session, hand, clock)
    assert session.step is Step.RANGE
    for position in np.append(np.arange(-1.6, 1.6, 0.2), 0.0):
        hand.position_rad[ELBOW] = position
        model.place(hand.position_rad)
        session.poll()
    advance(session, hand, clock)
    assert session.step is Step.DONE


def test_a_joint_moved_half_way_is_a_warning_that_has_to_be_accepted(
    session, model, clock, virtual
):
    reach = np.ones(6)
    reach[ELBOW] = 0.5
    hand = new_hand(model, reach=reach)
    advance(session, hand, clock, until=Step.REVIEW)
    before = settings_of(virtual)
    (finding,) = session.poll().findings
    assert (finding.joint, finding.severity) == ('elbow_flex', Severity.WARNS)
    assert '50%' in finding.found
    with pytest.raises(NotReadyError, match='elbow_flex'):
        session.confirm()
    assert settings_of(virtual) == before
    session.confirm(accept_warnings=True)
    assert session.step is Step.DONE


def test_a_middle_that_was_none_shows_as_a_joint_that_passed_the_encoders_end(
    session, model, clock
):
    hand = new_hand(model)
    hand.middle_rad[ELBOW] = 1.68  # at its stop; the other one is more than half a turn away
    hand.position_rad[ELBOW] = 1.68
    with pytest.raises(NotReadyError, match='elbow_flex: it passed the end'):
        advance(session, hand, clock)
    session.restart()
    assert session.step is Step.MIDDLE
    advance(session, new_hand(model), clock)
    assert session.step is Step.DONE


def test_the_range_of_wrist_roll_is_recorded_on_demand(virtual, path, clock, hand):
    with new_session(virtual, path, clock, full_turn=frozenset()) as session:
        session.start()
        advance(session, hand, clock)
    roll = ArmCalibration.load(path).joints[ROLL]
    assert roll.range_max - roll.range_min == pytest.approx(3641, abs=2)


def test_an_open_gripper_is_not_taken_for_a_closed_one(session, hand, model, clock):
    advance(session, hand, clock, until=Step.GRIPPER)
    with pytest.raises(NotReadyError, match='the gripper is not closed'):
        session.confirm()
    assert session.step is Step.GRIPPER


def test_a_gripper_mounted_the_other_way_gets_drive_mode_1_if_accepted(path, clock, tmp_path):
    joints = list(CALIBRATION.joints)
    joints[GRIPPER] = type(joints[GRIPPER])(6, 1, 0, 800, 2100)
    model = FirstOrderArm(START_RAD, clock=clock)
    port = tmp_path / 'mirrored'
    with VirtualServoBus(model, ArmCalibration(tuple(joints)), port, clock=clock) as virtual:
        with new_session(virtual, path, clock) as session:
            session.start()
            advance(session, new_hand(model), clock, until=Step.REVIEW)
            with pytest.raises(NotReadyError, match='drive_mode 1'):
                session.confirm()
            session.confirm(accept_warnings=True)
        calibration = ArmCalibration.load(path)
        assert calibration.joints[GRIPPER].drive_mode == 1
        arm = FeetechArm(virtual.port, calibration, CONFIG)
        arm.connect()
        closed = arm.read().position_rad[GRIPPER]
        arm.disconnect(torque_off=False)
    assert closed == pytest.approx(LOWER_LIMITS_RAD[GRIPPER], abs=2 * RAD_PER_TICK)


def test_a_silent_servo_is_named_and_waited_for(session, virtual, hand, clock):
    virtual.faults.kill(3)
    clock.now_s += 1.0
    assert session.poll().joints[ELBOW].age_s > 0.5
    with pytest.raises(NotReadyError, match=r'no answer from elbow_flex \(id 3\)'):
        session.confirm()
    virtual.faults.revive(3)
    advance(session, hand, clock)
    assert session.step is Step.DONE


def test_a_pulled_cable_is_said_and_the_calibration_goes_on_when_it_is_back(
    session, virtual, hand, clock
):
    advance(session, hand, clock, until=Step.RANGE)
    virtual.hang_up(power_lost=True)
    assert 'gone' in session.poll().problem
    with pytest.raises(NotReadyError, match='no answer'):
        clock.now_s += 1.0
        session.confirm()
    virtual.plug_in()
    clock.now_s += 1.0
    assert session.poll().problem == ''
    advance(session, hand, clock)
    assert session.step is Step.DONE


def test_another_arm_in_place_of_the_first_ends_it(session, virtual, clock):
    virtual.hang_up()
    session.poll()
    virtual.servos[0].memory.set_lasting(reg.HOMING_OFFSET, 77)
    virtual.plug_in()
    clock.now_s += 1.0
    with pytest.raises(CalibrationError, match='another arm was plugged in'):
        session.poll()


def test_a_joint_that_was_silent_long_while_it_moved_begins_anew(session, virtual, hand, clock):
    advance(session, hand, clock, until=Step.GRIPPER)
    virtual.faults.kill(3)
    session.poll()
    virtual.faults.revive(3)
    clock.now_s += 5.0
    view = session.poll()
    assert view.joints[ELBOW].span == 0
    assert 'it was not moved since it was silent' in view.joints[ELBOW].finding.found


def test_noise_on_the_wire_changes_no_range(virtual, path, model, clock, hand):
    make_blank(virtual)
    virtual.faults.add(Fault(FaultKind.CORRUPT, probability=0.1, count=None))
    with new_session(virtual, path, clock) as session:
        session.start()
        advance(session, hand, clock, until=Step.REVIEW)
        spans = [joint.span for joint in session.poll().joints]
        virtual.clear_faults()
    expected = (UPPER_LIMITS_RAD - LOWER_LIMITS_RAD) / RAD_PER_TICK
    assert spans == pytest.approx(expected, rel=0.2)  # a lost sample shortens, never widens
    assert max(np.array(spans) - expected) <= 2
