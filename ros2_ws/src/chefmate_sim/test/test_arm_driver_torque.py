"""Who holds the arm: torque over restarts, what it comes on to, and when it goes."""

import time

import numpy as np
import pytest
from driver_rig import new_driver
from virtual_arm import CALIBRATION, until

from chefmate_core.diagnosis import Level
from chefmate_core.driver.arm_driver import DriverState
from chefmate_core.driver.report import diagnose
from chefmate_core.errors import BusError
from chefmate_core.joints import GRIPPER
from chefmate_core.servo.arm import FeetechArm
from chefmate_core.servo.registers import GOAL_POSITION, P_COEFFICIENT, TORQUE_ENABLE, TORQUE_LIMIT
from chefmate_sim.virtual_bus import Fault, FaultKind, Traffic
from chefmate_sim.virtual_bus.script import inject


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
    return new_driver(rig.driver.arm.port, on_setpoint=rig.setpoints.append)


def test_after_stop_the_arm_goes_limp_only_if_asked_to(rig):
    rig.driver.start()
    rig.driver.engage()
    rig.driver.stop(torque_off=False)
    again = FeetechArm(rig.driver.arm.port, CALIBRATION)
    again.connect()
    assert np.all(again.torque_enabled())
    again.disconnect(torque_off=True)


def test_a_stop_with_a_dead_servo_says_so_and_ends_all_the_same(rig):
    rig.driver.start()
    rig.driver.engage()
    rig.bus.faults.kill(3)
    with pytest.raises(BusError):
        rig.driver.stop(torque_off=True)
    assert rig.driver.state is DriverState.STOPPED
    assert not rig.driver.arm.is_connected


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


def test_torque_does_not_come_on_where_a_broken_encoder_says(rig):
    rig.driver.start()
    inject(rig.bus, 'encoder elbow_flex')
    with pytest.raises(BusError, match='elbow_flex reports an encoder error'):
        rig.driver.engage()
    assert not rig.torque()
    rig.bus.clear_faults()
    until(lambda: rig.readings and rig.readings[-1].ok)
    rig.driver.engage()


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
