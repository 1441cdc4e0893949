"""Joints that are blocked: how they push, and how the overload protection eases them."""

import numpy as np
import pytest
from virtual_arm import CALIBRATION, CONFIG, ELBOW, HALF_A_TICK, START_RAD, health_of

from chefmate_core.joints import GRIPPER
from chefmate_core.servo import registers as reg
from chefmate_core.servo.arm import FeetechArm
from chefmate_sim.kitchen.world import KitchenWorld
from chefmate_sim.virtual_bus import VirtualServoBus
from chefmate_sim.virtual_bus.hardware import Stall


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
