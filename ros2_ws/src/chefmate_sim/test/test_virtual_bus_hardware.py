"""Broken encoders, EEPROM that refuses, ids that are there twice, and several faults at once."""

import numpy as np
import pytest
from virtual_arm import CALIBRATION, CONFIG, ELBOW, HALF_A_TICK, START_RAD, health_of

from chefmate_core.servo import registers as reg
from chefmate_core.servo.arm import FeetechArm
from chefmate_core.servo.bus import ServoBus
from chefmate_core.servo.errors import ServoReadbackError, ServoSilentError
from chefmate_sim.virtual_bus import Faults, VirtualServoBus
from chefmate_sim.virtual_bus.hardware import EncoderError, Heat, RefusedEeprom, Sag, Stall, Twin


def read_registers(bus, servo_id, register, times=1):
    """Read a register as it is, without what the driver's arm makes of it."""
    client = ServoBus(bus.port, CONFIG)
    client.open()
    values = [client.read(servo_id, register) for _ in range(times)]
    client.close()
    return values


def test_a_broken_encoder_jumps_and_says_so(virtual):
    good = read_registers(virtual, 3, reg.PRESENT_POSITION)
    virtual.hardware.add(EncoderError(ELBOW, jump_ticks=300))
    assert read_registers(virtual, 3, reg.PRESENT_POSITION) == [good[0] + 300]
    assert read_registers(virtual, 3, reg.STATUS) == [reg.STATUS_ENCODER]
    assert read_registers(virtual, 4, reg.STATUS) == [0]
    virtual.hardware.clear()
    assert read_registers(virtual, 3, reg.PRESENT_POSITION) == good
    assert read_registers(virtual, 3, reg.STATUS) == [0]


def jumps(seed, model):
    with VirtualServoBus(model, CALIBRATION, faults=Faults(seed)) as bus:
        bus.hardware.add(EncoderError(ELBOW, probability=0.5))
        return read_registers(bus, 3, reg.PRESENT_POSITION, times=40)


def test_the_same_seed_breaks_the_same_measurements(model):
    first = jumps(3, model)
    assert jumps(3, model) == first
    assert jumps(4, model) != first
    assert len(set(first)) == 2


@pytest.mark.parametrize('register', [None, reg.P_COEFFICIENT])
def test_eeprom_that_refuses_a_write_is_found_by_the_read_back(arm, virtual, register):
    virtual.hardware.add(RefusedEeprom(0, register))
    with pytest.raises(ServoReadbackError, match=r'servo 1: wrote 16 to p_coefficient.*32'):
        arm.configure()
    virtual.hardware.clear()
    arm.configure()
    assert virtual.servos[0].memory.get(reg.P_COEFFICIENT) == 16


def test_a_register_that_nobody_writes_may_refuse(arm, virtual):
    virtual.hardware.add(RefusedEeprom(0, reg.HOMING_OFFSET))
    arm.configure()
    arm.set_torque(True)
    assert arm.torque_enabled().all()


def test_a_servo_with_anothers_id_is_missing_and_the_other_is_garbled(arm, virtual):
    virtual.hardware.add(Twin(1, of_id=3))
    reading = arm.read()
    assert not reading.ok
    assert reading.age_s[1] > 0.0
    assert arm.statistics.missed_by_id[2] == 1
    others = [0, 3, 4, 5]
    np.testing.assert_allclose(reading.position_rad[others], START_RAD[others], atol=HALF_A_TICK)
    for _ in range(CONFIG.max_misses - 1):
        arm.read()
    with pytest.raises(ServoSilentError, match=r'shoulder_lift \(id 2'):
        arm.read()
    counters = arm.statistics
    assert counters.checksum_errors + counters.garbage_bytes > 0


def test_both_servos_of_one_id_hear_what_is_written_to_it(arm, virtual):
    arm.set_torque(True)
    virtual.hardware.add(Twin(1, of_id=3))
    goal = START_RAD + 0.1
    arm.write_goal(goal)
    arm.read()
    ticks = CALIBRATION.rad_to_goal_ticks(goal)
    assert virtual.servos[1].memory.get(reg.GOAL_POSITION) == ticks[2]
    assert virtual.servos[2].memory.get(reg.GOAL_POSITION) == ticks[2]


def test_an_arm_with_two_servos_of_one_id_is_refused_at_the_start(virtual):
    virtual.hardware.add(Twin(1, of_id=3))
    arm = FeetechArm(virtual.port, CALIBRATION, CONFIG)
    with pytest.raises(ServoSilentError, match=r'shoulder_lift \(id 2\).*each servo has its own'):
        arm.connect()


def test_a_twin_has_its_own_id_back_afterwards(arm, virtual):
    virtual.hardware.add(Twin(1, of_id=3))
    virtual.hardware.clear(Twin)
    assert arm.read().ok
    assert [servo.servo_id for servo in virtual.servos] == [1, 2, 3, 4, 5, 6]


def test_faults_of_one_kind_on_one_joint_replace_each_other(virtual):
    virtual.hardware.add(Heat(0, 50.0, 1.0))
    virtual.hardware.add(Heat(1, 50.0, 1.0))
    virtual.hardware.add(Heat(0, 60.0, 1.0))
    assert virtual.hardware.in_force() == [Heat(1, 50.0, 1.0), Heat(0, 60.0, 1.0)]
    virtual.hardware.clear()
    assert virtual.hardware.in_force() == []


def test_faults_of_every_kind_at_once_leave_nothing_behind(arm, virtual, clock):
    before = [bytes(servo.memory.live) for servo in virtual.servos]
    for fault in (
        Sag(4.5),
        Heat(2, 60.0, 10.0),
        Stall(3),
        EncoderError(0),
        RefusedEeprom(5),
        Twin(1, of_id=4),
    ):
        virtual.hardware.add(fault)
    clock.now_s = 1.0
    arm.read()
    virtual.clear_faults()
    assert arm.read().ok
    health_of(arm)
    assert [bytes(servo.memory.live) for servo in virtual.servos] == before
