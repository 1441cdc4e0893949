"""Stops, latched: by hand, by a servo in trouble, over a lost bus; and their release."""

import time

import numpy as np
import pytest
from driver_rig import RATE_HZ, Rig
from virtual_arm import until

from chefmate_core.diagnosis import Level
from chefmate_core.driver.arm_driver import ArmDriver, DriverState
from chefmate_core.driver.report import diagnose
from chefmate_core.errors import BusError
from chefmate_core.safety.gate import Mode
from chefmate_core.safety.health import StopPersistsError
from chefmate_sim.virtual_bus.script import inject


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


def test_a_stop_that_was_latched_before_the_driver_was_made_keeps_torque_off(rig):
    latched = ArmDriver(rig.driver.arm, rig.driver.gate, RATE_HZ, estopped=True)
    latched.start()
    latched.engage()
    assert latched.estopped
    assert latched.state is DriverState.MONITORING
    latched.set_estop(False)
    until(lambda: latched.state is DriverState.DRIVING)
    latched.stop(torque_off=True)


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
