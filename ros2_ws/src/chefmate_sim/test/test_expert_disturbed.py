"""The expert goes on when the arm is held, pushed, late or starved, and loses no slice by it."""

import numpy as np
import pytest
from cooking import BREAD, assert_cooked, cook

from chefmate_core.joints import GRIPPER
from chefmate_core.policy.protocol import Observation
from chefmate_core.safety.config import load_preset
from chefmate_sim.expert.policy import ExpertPolicy
from chefmate_sim.kitchen.world import KitchenWorld


@pytest.fixture(scope='module')
def expert():
    return ExpertPolicy()


def drive_to(world, position_rad):
    for index, goal_rad in enumerate(position_rad):
        world.set_torque_limit(index, 1.0)
        world.set_goal(index, goal_rad)
    world.advance(1.5)


@pytest.mark.parametrize('held_from_s', [1.0, 3.2, 4.5, 6.0, 8.0])
def test_an_emergency_stop_interrupts_the_plan_and_does_not_spoil_it(expert, held_from_s):
    def hold(simulation):
        now_s = simulation.world.time_s
        if held_from_s <= now_s < held_from_s + 2.0:
            simulation.gate.engage_estop()
        elif simulation.gate.mode == 'estopped':
            simulation.gate.release_estop()

    verdict, result, simulation = cook(expert, BREAD, 6, on_step=hold)
    assert simulation.gate.counters['estops'] == 1
    assert_cooked(verdict, result)


@pytest.mark.parametrize('starved_from_s', [1.0, 4.5, 6.0])
def test_a_policy_that_stops_for_a_while_goes_on_where_the_arm_was_left(expert, starved_from_s):
    def starve(simulation):
        now_s = simulation.world.time_s
        simulation.policy_is_running = not starved_from_s <= now_s < starved_from_s + 4.0

    verdict, result, _ = cook(expert, BREAD, 7, on_step=starve)
    assert result.timeline['starvations'] >= 1
    assert_cooked(verdict, result)


def test_the_plan_does_not_race_ahead_of_a_held_arm(expert):
    world = KitchenWorld(0)
    expert.reset(BREAD)
    position = world.joint_position_rad()
    for step in range(50):  # 10 s during which the arm does not move
        observation = Observation(
            0.2 * step, BREAD, position, np.zeros(6), objects=world.object_poses()
        )
        chunk = expert.infer(observation)
        # Once it is known that the arm is held, it is offered a small step and no more.
        assert step < 5 or np.max(np.abs(chunk.positions_rad - position)[:, :GRIPPER]) < 0.1
        assert not chunk.done


@pytest.mark.parametrize('instruction', [BREAD, 'pick up the patty and place it on the plate'])
def test_an_arm_that_is_spared_cooks_the_same_way_at_half_speed(expert, monkeypatch, instruction):
    _, whole, _ = cook(expert, instruction, 3)
    hot_c = load_preset('careful').health.temperature_c.derate + 1.0
    monkeypatch.setattr('chefmate_sim.expert.simulate.SERVO_C', hot_c)
    verdict, result, simulation = cook(expert, instruction, 3)
    assert_cooked(verdict, result)
    assert simulation.gate.counters['health_derate'] == 1
    assert result.gate['rate_limited'] == 0, 'the path is played slowly, not cut short'
    assert 1.6 < result.duration_s / whole.duration_s < 2.2


def test_a_slice_that_slips_from_the_jaw_is_grasped_again(expert):
    slips = []

    def slip(simulation):
        lifting = simulation.phase.startswith('bread_slice_1: lifting')
        if lifting and not slips:
            slips.append(simulation.world.time_s)
            simulation.world.set_torque_limit(GRIPPER, 0.0)
        elif slips and simulation.world.time_s > slips[0] + 0.6:
            simulation.world.set_torque_limit(GRIPPER, 0.5)

    verdict, result, _ = cook(expert, BREAD, 3, on_step=slip)
    assert [phase for _, phase in result.phases].count('bread_slice_1: closing') == 2
    assert_cooked(verdict, result)


def test_an_arm_that_was_moved_by_hand_stops_and_after_its_release_finds_a_new_way(expert):
    def push(simulation):  # while it reaches: the shoulder is turned away, then let go
        now_s = simulation.world.time_s
        simulation.override = {0: -0.6} if 0.8 <= now_s < 1.8 else {}
        if now_s >= 2.5 and simulation.gate.mode == 'estopped':
            simulation.gate.release_estop()

    verdict, result, simulation = cook(expert, BREAD, 3, on_step=push)
    assert_cooked(verdict, result)
    assert simulation.gate.counters['health_stop'] == 1
    assert any('waiting' in phase for _, phase in result.phases)


@pytest.mark.parametrize(
    'start_rad',
    [
        (0.0, 0.0, 0.0, 0.0, 0.0, 0.0),  # stretched out
        (-0.6, -0.2, 0.7, 0.25, 0.05, 0.0),  # low over the plate
        (0.6, -0.9, 0.5, 1.1, 0.0, 1.0),  # over the tray, jaw open
        (1.2, -1.0, 1.0, 0.3, 1.0, 0.3),  # far to the right, rolled
    ],
)
def test_the_task_begins_from_any_pose(expert, start_rad):
    world = KitchenWorld(8)
    drive_to(world, start_rad)
    assert_cooked(*cook(expert, BREAD, 8, world=world)[:2])


# Silences after which the gate blends, in the moments where the jaw is about to act or just did:
# the slice was closed upon before the arm was there, or dropped on the way out of its slot.
@pytest.mark.parametrize(
    ('seed', 'silent_from_s'), [(0, 1.5), (0, 3.75), (3, 4.25)], ids=['entering', 'out', 'out, 3']
)
def test_a_moment_without_commands_costs_no_slice(expert, seed, silent_from_s):
    def be_silent(simulation):
        now_s = simulation.world.time_s
        simulation.is_commanded = not silent_from_s <= now_s < silent_from_s + 0.3

    verdict, result, _ = cook(expert, BREAD, seed, on_step=be_silent)
    assert result.gate['blends'] == 2  # at the begin of the task, and after the silence
    assert [phase for _, phase in result.phases].count('bread_slice_1: closing') == 1
    assert_cooked(verdict, result)


@pytest.mark.parametrize('joint', [0, 1, 2])
@pytest.mark.parametrize('pushed_from_s', [4.0, 4.25])
def test_an_arm_that_is_pushed_while_it_lifts_keeps_what_it_holds(expert, joint, pushed_from_s):
    begun_at_rad = []

    def push(simulation):
        since_s = simulation.world.time_s - pushed_from_s
        simulation.override = {}
        if 0.0 <= since_s < 0.8:
            begun_at_rad.append(simulation.world.joint_position_rad()[joint])
            by_rad = (0.25, -0.3, -0.3)[joint] * min(1.0, since_s / 0.3)
            simulation.override = {joint: begun_at_rad[0] + by_rad}

    verdict, result, _ = cook(expert, BREAD, 0, on_step=push)
    phases = [phase for _, phase in result.phases]
    assert 'bread_slice_1: lifting (waiting: the arm was held or moved)' in phases
    assert 'bread_slice_1: backing out' not in phases  # it would open the jaw
    assert phases.count('bread_slice_1: closing') == 1
    assert result.done, result.reason
    assert verdict.placed[0].centre_error_m < 0.025, 'a neighbour may have been touched'
