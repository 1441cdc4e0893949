"""Supply, heat, obstacles, encoders, EEPROM, ids: what the servos do and what the driver sees."""

import threading
from pathlib import Path

import numpy as np
import pytest

from chefmate_core.calibration import RAD_PER_TICK, ArmCalibration
from chefmate_core.joints import GRIPPER
from chefmate_core.servo import registers as reg
from chefmate_core.servo.arm import FeetechArm
from chefmate_core.servo.bus import ServoBus
from chefmate_core.servo.config import ServoConfig
from chefmate_core.servo.errors import PortLostError, ServoReadbackError, ServoSilentError
from chefmate_sim.kitchen.world import KitchenWorld
from chefmate_sim.virtual_bus import Faults, FirstOrderArm, VirtualServoBus
from chefmate_sim.virtual_bus.hardware import (
    EncoderError,
    Heat,
    RefusedEeprom,
    Sag,
    Stall,
    Twin,
)

CALIBRATION = ArmCalibration.load(
    Path(__file__).resolve().parents[4] / 'calibration' / 'follower.json'
)
START_RAD = np.array([0.1, -0.2, 0.3, -0.4, 0.5, 0.6])
HALF_A_TICK = RAD_PER_TICK / 2 + 1e-9
CONFIG = ServoConfig(
    reply_timeout_s=0.1,
    gap_timeout_s=0.03,
    register_timeout_s=0.1,
    register_retries=5,
    max_misses=3,
)
ELBOW = 2


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def model(clock):
    return FirstOrderArm(START_RAD, clock=clock)


@pytest.fixture
def virtual(model, clock, tmp_path):
    with VirtualServoBus(model, CALIBRATION, tmp_path / 'follower', clock=clock) as bus:
        yield bus


@pytest.fixture
def arm(virtual):
    arm = FeetechArm(virtual.port, CALIBRATION, CONFIG)
    arm.connect()
    yield arm
    virtual.clear_faults()
    arm.disconnect(torque_off=False)


def health_of(arm):
    return arm.read(with_health=True).health


def torque_bits(virtual):
    return [servo.memory.get(reg.TORQUE_ENABLE) for servo in virtual.servos]


def eventually(condition):
    """Wait, with a generous limit, for what the bus's thread does by itself."""
    waiting = threading.Event()
    for _ in range(1000):
        if condition():
            return
        waiting.wait(0.01)
    pytest.fail('it did not happen')


# Supply ----------------------------------------------------------------------------------------


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
    eventually(lambda: not any(servo.is_powered for servo in virtual.servos))
    sagged = START_RAD - 0.2
    model.place(sagged)
    virtual.hardware.clear()
    reading = arm.read()
    assert reading.ok
    np.testing.assert_allclose(reading.position_rad, sagged, atol=HALF_A_TICK)
    arm.set_torque(True)
    np.testing.assert_allclose(model.position_rad(), sagged, atol=2 * RAD_PER_TICK)


# Heat ------------------------------------------------------------------------------------------


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
    eventually(lambda: torque_bits(virtual)[0] == 0)


# Obstacles -------------------------------------------------------------------------------------


def stall(arm, virtual, index):
    arm.configure()
    arm.set_torque(True)
    virtual.hardware.add(Stall(index))


def push(arm, index, by_rad):
    goal = START_RAD.copy()
    goal[index] += by_rad
    arm.write_goal(goal)
    arm.read()


def test_a_stalled_joint_stands_and_pushes_up_to_its_torque_limit(arm, virtual, clock):
    stall(arm, virtual, GRIPPER)
    push(arm, GRIPPER, 0.05)
    clock.now_s += 0.1
    gentle = health_of(arm)
    push(arm, GRIPPER, 0.8)
    clock.now_s += 0.1
    hard = health_of(arm)
    assert 0.0 < gentle.load_fraction[GRIPPER] < hard.load_fraction[GRIPPER]
    assert hard.load_fraction[GRIPPER] == pytest.approx(0.5)
    assert hard.current_ma[GRIPPER] == pytest.approx(1200.0, abs=10.0)
    reading = arm.read()
    np.testing.assert_allclose(reading.position_rad, START_RAD, atol=HALF_A_TICK)
    assert not reading.velocity_rad_s.any()


def test_a_stalled_joint_pushes_the_way_it_is_told(arm, virtual, clock):
    stall(arm, virtual, ELBOW)
    for by_rad in (-0.3, 0.3):
        push(arm, ELBOW, by_rad)
        assert np.sign(health_of(arm).load_fraction[ELBOW]) == np.sign(by_rad)


def test_a_freed_joint_goes_where_it_was_pushed(arm, virtual, clock, model):
    stall(arm, virtual, ELBOW)
    push(arm, ELBOW, 0.3)
    virtual.hardware.clear(Stall)
    clock.now_s += 20.0
    assert model.position_rad()[ELBOW] == pytest.approx(START_RAD[ELBOW] + 0.3, abs=HALF_A_TICK)


def overload(arm, virtual, clock, index, by_rad=0.8):
    """Push until the protection trips."""
    stall(arm, virtual, index)
    push(arm, index, by_rad)
    memory = virtual.servos[index].memory
    for _ in range(2):
        clock.now_s += 0.01 * memory.get(reg.PROTECTION_TIME)
        arm.read()
    return memory


def test_the_overload_protection_waits_its_time_then_eases_the_torque(arm, virtual, clock):
    stall(arm, virtual, GRIPPER)
    push(arm, GRIPPER, 0.8)
    clock.now_s += 1.9
    arm.read()
    assert health_of(arm).status_bits[GRIPPER] == 0
    clock.now_s += 0.2
    arm.read()
    health = health_of(arm)
    assert health.status_bits[GRIPPER] == reg.STATUS_OVERLOAD
    assert health.load_fraction[GRIPPER] == pytest.approx(0.2)
    assert arm.torque_enabled().all()


def test_a_load_below_the_threshold_is_allowed_for_ever(arm, virtual, clock):
    stall(arm, virtual, ELBOW)
    push(arm, ELBOW, 0.15)  # three quarters of the torque; the factory's threshold is 80 %
    for _ in range(20):
        clock.now_s += 1.0
        arm.read()
    assert health_of(arm).status_bits[ELBOW] == 0


def test_a_load_that_pauses_begins_the_time_anew(arm, virtual, clock):
    stall(arm, virtual, GRIPPER)
    for _ in range(5):
        push(arm, GRIPPER, 0.8)
        clock.now_s += 1.5
        arm.read()
        push(arm, GRIPPER, 0.0)
    assert health_of(arm).status_bits[GRIPPER] == 0


def test_an_overload_ends_with_a_goal_on_the_other_side(arm, virtual, clock):
    overload(arm, virtual, clock, GRIPPER)
    push(arm, GRIPPER, 0.5)  # still into the obstacle
    assert health_of(arm).status_bits[GRIPPER] == reg.STATUS_OVERLOAD
    push(arm, GRIPPER, -0.02)
    assert health_of(arm).status_bits[GRIPPER] == 0


def test_an_overload_ends_when_torque_is_switched(arm, virtual, clock):
    overload(arm, virtual, clock, GRIPPER)
    arm.set_torque(False)
    assert health_of(arm).status_bits[GRIPPER] == 0


def test_an_overload_that_is_not_in_the_condition_is_only_shown(arm, virtual, clock):
    virtual.servos[GRIPPER].memory.set_lasting(reg.UNLOADING_CONDITION, 0)
    overload(arm, virtual, clock, GRIPPER)
    health = health_of(arm)
    assert health.status_bits[GRIPPER] == reg.STATUS_OVERLOAD
    assert health.load_fraction[GRIPPER] == pytest.approx(0.5)


def test_in_the_kitchens_physics_a_stalled_joint_stands_too(tmp_path):
    world = KitchenWorld(0)
    with VirtualServoBus(
        world, CALIBRATION, tmp_path / 'kitchen', clock=lambda: world.time_s
    ) as bus:
        arm = FeetechArm(bus.port, CALIBRATION, CONFIG)
        arm.connect()
        arm.set_torque(True)
        world.advance(0.2)
        start = arm.read().position_rad
        bus.hardware.add(Stall(0))
        arm.write_goal(start + np.array([0.4, 0.0, 0.0, 0.0, 0.0, 0.0]))
        arm.read()
        world.advance(0.5)
        assert arm.read().position_rad[0] == pytest.approx(start[0], abs=0.01)
        assert health_of(arm).load_fraction[0] == pytest.approx(1.0)
        bus.hardware.clear()
        arm.read()
        world.advance(1.0)
        assert arm.read().position_rad[0] == pytest.approx(start[0] + 0.4, abs=0.02)
        arm.disconnect(torque_off=True)


# Encoders and EEPROM ---------------------------------------------------------------------------


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


# Two servos with one id ------------------------------------------------------------------------


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


# The port --------------------------------------------------------------------------------------


@pytest.mark.parametrize('power_lost', [False, True])
def test_a_port_that_hangs_up_for_a_time_is_back_by_itself(arm, virtual, clock, power_lost):
    arm.set_torque(True)
    virtual.hang_up(power_lost, for_s=2.0)
    with pytest.raises(PortLostError):
        arm.read()
    clock.now_s = 1.0
    assert virtual.plugs_in_after_s == 1.0
    assert not virtual.is_plugged_in
    clock.now_s = 2.5
    eventually(lambda: virtual.is_plugged_in)
    arm.reconnect()
    assert arm.torque_enabled().all() != power_lost


def test_a_port_that_returns_by_itself_is_served_every_time(arm, virtual):
    for _ in range(100):  # once in a few dozen times its thread slept on
        virtual.hang_up(for_s=0.0)
        eventually(lambda: virtual.is_plugged_in)
        arm.reconnect()
    assert arm.read().ok


def test_a_hang_up_ends_early_when_the_faults_are_cleared(arm, virtual):
    virtual.hang_up(for_s=100.0)
    virtual.clear_faults()
    assert virtual.is_plugged_in
    with pytest.raises(PortLostError):
        arm.read()
    arm.reconnect()
    assert arm.read().ok


def test_a_bus_that_is_to_return_can_be_closed(model, tmp_path):
    before = set(threading.enumerate())
    link = tmp_path / 'port'
    bus = VirtualServoBus(model, CALIBRATION, link)
    bus.hang_up(for_s=0.001)
    bus.close()
    assert not bus.is_plugged_in
    assert not link.exists()
    assert set(threading.enumerate()) <= before


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
