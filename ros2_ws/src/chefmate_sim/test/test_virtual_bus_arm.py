"""The driver's `FeetechArm` on the virtual bus: start, torque, goals, health, wrong arms."""

from dataclasses import replace

import numpy as np
import pytest
from virtual_arm import CALIBRATION, HALF_A_TICK, LEADER, START_RAD

from chefmate_core.calibration import RAD_PER_TICK, ArmCalibration, JointCalibration
from chefmate_core.errors import BusError, CalibrationError
from chefmate_core.joints import JOINT_NAMES
from chefmate_core.servo import registers as reg
from chefmate_core.servo.arm import FeetechArm
from chefmate_core.servo.config import ServoConfig
from chefmate_core.servo.errors import (
    GoalError,
    PortLostError,
    PortMissingError,
    ServoReadbackError,
    ServoSilentError,
)
from chefmate_sim.virtual_bus import FirstOrderArm, VirtualServoBus

# Long enough for a busy machine: only answers that are really missing are waited for.
PATIENT = ServoConfig(
    reply_timeout_s=0.3, gap_timeout_s=0.1, register_timeout_s=0.1, register_retries=2
)


@pytest.fixture
def arm(virtual):
    arm = FeetechArm(virtual.port, CALIBRATION, PATIENT)
    yield arm
    arm.disconnect(torque_off=False)


def settle(arm, clock):
    """Let the motion end; the read makes sure that what was written before has been executed."""
    arm.read()
    clock.now_s += 20.0


def test_connect_reads_the_arm_and_moves_nothing(arm, virtual, model):
    arm.connect()
    reading = arm.read()
    assert reading.ok
    assert np.all(reading.age_s == 0.0)
    np.testing.assert_allclose(reading.position_rad, START_RAD, atol=HALF_A_TICK)
    np.testing.assert_allclose(reading.velocity_rad_s, 0.0)
    assert not arm.torque_enabled().any()
    assert all(servo.goals_written == 0 for servo in virtual.servos)


def test_configure_sets_what_lerobot_sets_and_reads_it_back(arm, virtual):
    arm.connect()
    arm.configure()
    for servo in virtual.servos:
        memory = servo.memory
        assert memory.get(reg.OPERATING_MODE) == 0
        assert memory.get(reg.P_COEFFICIENT) == 16
        assert memory.get(reg.I_COEFFICIENT) == 0
        assert memory.get(reg.D_COEFFICIENT) == 32
        assert memory.get(reg.RETURN_DELAY) == 0
        assert memory.get(reg.TORQUE_ENABLE) == 0
        assert memory.get(reg.LOCK) == 1
    gripper = virtual.servos[5].memory
    assert gripper.get(reg.MAX_TORQUE_LIMIT) == 500
    assert gripper.get(reg.TORQUE_LIMIT) == 500
    assert gripper.get(reg.PROTECTION_CURRENT) == 250
    assert gripper.get(reg.OVERLOAD_TORQUE) == 25
    assert virtual.servos[0].memory.get(reg.MAX_TORQUE_LIMIT) == 1000


def test_configure_lasts_over_power_off_and_wears_the_eeprom_once(arm, virtual):
    arm.connect()
    arm.configure()
    virtual.hang_up(power_lost=True)
    virtual.plug_in()
    again = FeetechArm(virtual.port, CALIBRATION, PATIENT)
    again.connect()
    writes = []
    for servo in virtual.servos:
        servo.write = lambda address, data, write=servo.write: (
            writes.append(address),
            write(address, data),
        )
    again.configure()
    assert [address for address in writes if address < 40] == []
    again.disconnect(torque_off=False)


def test_multi_turn_feedback_is_switched_off(arm, virtual):
    virtual.servos[4].memory.set_lasting(reg.PHASE, 0x1C)
    arm.connect()
    arm.configure()
    assert virtual.servos[4].memory.get(reg.PHASE) == 0x0C


def test_torque_on_does_not_move_an_arm_that_was_moved_by_hand(arm, model, clock):
    arm.connect()
    arm.configure()
    arm.set_torque(True)
    arm.write_goal(START_RAD)
    arm.set_torque(False)
    elsewhere = np.array([-0.8, 0.4, -0.9, 0.7, -1.1, 1.2])
    model.place(elsewhere)
    arm.set_torque(True)
    assert arm.torque_enabled().all()
    settle(arm, clock)
    np.testing.assert_allclose(model.position_rad(), elsewhere, atol=HALF_A_TICK)


def test_every_goal_at_torque_on_is_the_present_position(arm, virtual):
    arm.connect()
    for servo in virtual.servos:
        servo.memory.set(reg.GOAL_POSITION, 2048)
    arm.set_torque(True)
    for servo in virtual.servos:
        assert servo.memory.get(reg.GOAL_POSITION) == servo.memory.get(reg.PRESENT_POSITION)


def test_a_joint_far_outside_its_range_is_not_given_torque(arm, virtual, model):
    arm.connect()
    model.place(np.array([2.3, 0, 0, 0, 0, 0]))
    with pytest.raises(ServoReadbackError, match=r'shoulder_pan.*outside its calibrated range'):
        arm.set_torque(True)
    assert not arm.torque_enabled().any()


def test_a_servo_that_refuses_torque_leaves_no_other_with_torque(arm, virtual):
    arm.connect()
    virtual.servos[3].temperature_c = 90.0  # it unloads itself whenever torque comes on
    with pytest.raises(ServoReadbackError, match='torque does not come on at wrist_flex'):
        arm.set_torque(True)
    virtual.servos[3].temperature_c = 30.0
    assert not arm.torque_enabled().any()


def test_a_servo_that_falls_silent_before_torque_is_silent_and_not_of_another_mind(
    arm, virtual, monkeypatch
):
    arm.connect()
    write = arm._bus.sync_write

    def falls_silent_before(*request):
        virtual.faults.kill(3)
        write(*request)

    monkeypatch.setattr(arm._bus, 'sync_write', falls_silent_before)
    # A driver that may wait tries again after this one, and not after a wrong read-back.
    with pytest.raises(ServoSilentError, match='no good answer from elbow_flex'):
        arm.set_torque(True)
    virtual.faults.clear()
    assert not arm.torque_enabled().any()


def test_goals_are_reached_and_what_went_out_is_returned(arm, model, clock):
    arm.connect()
    arm.set_torque(True)
    goal = np.array([0.5, 0.4, -0.3, 0.2, -0.1, 0.9])
    sent = arm.write_goal(goal)
    np.testing.assert_allclose(sent, goal, atol=HALF_A_TICK)
    settle(arm, clock)
    np.testing.assert_allclose(arm.read().position_rad, sent, atol=1e-9)
    np.testing.assert_allclose(model.position_rad(), sent, atol=1e-6)


def test_a_goal_beyond_the_limits_goes_out_as_the_limit(arm):
    arm.connect()
    for wild in (1e300, -1e300):
        sent = arm.write_goal(np.full(6, wild))
        assert np.all(sent >= CALIBRATION.lower_limits_rad - 1e-9)
        assert np.all(sent <= CALIBRATION.upper_limits_rad + 1e-9)


@pytest.mark.parametrize(
    'goal', [np.full(6, np.nan), np.full(6, np.inf), np.zeros(5), np.zeros((1, 6)), 0.0]
)
def test_a_goal_that_is_none_is_refused_and_not_sent(arm, virtual, goal):
    arm.connect()
    with pytest.raises(GoalError, match='Nothing was sent'):
        arm.write_goal(goal)
    arm.read()
    assert all(servo.goals_written == 0 for servo in virtual.servos)


def test_velocity_has_the_sign_of_the_motion(arm, clock):
    arm.connect()
    arm.set_torque(True)
    arm.write_goal(START_RAD + np.array([0.5, -0.5, 0.5, -0.5, 0.5, -0.5]))
    arm.read()
    clock.now_s += 0.02
    velocity = arm.read().velocity_rad_s
    assert np.all(np.sign(velocity) == [1, -1, 1, -1, 1, -1])
    assert np.all(np.abs(velocity) > 1.0)


def test_a_mirrored_joint_is_driven_right(clock):
    joints = tuple(replace(joint, drive_mode=1) for joint in CALIBRATION.joints)
    mirrored = ArmCalibration(joints)
    model = FirstOrderArm(START_RAD, clock=clock)
    with VirtualServoBus(model, mirrored) as bus:
        arm = FeetechArm(bus.port, mirrored, PATIENT)
        arm.connect()
        np.testing.assert_allclose(arm.read().position_rad, START_RAD, atol=HALF_A_TICK)
        arm.set_torque(True)
        sent = arm.write_goal(START_RAD + 0.2)
        arm.read()
        clock.now_s += 0.01
        assert np.all(arm.read().velocity_rad_s > 0.0)
        assert np.all(arm.read(with_health=True).health.load_fraction > 0.0)
        settle(arm, clock)
        np.testing.assert_allclose(model.position_rad(), sent, atol=1e-6)
        arm.disconnect(torque_off=True)


def test_health_is_in_si_units(arm, virtual):
    virtual.servos[2].temperature_c = 52.0
    virtual.servos[3].voltage_v = 6.1
    arm.connect()
    health = arm.read(with_health=True).health
    assert health.temperature_c[2] == 52.0
    assert health.voltage_v[3] == pytest.approx(6.1)
    assert health.voltage_v[0] == pytest.approx(7.4)
    assert np.all(health.status_bits == 0)
    assert not health.moving.any()
    assert np.all(health.age_s == 0.0)
    np.testing.assert_allclose(health.load_fraction, 0.0)
    np.testing.assert_allclose(health.current_ma, 0.0)


def test_health_shows_load_current_and_motion(arm, clock):
    arm.connect()
    arm.set_torque(True)
    arm.write_goal(START_RAD - 0.8)
    arm.read()
    clock.now_s += 0.01
    health = arm.read(with_health=True).health
    assert np.all(health.load_fraction[:5] < -0.5)
    assert np.all(health.current_ma[:5] < -500.0)
    assert health.moving[:5].all()


def test_status_bits_are_shown_and_counted(arm, virtual):
    arm.connect()
    virtual.servos[1].voltage_v = 3.0
    assert arm.read().ok
    assert arm.read(with_health=True).health.status_bits[1] == reg.STATUS_VOLTAGE
    assert arm.statistics.status_errors >= 2


def test_health_of_a_servo_that_never_answered_is_nan(arm, virtual):
    arm.connect()
    virtual.faults.kill(5)
    health = arm.read(with_health=True).health
    assert np.isnan(health.temperature_c[4])
    assert np.isinf(health.age_s[4])
    assert np.isfinite(health.temperature_c[3])


def test_disconnect_lets_the_arm_hold_or_go_limp(arm, virtual):
    for torque_off in (False, True):
        arm.connect()
        arm.set_torque(True)
        arm.disconnect(torque_off=torque_off)
        arm.disconnect(torque_off=torque_off)
        assert not arm.is_connected
        enabled = [servo.memory.get(reg.TORQUE_ENABLE) for servo in virtual.servos]
        assert enabled == [0 if torque_off else 1] * 6


def test_reading_without_connecting_says_so(arm):
    with pytest.raises(PortLostError, match='not open'):
        arm.read()


def test_a_missing_port_says_so():
    with pytest.raises(PortMissingError):
        FeetechArm('/dev/no-such-arm', CALIBRATION).connect()


def test_a_silent_bus_asks_about_power(arm, virtual):
    for servo_id in range(1, 7):
        virtual.faults.kill(servo_id)
    with pytest.raises(ServoSilentError, match='power supply'):
        arm.connect()
    assert not arm.is_connected


def test_a_missing_servo_is_named_with_those_that_are_there(arm, virtual):
    virtual.faults.kill(3)
    with pytest.raises(ServoSilentError, match=r'elbow_flex \(id 3\); found ids 1, 2, 4, 5, 6'):
        arm.connect()


def test_a_wrong_id_is_a_missing_servo(arm, virtual):
    virtual.servos[5].memory.set_lasting(reg.SERVO_ID, 7)
    with pytest.raises(ServoSilentError, match=r'gripper \(id 6\)'):
        arm.connect()


def test_a_wrong_model_is_refused(arm, virtual):
    virtual.servos[1].memory.set_lasting(reg.MODEL_NUMBER, 1284)
    with pytest.raises(CalibrationError, match=r'shoulder_lift \(id 2\): servo model 1284.*777'):
        arm.connect()
    assert not arm.is_connected


@pytest.mark.parametrize(
    ('field', 'register'),
    [
        ('homing_offset', 'homing_offset'),
        ('range_min', 'min_position_limit'),
        ('range_max', 'max_position_limit'),
    ],
)
@pytest.mark.parametrize('index', [0, 5])
def test_a_calibration_that_is_not_the_servos_is_refused_by_joint(virtual, index, field, register):
    joint = CALIBRATION.joints[index]
    other = replace(joint, **{field: getattr(joint, field) + 1})
    joints: tuple[JointCalibration, ...] = tuple(
        other if place == index else entry for place, entry in enumerate(CALIBRATION.joints)
    )
    arm = FeetechArm(virtual.port, ArmCalibration(joints, 'mine.json'), PATIENT)
    with pytest.raises(CalibrationError) as caught:
        arm.connect()
    text = str(caught.value)
    assert JOINT_NAMES[index] in text
    assert f'{register} is {getattr(joint, field)} in the servo' in text
    assert f'{getattr(joint, field) + 1} in the file' in text
    assert 'mine.json' in text
    assert 'chefmate calibrate' in text


def test_the_leaders_file_does_not_pass_for_the_followers(virtual):
    arm = FeetechArm(virtual.port, LEADER, PATIENT)
    with pytest.raises(CalibrationError, match='swapped'):
        arm.connect()


def test_a_slow_velocity_unit_is_understood(clock):
    model = FirstOrderArm(START_RAD, clock=clock)
    with VirtualServoBus(model, CALIBRATION) as bus:
        for servo in bus.servos:
            servo.memory.set_lasting(reg.PHASE, 0)
        arm = FeetechArm(bus.port, CALIBRATION, PATIENT)
        arm.connect()
        arm.set_torque(True)
        arm.write_goal(START_RAD + 0.6)
        arm.read()
        clock.now_s += 0.02
        velocity = arm.read().velocity_rad_s
        np.testing.assert_allclose(velocity, model.velocity_rad_s(), atol=30 * RAD_PER_TICK)
        arm.disconnect(torque_off=True)


def test_every_error_is_a_bus_error_or_a_calibration_error():
    for kind in (PortLostError, PortMissingError, ServoSilentError, ServoReadbackError):
        assert issubclass(kind, BusError)
