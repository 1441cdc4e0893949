import numpy as np
import pytest
from virtual_arm import Clock

from chefmate_core.joints import LOWER_LIMITS_RAD, UPPER_LIMITS_RAD
from chefmate_sim.virtual_bus import FirstOrderArm


def powered(clock, **options):
    arm = FirstOrderArm(clock=clock, **options)
    for index in range(6):
        arm.set_torque_limit(index, 1.0)
    return arm


def test_without_torque_a_joint_stays_whatever_its_goal():
    clock = Clock(100.0)
    arm = FirstOrderArm(np.full(6, 0.2), clock=clock)
    arm.set_goal(0, 1.0)
    clock.now_s += 10.0
    assert np.all(arm.position_rad() == 0.2)
    assert np.all(arm.velocity_rad_s() == 0.0)


def test_a_joint_reaches_its_goal_and_never_passes_it():
    clock = Clock(100.0)
    arm = powered(clock)
    arm.set_goal(1, 1.2)
    seen = []
    for _ in range(200):
        clock.now_s += 0.005
        seen.append(arm.position_rad()[1])
    assert np.all(np.diff(seen) >= 0.0)
    assert seen[-1] == pytest.approx(1.2, abs=1e-6)
    assert max(seen) <= 1.2


def test_no_joint_is_faster_than_its_top_speed():
    clock = Clock(100.0)
    arm = powered(clock, max_speed_rad_s=2.0)
    arm.set_goal(0, -1.5)
    before = arm.position_rad()[0]
    for _ in range(300):
        clock.now_s += 0.003
        now = arm.position_rad()[0]
        assert abs(now - before) <= 2.0 * 0.003 + 1e-12
        assert abs(arm.velocity_rad_s()[0]) <= 2.0
        before = now


def test_it_does_not_matter_how_often_the_arm_is_asked():
    coarse_clock, fine_clock = Clock(100.0), Clock(100.0)
    coarse, fine = powered(coarse_clock), powered(fine_clock)
    for arm in (coarse, fine):
        arm.set_goal(2, 0.9)
    coarse_clock.now_s += 0.3
    for _ in range(300):
        fine_clock.now_s += 0.001
        fine.position_rad()
    np.testing.assert_allclose(fine.position_rad(), coarse.position_rad(), atol=1e-9)


def test_a_joint_stops_at_its_mechanical_limits():
    clock = Clock(100.0)
    arm = powered(clock)
    for index in range(6):
        arm.set_goal(index, 9.0)
    clock.now_s += 10.0
    np.testing.assert_allclose(arm.position_rad(), UPPER_LIMITS_RAD)
    for index in range(6):
        arm.set_goal(index, -9.0)
    clock.now_s += 10.0
    np.testing.assert_allclose(arm.position_rad(), LOWER_LIMITS_RAD)
    assert np.all(arm.velocity_rad_s() == 0.0)


def test_less_torque_is_slower():
    clock = Clock(100.0)
    arm = powered(clock)
    arm.set_torque_limit(0, 0.5)
    for index in (0, 1):
        arm.set_goal(index, 1.5)
    clock.now_s += 0.1
    position = arm.position_rad()
    assert 0.0 < position[0] < position[1]


def test_a_hand_places_a_limp_arm():
    arm = FirstOrderArm(clock=Clock(100.0))
    arm.place(np.full(6, 0.3))
    assert np.all(arm.position_rad() == 0.3)
