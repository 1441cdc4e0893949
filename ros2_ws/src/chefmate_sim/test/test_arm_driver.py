"""The driver's loop over real bytes: a virtual servo bus with a first-order arm behind it."""

import dataclasses
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from chefmate_core.calibration import ArmCalibration
from chefmate_core.diagnosis import Level
from chefmate_core.driver.arm_driver import ArmDriver, DriverState
from chefmate_core.driver.report import diagnose
from chefmate_core.errors import BusError
from chefmate_core.joints import GRIPPER, JOINT_NAMES
from chefmate_core.safety.command import Command
from chefmate_core.safety.config import load_preset
from chefmate_core.safety.gate import Mode, SafetyGate
from chefmate_core.safety.health import StopPersistsError
from chefmate_core.servo.arm import FeetechArm
from chefmate_core.servo.registers import (
    GOAL_POSITION,
    GOAL_VELOCITY,
    P_COEFFICIENT,
    TORQUE_ENABLE,
    TORQUE_LIMIT,
)
from chefmate_sim.virtual_bus import Fault, FaultKind, Traffic
from chefmate_sim.virtual_bus.bus import VirtualServoBus
from chefmate_sim.virtual_bus.model import FirstOrderArm
from chefmate_sim.virtual_bus.script import inject

CALIBRATION = ArmCalibration.load(Path(__file__).parents[4] / 'calibration' / 'follower.json')
RATE_HZ = 100.0
CONFIG = load_preset('careful')


class Rig:
    """A driver on a virtual arm, and what it published."""

    def __init__(self, link, estop_mode='hold', calibration=CALIBRATION):
        self.model = FirstOrderArm(np.full(6, 0.2))
        self.bus = VirtualServoBus(self.model, calibration, link)
        self.readings, self.setpoints, self.estops = [], [], []
        gate = SafetyGate(
            dataclasses.replace(load_preset('careful'), estop_mode=estop_mode),
            calibration.lower_limits_rad,
            calibration.upper_limits_rad,
            1 / RATE_HZ,
        )
        self.driver = ArmDriver(
            FeetechArm(str(link), calibration),
            gate,
            RATE_HZ,
            on_reading=self.readings.append,
            on_setpoint=self.setpoints.append,
            on_estop=self.estops.append,
        )

    def command(self, positions, source='test'):
        self.driver.command(Command(JOINT_NAMES, positions, time.time(), source))

    def stream(self, positions, seconds):
        end_s = time.monotonic() + seconds
        while time.monotonic() < end_s:
            self.command(positions)
            time.sleep(0.01)

    def torque(self):
        """Whether any servo has torque on, as the servos themselves know it."""
        return any(servo.memory.get(TORQUE_ENABLE) for servo in self.bus.servos)

    def close(self):
        self.bus.faults.clear()
        self.driver.stop(torque_off=True)
        self.bus.close()


@pytest.fixture
def rig(tmp_path):
    rig = Rig(tmp_path / 'follower')
    yield rig
    rig.close()


def until(condition, timeout_s=10.0):
    """Wait for a condition; generous, because machines stall."""
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s, 'it did not happen'
        time.sleep(0.005)


def hold_up(driver):
    """Return when the loop stands still; it goes on when the returned event is set."""
    held, may_go_on = threading.Event(), threading.Event()

    def hold(reading):
        held.set()
        may_go_on.wait(10.0)

    driver._on_reading = hold
    assert held.wait(10.0)
    return may_go_on


def test_before_it_is_engaged_the_arm_is_read_and_nothing_is_written(rig):
    rig.driver.start()
    rig.command([1.0] * 6)
    until(lambda: len(rig.readings) > 20)
    assert rig.readings[-1].position_rad == pytest.approx([0.2] * 6, abs=0.002)
    assert rig.setpoints == []
    assert rig.driver.gate.counters['refused_inactive'] == 1
    assert diagnose(rig.driver).level is Level.OK


def test_engaging_does_not_move_the_arm(rig):
    rig.driver.start()
    rig.driver.engage()
    until(lambda: len(rig.setpoints) > 30)
    positions = np.array([reading.position_rad for reading in rig.readings])
    assert np.ptp(positions, axis=0) == pytest.approx(np.zeros(6), abs=0.004)


def test_a_joint_a_little_outside_its_range_comes_in_slowly_when_torque_comes_on(tmp_path):
    joints = list(CALIBRATION.joints)
    roll = joints[4]
    joints[4] = dataclasses.replace(
        roll, range_min=roll.range_min + 200, range_max=roll.range_max - 200
    )
    narrow = dataclasses.replace(CALIBRATION, joints=tuple(joints))
    rig = Rig(tmp_path / 'follower', calibration=narrow)
    try:
        start = np.full(6, 0.2)
        start[4] = narrow.upper_limits_rad[4] + 0.08  # 4.6 degrees
        rig.model.place(start)
        rig.driver.start()
        until(lambda: rig.readings)
        fastest, inner = [0.0], rig.bus.servos[4].measure

        def spy(position_rad, velocity_rad_s, load):
            fastest[0] = max(fastest[0], abs(velocity_rad_s))
            inner(position_rad, velocity_rad_s, load)

        rig.bus.servos[4].measure = spy
        rig.driver.engage()
        until(lambda: len(rig.setpoints) > 10)
        here = rig.readings[-1].position_rad[4]
        assert here <= narrow.upper_limits_rad[4] + 0.005
        assert 0.1 < fastest[0] <= CONFIG.blend_velocity_rad_s[4]
        assert rig.bus.servos[4].memory.get(GOAL_VELOCITY) == 0
        rig.stream([0.2] * 4 + [here - 0.3, 0.2], 2.0)
        assert rig.model.position_rad()[4] == pytest.approx(here - 0.3, abs=0.02)
    finally:
        rig.close()


def test_engaging_an_arm_that_moves_changes_nothing(rig):
    rig.driver.start()
    rig.driver.engage()
    rig.stream([1.2] * 6, 0.5)
    rig.driver.engage()
    assert rig.driver.gate.mode is Mode.BLENDING
    assert np.all(rig.setpoints[-1].velocity_rad_s[:5] > 0.4)


def test_a_stream_of_commands_moves_the_arm_there(rig):
    rig.driver.start()
    rig.driver.engage()
    goal = [0.5, -0.3, 0.4, 0.0, -0.2, 0.6]
    rig.stream(goal, 2.5)
    assert rig.model.position_rad() == pytest.approx(goal, abs=0.02)
    assert rig.driver.gate.counters['accepted'] > 50


def test_silence_of_the_commander_is_a_hold(rig):
    rig.driver.start()
    rig.driver.engage()
    rig.stream([0.5] * 6, 0.3)
    until(lambda: rig.setpoints[-1].mode is Mode.HOLDING)
    until(lambda: not np.any(rig.setpoints[-1].velocity_rad_s))
    held = rig.model.position_rad()
    time.sleep(0.2)
    assert rig.model.position_rad() == pytest.approx(held, abs=0.01)
    assert rig.driver.gate.counters['starvations'] == 1


def test_the_emergency_stop_holds_until_it_is_released(rig):
    rig.driver.start()
    rig.driver.engage()
    rig.stream([0.5] * 6, 0.2)
    rig.driver.set_estop(True)
    rig.stream([0.5] * 6, 0.5)
    assert rig.driver.gate.counters['refused_estop'] > 0
    assert not np.any(rig.setpoints[-1].velocity_rad_s)
    assert diagnose(rig.driver).level is Level.ERROR
    rig.driver.set_estop(False)
    assert rig.estops == [True, False]
    rig.stream([0.5] * 6, 1.5)
    assert rig.model.position_rad() == pytest.approx([0.5] * 6, abs=0.02)


def test_a_pulled_plug_is_survived_and_the_arm_holds_where_it_is_after_the_return(rig):
    rig.driver.start()
    rig.driver.engage()
    rig.stream([0.4] * 6, 1.0)
    rig.bus.hang_up()
    until(lambda: rig.driver.state is DriverState.LOST)
    rig.command([1.0] * 6)
    assert diagnose(rig.driver).level is Level.ERROR
    with pytest.raises(BusError):
        rig.driver.engage()
    rig.bus.plug_in()
    until(lambda: rig.driver.state is DriverState.DRIVING)
    here = rig.model.position_rad()
    count = len(rig.setpoints)
    until(lambda: len(rig.setpoints) > count + 20)
    assert rig.setpoints[-1].position_rad == pytest.approx(here, abs=0.01)
    assert rig.driver.gate.mode is Mode.HOLDING
    rig.stream([0.2] * 6, 1.5)
    assert rig.model.position_rad() == pytest.approx([0.2] * 6, abs=0.02)


def test_after_stop_the_arm_goes_limp_only_if_asked_to(rig):
    rig.driver.start()
    rig.driver.engage()
    rig.driver.stop(torque_off=False)
    again = FeetechArm(rig.driver.arm.port, CALIBRATION)
    again.connect()
    assert np.all(again.torque_enabled())
    again.disconnect(torque_off=True)


def watch_torque(rig):
    """Return the list that every torque limit given to the model will be in from now on."""
    limits, inner = [], rig.model.set_torque_limit

    def spy(index, fraction):
        limits.append(fraction)
        inner(index, fraction)

    rig.model.set_torque_limit = spy
    return limits


def another_driver(rig):
    """A driver in a new process, as far as the arm can tell."""
    return ArmDriver(
        FeetechArm(rig.driver.arm.port, CALIBRATION),
        SafetyGate(
            load_preset('careful'),
            CALIBRATION.lower_limits_rad,
            CALIBRATION.upper_limits_rad,
            1 / RATE_HZ,
        ),
        RATE_HZ,
        on_setpoint=rig.setpoints.append,
    )


def test_a_driver_that_starts_again_over_an_arm_that_holds_drops_nothing(rig):
    rig.driver.start()
    rig.driver.engage()
    rig.stream([0.4] * 5 + [0.6], 1.5)
    inject(rig.bus, 'stall gripper')  # a slice between the fingers
    rig.stream([0.4] * 5 + [0.3], 1.5)
    rig.driver.stop(torque_off=False)
    grip_ticks = rig.bus.servos[GRIPPER].memory.get(GOAL_POSITION)
    rig.setpoints.clear()
    limits = watch_torque(rig)
    again = another_driver(rig)
    again.start()
    assert again.state is DriverState.MONITORING
    again.engage()
    until(lambda: len(rig.setpoints) > 20)
    assert 0.0 not in limits, 'torque was never off'
    assert rig.bus.servos[GRIPPER].memory.get(GOAL_POSITION) == grip_ticks
    assert rig.setpoints[-1].position_rad == pytest.approx([0.4] * 5 + [0.3], abs=0.02)
    again.stop(torque_off=True)


def test_an_arm_whose_eeprom_is_not_as_it_should_be_goes_limp_to_be_set_up(rig):
    rig.driver.start()
    rig.driver.engage()
    rig.driver.stop(torque_off=False)
    rig.bus.servos[1].memory.set_lasting(P_COEFFICIENT, 32)
    again = another_driver(rig)
    again.start()
    assert not rig.torque()
    assert rig.bus.servos[1].memory.get(P_COEFFICIENT) == 16
    again.stop(torque_off=True)


def test_a_goal_left_far_away_by_another_program_is_not_run_to(rig):
    rig.driver.start()
    rig.driver.engage()
    rig.driver.stop(torque_off=False)
    far = round(CALIBRATION.rad_to_goal_ticks(np.full(6, 1.2))[0])
    rig.bus.servos[0].memory.set(GOAL_POSITION, far)  # with a low goal velocity, say
    again = another_driver(rig)
    again.start()
    again.engage()
    until(lambda: len(rig.setpoints) > 10)
    assert rig.model.position_rad() == pytest.approx([0.2] * 6, abs=0.01)
    again.stop(torque_off=True)


def test_a_silent_joint_pauses_the_arm_and_it_goes_on_by_a_blend(rig):
    rig.driver.start()
    rig.driver.engage()
    rig.stream([1.2] * 6, 0.6)
    blends = rig.driver.gate.counters['blends']
    rig.bus.faults.kill(3)
    until(lambda: rig.driver.counters['pauses'] == 1)
    written = len(rig.setpoints)
    assert rig.driver.state is DriverState.DRIVING
    rig.bus.faults.revive(3)
    rig.stream([1.2] * 6, 0.3)
    assert len(rig.setpoints) > written
    assert rig.driver.gate.counters['blends'] > blends
    rig.stream([1.2] * 6, 3.0)
    assert rig.model.position_rad() == pytest.approx([1.2] * 6, abs=0.02)


def test_servos_that_lost_their_torque_are_noticed_and_held_again_where_they_are(rig):
    rig.driver.start()
    rig.driver.engage()
    rig.stream([0.5] * 6, 0.5)
    rig.bus.servos[2].power_on()  # a cut so short that no packet was missed
    assert not rig.bus.servos[2].memory.get(TORQUE_ENABLE)
    until(lambda: rig.bus.servos[2].memory.get(TORQUE_ENABLE))
    until(lambda: rig.driver.state is DriverState.DRIVING)
    assert rig.driver.counters['bus_lost'] == 1
    assert 'elbow_flex lost torque' in rig.driver.last_error
    rig.stream([0.5] * 6, 2.5)
    assert rig.model.position_rad() == pytest.approx([0.5] * 6, abs=0.02)


def test_a_hot_servo_stops_the_arm_says_why_and_is_not_released_before_it_has_cooled(rig):
    rig.driver.start()
    rig.driver.engage()
    until(lambda: rig.setpoints)
    rig.bus.servos[3].temperature_c = 66.0
    until(lambda: rig.driver.estopped)
    assert rig.estops == [True]
    diagnosis = diagnose(rig.driver)
    assert diagnosis.level is Level.ERROR
    assert 'wrist_flex temperature 66' in diagnosis.message
    assert diagnosis.values['wrist_flex_temperature_c'] == 66.0
    with pytest.raises(StopPersistsError, match='wrist_flex temperature 66'):
        rig.driver.set_estop(False)
    assert rig.driver.estopped
    assert rig.estops == [True]
    rig.bus.servos[3].temperature_c = 40.0

    def is_released():
        try:
            rig.driver.set_estop(False)
        except StopPersistsError:
            return False
        return True

    until(is_released)
    assert rig.estops[-1] is False
    rig.stream([0.4] * 6, 2.0)
    assert rig.model.position_rad() == pytest.approx([0.4] * 6, abs=0.02)


def test_a_gripper_that_presses_gets_less_torque_until_it_moves_again(rig):
    rig.driver.start()
    rig.driver.engage()
    rig.stream([0.2] * 5 + [0.8], 1.5)
    inject(rig.bus, 'stall gripper')
    limit = rig.bus.servos[GRIPPER].memory
    end_s = time.monotonic() + 20.0
    while limit.get(TORQUE_LIMIT) != 200:
        rig.stream([0.2] * 5 + [0.4], 0.1)
        assert time.monotonic() < end_s
    assert rig.driver.gate.counters['grips_eased'] == 1
    rig.bus.clear_faults()
    rig.stream([0.2] * 5 + [0.9], 1.0)
    assert limit.get(TORQUE_LIMIT) == 500


def test_a_stop_from_before_a_restart_can_be_released_after_it(rig):
    rig.driver.start()
    rig.driver.engage()
    rig.driver.set_estop(True)
    rig.driver.stop(torque_off=True)
    rig.driver.start()
    rig.driver.set_estop(False)
    rig.driver.engage()
    rig.stream([0.4] * 6, 1.5)
    assert rig.model.position_rad() == pytest.approx([0.4] * 6, abs=0.02)


def test_torque_does_not_come_on_where_a_broken_encoder_says(rig):
    rig.driver.start()
    inject(rig.bus, 'encoder elbow_flex')
    with pytest.raises(BusError, match='elbow_flex reports an encoder error'):
        rig.driver.engage()
    assert not rig.torque()
    rig.bus.clear_faults()
    until(lambda: rig.readings and rig.readings[-1].ok)
    rig.driver.engage()


@pytest.mark.parametrize('estop_mode', ['hold', 'limp'])
def test_the_release_after_a_following_error_is_one(tmp_path, estop_mode):
    rig = Rig(tmp_path / 'follower', estop_mode)
    try:
        rig.driver.start()
        rig.driver.engage()
        inject(rig.bus, 'stall elbow_flex')
        end_s = time.monotonic() + 20.0
        while not rig.driver.estopped:
            rig.stream([0.2, 0.2, 0.9, 0.2, 0.2, 0.2], 0.1)
            assert time.monotonic() < end_s
        rig.bus.clear_faults()
        time.sleep(1.0)
        for _ in range(5):  # anywhere between two telemetry blocks
            rig.driver.set_estop(False)
            time.sleep(0.13)
            assert not rig.driver.estopped, rig.driver.stop_reason
            rig.driver.set_estop(True)
            time.sleep(0.04)
    finally:
        rig.close()


def test_a_release_that_fails_releases_nothing(rig):
    rig.driver.start()
    rig.driver.set_estop(True)
    rig.driver.engage()
    rig.bus.faults.kill(3)
    with pytest.raises(BusError):
        rig.driver.set_estop(False)
    assert rig.driver.estopped
    rig.bus.faults.revive(3)
    count = len(rig.readings)
    until(lambda: len(rig.readings) > count + 100)
    assert not rig.torque()
    assert rig.estops == [True]


def test_torque_that_could_not_be_turned_off_is_turned_off_as_soon_as_the_servo_hears(rig):
    rig.driver.start()
    rig.driver.engage()
    rig.bus.faults.add(Fault(FaultKind.DROP, 3, count=None, traffic=Traffic.REQUESTS))
    with pytest.raises(BusError):
        rig.driver.release()
    assert diagnose(rig.driver).level is not Level.OK
    rig.bus.clear_faults()
    until(lambda: not rig.torque())
    until(lambda: rig.driver.is_limp)


def test_a_servo_that_takes_no_torque_does_not_make_the_others_flap(rig):
    rig.driver.start()
    rig.driver.engage()
    until(lambda: rig.setpoints)
    rig.bus.servos[2].temperature_c = 75.0  # it lets go by itself, and takes no torque again
    for servo in rig.bus.servos:
        servo.power_on()
    until(lambda: rig.driver.state is DriverState.LOST)
    limits = watch_torque(rig)
    time.sleep(4.0)
    gained = sum(fraction > 0.0 for fraction in limits)
    assert gained <= 5 * 5, 'five tries in four seconds, each later than the one before'
    rig.bus.servos[2].temperature_c = 30.0
    until(lambda: np.all([one.memory.get(TORQUE_ENABLE) for one in rig.bus.servos]))


def test_a_loop_that_stands_still_is_an_error_in_the_diagnostics(rig):
    rig.driver.start()
    rig.driver.engage()
    until(lambda: rig.readings)
    assert diagnose(rig.driver).level is not Level.ERROR
    may_go_on = hold_up(rig.driver)
    until(lambda: diagnose(rig.driver).level is Level.ERROR)
    assert 'the loop has stood for' in diagnose(rig.driver).message
    rig.driver._on_reading = rig.readings.append
    may_go_on.set()
    until(lambda: diagnose(rig.driver).level is not Level.ERROR)


def test_a_stop_that_was_latched_before_the_driver_was_made_keeps_torque_off(rig):
    latched = ArmDriver(rig.driver.arm, rig.driver.gate, RATE_HZ, estopped=True)
    latched.start()
    latched.engage()
    assert latched.estopped
    assert latched.state is DriverState.MONITORING
    latched.set_estop(False)
    until(lambda: latched.state is DriverState.DRIVING)
    latched.stop(torque_off=True)


def test_a_port_that_is_not_there_is_named_at_start(tmp_path):
    rig = Rig(tmp_path / 'follower')
    rig.bus.close()
    with pytest.raises(BusError, match='follower'):
        rig.driver.start()


def test_a_bug_in_the_loop_is_a_failure_that_is_told_and_not_a_silent_end(rig):
    rig.driver.start()
    rig.driver.engage()
    until(lambda: rig.setpoints)

    def fail(reading):
        raise RuntimeError('the publisher is gone')

    rig.driver._on_reading = fail
    until(lambda: rig.driver.state is DriverState.FAILED)
    assert 'the publisher is gone' in str(rig.driver.failure)
    assert diagnose(rig.driver).level is Level.ERROR
    assert 'the publisher is gone' in diagnose(rig.driver).message
    with pytest.raises(BusError, match='the publisher is gone'):
        rig.driver.engage()


def test_a_bug_in_a_request_is_told_to_who_asked_and_the_loop_goes_on(rig):
    def fail(active):
        raise RuntimeError('the publisher is gone')

    rig.driver.start()
    rig.driver.engage()
    rig.driver._on_estop = fail
    with pytest.raises(RuntimeError, match='the publisher is gone'):
        rig.driver.set_estop(True)
    count = len(rig.readings)
    until(lambda: len(rig.readings) > count + 5)
    assert rig.driver.estopped


def test_a_request_that_was_given_up_is_not_carried_out_later(rig, monkeypatch):
    rig.driver.start()
    until(lambda: rig.readings)
    monkeypatch.setattr('chefmate_core.driver.requests.TIMEOUT_S', 0.1)
    may_go_on = hold_up(rig.driver)
    with pytest.raises(BusError, match='did not'):
        rig.driver.engage()
    rig.driver._on_reading = rig.readings.append
    may_go_on.set()
    count = len(rig.readings)
    until(lambda: len(rig.readings) > count + 10)
    assert rig.driver.state is DriverState.MONITORING
    assert not rig.torque()


def test_an_emergency_stop_that_was_not_answered_in_time_is_latched_all_the_same(rig, monkeypatch):
    rig.driver.start()
    rig.driver.engage()
    until(lambda: rig.setpoints)
    monkeypatch.setattr('chefmate_core.driver.requests.TIMEOUT_S', 0.1)
    may_go_on = hold_up(rig.driver)
    with pytest.raises(BusError):
        rig.driver.set_estop(True)
    rig.driver._on_reading = rig.readings.append
    may_go_on.set()
    until(lambda: rig.driver.gate.mode is Mode.ESTOPPED)


def test_torque_that_could_not_be_turned_on_does_not_come_on_by_itself_after_a_reconnect(rig):
    rig.driver.start()
    until(lambda: rig.readings)
    rig.bus.hang_up()
    until(lambda: rig.driver.state is DriverState.LOST)
    with pytest.raises(BusError):
        rig.driver.engage()
    rig.bus.plug_in()
    until(lambda: rig.driver.state is not DriverState.LOST)
    count = len(rig.readings)
    until(lambda: len(rig.readings) > count + 10)
    assert rig.driver.state is DriverState.MONITORING
    assert not rig.torque()


def test_torque_that_was_released_while_the_bus_was_lost_is_off_after_its_return(rig):
    rig.driver.start()
    rig.driver.engage()
    rig.bus.hang_up()
    until(lambda: rig.driver.state is DriverState.LOST)
    rig.driver.release()
    assert rig.torque()
    rig.bus.plug_in()
    until(lambda: rig.driver.state is DriverState.MONITORING)
    until(lambda: not rig.torque())


def test_an_emergency_stop_outlives_a_lost_bus_and_nothing_moves_until_it_is_released(rig):
    rig.driver.start()
    rig.driver.engage()
    rig.stream([0.4] * 6, 0.5)
    rig.bus.hang_up()
    until(lambda: rig.driver.state is DriverState.LOST)
    rig.driver.set_estop(True)
    rig.bus.plug_in()
    until(lambda: rig.driver.state is not DriverState.LOST)
    here, count = rig.model.position_rad(), len(rig.setpoints)
    rig.stream([1.0] * 6, 0.5)
    assert rig.driver.estopped
    assert len(rig.setpoints) == count
    assert rig.model.position_rad() == pytest.approx(here, abs=0.01)
    rig.driver.set_estop(False)
    assert rig.driver.state is DriverState.DRIVING
    assert rig.setpoints == rig.setpoints[:count] or rig.setpoints[-1].mode is Mode.HOLDING


def test_a_release_of_torque_after_a_stop_and_a_lost_bus_really_turns_it_off(rig):
    rig.driver.start()
    rig.driver.engage()
    rig.driver.set_estop(True)
    rig.bus.hang_up()
    until(lambda: rig.driver.state is DriverState.LOST)
    rig.bus.plug_in()
    until(lambda: rig.driver.state is DriverState.MONITORING)
    assert rig.torque(), 'a stop in mode hold keeps the arm up'
    rig.driver.release()
    assert not rig.torque()


def test_a_limp_stop_that_could_not_reach_the_arm_is_carried_out_after_the_reconnect(tmp_path):
    rig = Rig(tmp_path / 'follower', estop_mode='limp')
    try:
        rig.driver.start()
        rig.driver.engage()
        rig.bus.hang_up()
        until(lambda: rig.driver.state is DriverState.LOST)
        rig.driver.set_estop(True)
        rig.bus.plug_in()
        until(lambda: rig.driver.state is DriverState.MONITORING)
        until(lambda: not rig.torque())
    finally:
        rig.close()


def test_a_stop_with_a_dead_servo_says_so_and_ends_all_the_same(rig):
    rig.driver.start()
    rig.driver.engage()
    rig.bus.faults.kill(3)
    with pytest.raises(BusError):
        rig.driver.stop(torque_off=True)
    assert rig.driver.state is DriverState.STOPPED
    assert not rig.driver.arm.is_connected
