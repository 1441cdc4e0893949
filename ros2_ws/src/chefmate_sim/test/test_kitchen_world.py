import threading

import mujoco
import numpy as np
import pytest

from chefmate_core.errors import ConfigurationError
from chefmate_core.joints import JOINT_COUNT, LOWER_LIMITS_RAD, UPPER_LIMITS_RAD
from chefmate_description.scene import HOME_POSITION_RAD, SLICE_NAMES
from chefmate_sim.kitchen.scene_builder import build_model, home_qpos
from chefmate_sim.kitchen.variation import KitchenVariation
from chefmate_sim.kitchen.world import KitchenWorld


def torque_on(world, fraction=1.0):
    for index, position_rad in enumerate(world.position_rad()):
        world.set_goal(index, float(position_rad))
        world.set_torque_limit(index, fraction)


def test_the_arm_begins_at_home_with_torque_off_and_at_rest():
    world = KitchenWorld(seed=3)
    np.testing.assert_allclose(world.position_rad(), HOME_POSITION_RAD, atol=1e-9)
    np.testing.assert_array_equal(world.velocity_rad_s(), np.zeros(JOINT_COUNT))
    np.testing.assert_array_equal(world.load_fraction(), np.zeros(JOINT_COUNT))
    assert world.time_s == 0.0
    assert not world.touched_slices()


@pytest.mark.parametrize('seed', [0, 1, 2])
def test_slices_rest_in_their_slots_though_nothing_sleeps(seed):
    # In the world itself they sleep, and a sleeping slice cannot slide: so without the flag.
    model = build_model(KitchenVariation.sample(seed), with_looks=False)
    model.opt.enableflags &= ~int(mujoco.mjtEnableBit.mjENBL_SLEEP)
    data = mujoco.MjData(model)
    data.qpos[:] = home_qpos(model)
    mujoco.mj_forward(model, data)
    before = {name: data.body(name).xpos.copy() for name in SLICE_NAMES}
    for _ in range(1500):
        mujoco.mj_step(model, data)
    for name in SLICE_NAMES:
        assert np.linalg.norm(data.body(name).xpos - before[name]) < 0.002, name
        assert np.abs(data.body(name).cvel).max() < 0.005, name


def test_slices_lean_45_degrees_with_their_top_edge_towards_the_arm():
    for pose in [KitchenWorld(seed=0).object_poses()[name] for name in SLICE_NAMES]:
        normal = pose.rotation[:, 2]
        assert np.degrees(np.arccos(normal[2])) == pytest.approx(45, abs=1)
        away_from_arm = pose.position_m[:2] / np.linalg.norm(pose.position_m[:2])
        assert normal[:2] @ away_from_arm > 0.6


def test_the_same_seed_and_commands_end_in_bitwise_the_same_state():
    def end_state():
        world = KitchenWorld(seed=11)
        torque_on(world)
        for step in range(40):
            world.set_goal(0, 0.5 * np.sin(step / 6))
            world.set_goal(1, -1.65 + step / 40)
            world.advance(0.05)
        poses = world.object_poses()
        return np.concatenate(
            [world.position_rad(), world.velocity_rad_s()]
            + [np.concatenate([p.position_m, p.quaternion_wxyz]) for p in poses.values()]
        )

    assert end_state().tobytes() == end_state().tobytes()


def test_a_reset_world_equals_a_new_one():
    used = KitchenWorld(seed=1)
    torque_on(used)
    used.set_goal(0, 1.0)
    used.advance(0.5)
    used.reset(seed=2)
    new = KitchenWorld(seed=2)
    for world in (used, new):
        world.advance(0.2)
    assert used.position_rad().tobytes() == new.position_rad().tobytes()
    assert used.time_s == new.time_s


def test_a_kitchen_can_be_laid_anew_under_an_arm_that_stays_as_it_is():
    world = KitchenWorld(seed=1)
    torque_on(world)
    world.set_goal(0, 0.9)
    world.advance(1.0)
    before = world.position_rad()
    world.reset(seed=2, keep_arm=True)
    np.testing.assert_allclose(world.position_rad(), before, atol=1e-9)
    world.advance(0.5)
    np.testing.assert_allclose(world.position_rad(), before, atol=0.002)
    fresh = KitchenWorld(seed=2).object_poses()
    for name, pose in world.object_poses().items():
        np.testing.assert_allclose(pose.position_m, fresh[name].position_m, atol=1e-4)


def test_torque_that_goes_off_while_the_kitchen_is_laid_anew_stays_off():
    world = KitchenWorld(seed=1)
    torque_on(world)
    world.advance(0.1)
    off = threading.Thread(target=lambda: [world.set_torque_limit(i, 0.0) for i in range(6)])
    off.start()
    world.reset(seed=2, keep_arm=True)
    off.join()
    world.advance(0.1)
    np.testing.assert_array_equal(world.load_fraction(), np.zeros(JOINT_COUNT))


def test_a_limp_arm_sinks_slowly_and_disturbs_nothing():
    world = KitchenWorld(seed=0)
    before = world.object_poses()
    fastest_rad_s = 0.0
    for _ in range(60):
        world.advance(0.05)
        fastest_rad_s = max(fastest_rad_s, np.abs(world.velocity_rad_s()).max())
    assert fastest_rad_s < 0.6
    assert np.abs(world.position_rad() - HOME_POSITION_RAD).max() < 0.25
    for name in SLICE_NAMES:
        np.testing.assert_array_equal(world.object_poses()[name].position_m,
                                      before[name].position_m)  # fmt: skip


def test_torque_off_in_mid_air_lets_the_arm_sink_within_its_speed():
    world = KitchenWorld(seed=0)
    torque_on(world)
    for index, goal_rad in enumerate((1.2, 0.0, 0.0, 0.0, 0.0, 0.0)):  # away from the tray
        world.set_goal(index, goal_rad)
    world.advance(2.0)
    for index in range(JOINT_COUNT):
        world.set_torque_limit(index, 0.0)
    world.advance(0.1)
    assert world.load_fraction()[1] == 0.0
    world.advance(3.0)
    assert np.all(np.isfinite(world.position_rad()))
    assert np.abs(world.velocity_rad_s()).max() < 4.9


def test_goals_are_reached_with_torque_and_ignored_without():
    world = KitchenWorld(seed=0)
    world.set_goal(4, 0.4)
    world.advance(0.5)
    assert abs(world.position_rad()[4]) < 0.01
    torque_on(world)
    world.set_goal(4, 0.4)
    world.advance(0.5)
    assert world.position_rad()[4] == pytest.approx(0.4, abs=0.01)


def test_a_servo_is_no_faster_than_its_speed_torque_line():
    world = KitchenWorld(seed=0)
    torque_on(world)
    world.set_goal(5, 1.7)
    world.set_goal(4, 2.8)
    fastest_rad_s = np.zeros(JOINT_COUNT)
    for _ in range(100):
        world.advance(0.01)
        fastest_rad_s = np.maximum(fastest_rad_s, np.abs(world.velocity_rad_s()))
    assert 3.5 < fastest_rad_s[4] < 4.85
    assert np.all(fastest_rad_s < 4.85)


def test_the_load_of_a_held_arm_is_what_gravity_asks():
    world = KitchenWorld(seed=0)
    torque_on(world)
    world.advance(1.0)
    load = world.load_fraction()
    assert -0.20 < load[2] < -0.10  # the elbow carries forearm and gripper
    assert abs(load[0]) < 0.005


def test_a_torque_limit_bounds_the_load():
    world = KitchenWorld(seed=0)
    torque_on(world, fraction=0.3)
    world.set_goal(5, 1.5)
    for _ in range(20):
        world.advance(0.01)
        assert np.all(np.abs(world.load_fraction()) <= 0.3 + 1e-9)


@pytest.mark.parametrize('goal_rad', [float('nan'), float('inf'), -float('inf')])
def test_a_goal_that_is_no_number_is_refused(goal_rad):
    with pytest.raises(ConfigurationError, match='shoulder_lift must be finite'):
        KitchenWorld(seed=0).set_goal(1, goal_rad)


@pytest.mark.parametrize('fraction', [float('nan'), -0.1, 1.1])
def test_a_torque_limit_outside_0_to_1_is_refused(fraction):
    with pytest.raises(ConfigurationError, match='fraction of stall torque'):
        KitchenWorld(seed=0).set_torque_limit(1, fraction)


@pytest.mark.parametrize('duration_s', [float('nan'), -0.1, float('inf')])
def test_time_runs_forward_by_a_finite_amount(duration_s):
    with pytest.raises(ConfigurationError, match='advances by'):
        KitchenWorld(seed=0).advance(duration_s)


def test_goals_beyond_the_mechanical_limits_end_at_the_limit():
    world = KitchenWorld(seed=0)
    torque_on(world)
    world.set_goal(5, 99.0)
    world.advance(1.5)
    assert world.position_rad()[5] == pytest.approx(UPPER_LIMITS_RAD[5], abs=0.02)
    assert np.all(world.position_rad() > LOWER_LIMITS_RAD - 0.02)


def test_another_thread_drives_the_servos_while_physics_runs():
    world = KitchenWorld(seed=0)
    torque_on(world)
    finished = threading.Event()
    seen = []

    def bus():
        while not finished.is_set():
            world.set_goal(4, 0.3)
            seen.append((world.position_rad(), world.load_fraction(), world.object_poses()))
            finished.wait(0.001)

    thread = threading.Thread(target=bus)
    thread.start()
    try:
        for _ in range(50):
            world.advance(0.02)
    finally:
        finished.set()
        thread.join()
    assert world.position_rad()[4] == pytest.approx(0.3, abs=0.01)
    assert seen
    assert all(np.all(np.isfinite(position)) for position, _, _ in seen)


def test_steps_add_up_to_the_time_asked_for_however_it_is_cut():
    world = KitchenWorld(seed=0)
    for _ in range(300):
        world.advance(1 / 300)
    assert world.time_s == pytest.approx(1.0, abs=0.002)
