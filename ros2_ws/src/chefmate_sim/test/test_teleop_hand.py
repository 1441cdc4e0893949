"""A hand on a virtual leader arm, as its servos and its driver see it."""

import numpy as np
import pytest
from driver_rig import new_driver
from virtual_arm import LEADER, START_RAD, Clock, until

from chefmate_core.servo.arm import FeetechArm
from chefmate_sim.leader.hand_held_arm import HandHeldArm
from chefmate_sim.virtual_bus import VirtualServoBus


@pytest.fixture
def clock():
    return Clock(1.0)


@pytest.fixture
def leader(clock):
    return HandHeldArm(START_RAD, clock=clock)


def test_a_limp_arm_stays_where_the_hand_leaves_it(leader, clock):
    leader.move(START_RAD + 0.3)
    clock.now_s += 60.0
    assert leader.position_rad() == pytest.approx(START_RAD + 0.3)


def test_the_servos_report_the_hands_speed_until_it_stops(leader, clock):
    for _ in range(10):
        clock.now_s += 0.005
        leader.move(leader.position_rad() + 0.01)
    assert leader.velocity_rad_s() == pytest.approx(np.full(6, 2.0))
    clock.now_s += 0.1
    assert leader.velocity_rad_s() == pytest.approx(np.zeros(6))


def test_the_mechanical_limits_do_not_give_way(leader):
    assert leader.move(np.full(6, 9.0))[0] == pytest.approx(1.91986)


def test_a_joint_with_torque_holds_against_the_hand(leader):
    leader.set_goal(2, START_RAD[2])
    leader.set_torque_limit(2, 1.0)
    moved = leader.move(START_RAD + 0.4) - START_RAD
    assert moved[2] == pytest.approx(0.0)
    assert np.delete(moved, 2) == pytest.approx(np.full(5, 0.4))
    leader.set_torque_limit(2, 0.0)
    assert leader.move(START_RAD + 0.4)[2] == pytest.approx(START_RAD[2] + 0.4)


def test_a_leaders_driver_reads_the_hand_and_writes_no_goal(tmp_path):
    """The same driver code as the follower's: torque off, reads only."""
    leader = HandHeldArm(START_RAD)
    with VirtualServoBus(leader, LEADER, tmp_path / 'leader') as bus:
        before = FeetechArm(bus.port, LEADER)
        before.connect()
        before.set_torque(True)  # somebody left it holding
        before.disconnect(torque_off=False)
        readings = []
        driver = new_driver(bus.port, LEADER, on_reading=readings.append)
        driver.start()
        try:
            driver.release()
            leader.move(START_RAD + 0.25)
            until(
                lambda: (
                    readings
                    and np.allclose(readings[-1].position_rad, START_RAD + 0.25, atol=2e-3)
                )
            )
            assert driver.is_limp
        finally:
            driver.stop(torque_off=False)
        assert leader.position_rad() == pytest.approx(START_RAD + 0.25)
