"""Supply and heat: what the servos do and what the driver sees."""

import numpy as np
import pytest
from virtual_arm import HALF_A_TICK, START_RAD, health_of, until

from chefmate_core.calibration import RAD_PER_TICK
from chefmate_core.joints import GRIPPER
from chefmate_core.servo import registers as reg
from chefmate_core.servo.errors import ServoReadbackError, ServoSilentError
from chefmate_sim.virtual_bus.hardware import Heat, Sag


def torque_bits(virtual):
    return [servo.memory.get(reg.TORQUE_ENABLE) for servo in virtual.servos]


def test_a_sagging_supply_is_seen_and_comes_back(arm, virtual, clock):
    arm.set_torque(True)
    virtual.hardware.add(Sag(to_v=3.8, for_s=3.0, over_s=1.0))
    clock.now_s = 0.5
    assert health_of(arm).voltage_v == pytest.approx(np.full(6, 5.6))
    assert not health_of(arm).status_bits.any()
    clock.now_s = 2.0
    health = health_of(arm)
    assert health.voltage_v == pytest.approx(np.full(6, 3.8))
    assert (health.status_bits == reg.STATUS_VOLTAGE).all()
    # By the factory setting a servo goes on with too little: it is not in the condition.
    assert torque_bits(virtual) == [1] * 6
    clock.now_s = 3.5
    health = health_of(arm)
    assert health.voltage_v == pytest.approx(np.full(6, 7.4))
    assert not health.status_bits.any()
    assert not virtual.hardware.is_active


def test_a_servo_that_is_told_to_lets_go_when_the_voltage_is_low(arm, virtual):
    arm.set_torque(True)
    memory = virtual.servos[1].memory
    memory.set(reg.UNLOADING_CONDITION, memory.get(reg.UNLOADING_CONDITION) | reg.STATUS_VOLTAGE)
    virtual.hardware.add(Sag(to_v=3.8))
    arm.read()
    assert torque_bits(virtual) == [1, 0, 1, 1, 1, 1]


def test_in_a_brown_out_the_servos_are_gone_and_restart_without_torque(arm, virtual, clock):
    arm.configure()
    arm.set_torque(True)
    virtual.hardware.add(Sag(to_v=2.0, for_s=1.0))
    assert not arm.read().ok
    with pytest.raises(ServoSilentError):
        arm.torque_enabled()
    assert virtual.is_plugged_in
    clock.now_s = 1.5
    assert arm.read().ok
    assert not arm.torque_enabled().any()
    assert virtual.servos[0].memory.get(reg.ACCELERATION) == reg.ACCELERATION.factory
    # EEPROM lasted; so did what is copied from it.
    assert virtual.servos[GRIPPER].memory.get(reg.TORQUE_LIMIT) == 500
    assert virtual.servos[0].memory.get(reg.P_COEFFICIENT) == 16


def test_without_power_nothing_holds_the_arm_and_its_return_does_not_move_it(arm, virtual, model):
    arm.set_torque(True)
    virtual.hardware.add(Sag(to_v=2.0))
    until(lambda: not any(servo.is_powered for servo in virtual.servos))
    sagged = START_RAD - 0.2
    model.place(sagged)
    virtual.hardware.clear()
    reading = arm.read()
    assert reading.ok
    np.testing.assert_allclose(reading.position_rad, sagged, atol=HALF_A_TICK)
    arm.set_torque(True)
    np.testing.assert_allclose(model.position_rad(), sagged, atol=2 * RAD_PER_TICK)


def test_a_servo_warms_up_by_the_rate_to_the_temperature(arm, virtual, clock):
    virtual.hardware.add(Heat(GRIPPER, to_c=60.0, rate_c_s=2.0))
    start_c = health_of(arm).temperature_c[GRIPPER]
    clock.now_s = 10.0
    health = health_of(arm)
    assert health.temperature_c[GRIPPER] == start_c + 20.0
    assert health.temperature_c[0] == start_c
    clock.now_s = 100.0
    assert health_of(arm).temperature_c[GRIPPER] == 60.0
    virtual.hardware.clear(Heat)
    assert health_of(arm).temperature_c[GRIPPER] == start_c


def test_a_servo_above_its_limit_lets_go_and_refuses_torque(arm, virtual, clock):
    arm.set_torque(True)
    virtual.hardware.add(Heat(GRIPPER, to_c=75.0, rate_c_s=100.0))
    clock.now_s = 1.0
    arm.read()
    assert arm.torque_enabled().tolist() == [True] * 5 + [False]
    assert health_of(arm).status_bits[GRIPPER] == reg.STATUS_TEMPERATURE
    with pytest.raises(ServoReadbackError, match='gripper'):
        arm.set_torque(True)


def test_a_servo_protects_itself_also_when_nobody_asks_it(arm, virtual, clock):
    arm.set_torque(True)
    virtual.hardware.add(Heat(0, to_c=90.0, rate_c_s=100.0))
    clock.now_s = 1.0
    until(lambda: torque_bits(virtual)[0] == 0)
