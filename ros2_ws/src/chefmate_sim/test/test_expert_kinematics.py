"""Inverse kinematics is exact where the arm can go and says so where it cannot."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chefmate_core.errors import PolicyError
from chefmate_description import mjcf_path
from chefmate_sim.expert.grasp_geometry import tcp_in_plane, tcp_pitched
from chefmate_sim.expert.kinematics import ArmKinematics, TcpPose, UnreachableError

GUESS_RAD = np.array([0.0, -0.6, 0.9, 0.5, 0.0])


@pytest.fixture(scope='module')
def arm():
    return ArmKinematics(mjcf_path())


def test_the_zero_pose_points_straight_forward(arm):
    tcp = arm.forward(np.zeros(6))
    np.testing.assert_allclose(tcp.position_m, [0.391, 0.0, 0.226], atol=1e-3)
    np.testing.assert_allclose(tcp.approach, [1.0, 0.0, 0.0], atol=1e-6)


def test_positive_pan_turns_to_the_right(arm):
    assert arm.forward(np.array([0.5, 0, 0, 0, 0])).position_m[1] < -0.1


@settings(max_examples=60, deadline=None)
@given(
    radius_m=st.floats(0.19, 0.30),
    azimuth_rad=st.floats(-1.2, 1.2),
    height_m=st.floats(0.02, 0.15),
    pitch_rad=st.floats(0.70, 0.85),
)
def test_pitched_targets_within_reach_are_met_to_half_a_millimetre(
    arm, radius_m, azimuth_rad, height_m, pitch_rad
):
    direction = np.array([np.cos(azimuth_rad), np.sin(azimuth_rad)])
    position = np.array([*(arm.pan_axis_xy_m + radius_m * direction), height_m])
    target = tcp_pitched(arm, position, pitch_rad)
    reached = arm.forward(arm.inverse(target, GUESS_RAD))
    assert np.linalg.norm(reached.position_m - position) < 0.5e-3
    assert np.degrees(np.arcsin(-reached.approach[2])) == pytest.approx(
        np.degrees(pitch_rad), abs=0.5
    )


@settings(max_examples=60, deadline=None)
@given(
    x_m=st.floats(0.24, 0.30),
    y_m=st.floats(-0.17, -0.05),
    height_m=st.floats(0.05, 0.12),
    yaw_rad=st.floats(-0.8, 0.1),
)
def test_the_jaw_closes_along_the_normal_of_a_leaning_slice(arm, x_m, y_m, height_m, yaw_rad):
    half = np.sqrt(0.5)
    normal = np.array([half * np.cos(yaw_rad), half * np.sin(yaw_rad), half])
    target = tcp_in_plane(arm, np.array([x_m, y_m, height_m]), normal)
    reached = arm.forward(arm.inverse(target, GUESS_RAD))
    assert np.linalg.norm(reached.position_m - target.position_m) < 0.5e-3
    assert reached.rotation[:, 2] @ normal > np.cos(0.01)


@pytest.mark.parametrize('position', [(0.6, 0.0, 0.1), (0.3, 0.0, 0.6), (0.06, 0.0, 0.02)])
def test_a_pose_out_of_reach_is_a_typed_error_that_says_how_far(arm, position):
    with pytest.raises(UnreachableError, match=r'mm and .* rad away') as error:
        arm.inverse(tcp_pitched(arm, np.array(position), 0.75), GUESS_RAD)
    assert isinstance(error.value, PolicyError)


def test_an_orientation_that_five_joints_cannot_take_is_refused(arm):
    turned = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])  # approach sideways
    with pytest.raises(UnreachableError):
        arm.inverse(TcpPose(np.array([0.28, 0.0, 0.1]), turned), GUESS_RAD)


def test_the_solution_next_to_the_guess_is_found(arm):
    joints = np.array([0.3, -0.5, 0.8, 0.4, 0.2])
    solution = arm.inverse(arm.forward(joints), joints + 0.05)
    np.testing.assert_allclose(solution, joints, atol=1e-3)


def test_solutions_stay_within_the_joint_limits(arm):
    rng = np.random.default_rng(7)
    for _ in range(30):
        joints = rng.uniform(arm.lower_rad, arm.upper_rad)
        solution = arm.inverse(arm.forward(joints), joints)
        assert np.all(solution >= arm.lower_rad) and np.all(solution <= arm.upper_rad)
