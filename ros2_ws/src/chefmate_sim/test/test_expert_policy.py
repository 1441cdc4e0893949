"""The expert cooks and is judged by others; what it refuses, and why."""

from itertools import pairwise

import numpy as np
import pytest
from cooking import BREAD, assert_cooked, cook

from chefmate_core.errors import ConfigurationError, PolicyError, UnknownInstructionError
from chefmate_core.geometry import Pose
from chefmate_core.joints import GRIPPER
from chefmate_core.policy.protocol import HORIZON, PERIOD_S, Observation, Policy
from chefmate_sim.expert.planner import HOME_RAD
from chefmate_sim.expert.policy import ExpertPolicy
from chefmate_sim.expert.simulate import SimulationConfig
from chefmate_sim.kitchen.world import KitchenWorld

# Counters of the safety gate that say it had to change what the expert asked for.
INTERVENTIONS = ('rate_limited', 'clamped_to_limits', 'refused_absurd', 'refused_stale')


@pytest.fixture(scope='module')
def expert():
    return ExpertPolicy()


# --- the main job --------------------------------------------------------------------------------


@pytest.mark.parametrize('seed', [0, 11])
@pytest.mark.parametrize('what', ['bread slice', 'cheese slice', 'patty', 'second bread slice'])
def test_each_ingredient_gets_on_the_plate_and_nothing_else_moves(expert, what, seed):
    verdict, result, _ = cook(expert, f'pick up the {what} and place it on the plate', seed)
    assert_cooked(verdict, result)
    assert max(one.centre_error_m for one in verdict.placed) < 0.012


def test_a_sandwich_of_four_layers_is_stacked_in_order(expert):
    verdict, result, _ = cook(expert, 'make a sandwich', 3)
    assert_cooked(verdict, result)
    assert len(verdict.placed) == 4


def test_the_safety_gate_never_has_to_change_the_plan(expert):
    _, result, _ = cook(expert, BREAD, 1)
    assert {name: result.gate[name] for name in INTERVENTIONS} == dict.fromkeys(INTERVENTIONS, 0)
    assert result.timeline['starvations'] == 0


def test_the_task_ends_at_home_and_says_so(expert):
    verdict, result, simulation = cook(expert, BREAD, 2)
    assert_cooked(verdict, result)
    away = np.abs(simulation.world.joint_position_rad() - HOME_RAD)
    assert np.max(away[:GRIPPER]) < 0.1
    assert result.phases[-1][1] == 'done'


def test_phases_tell_what_happens_to_which_slice(expert):
    _, result, _ = cook(expert, BREAD, 2)
    order = [phase for _, phase in result.phases]
    expected = ['reaching', 'entering', 'closing', 'lifting', 'carrying', 'placing', 'releasing']
    assert [phase for phase in order if phase.startswith('bread_slice_1: ')][:7] == [
        f'bread_slice_1: {part}' for part in expected
    ]


def test_the_same_seed_gives_the_same_run(expert):
    ends = []
    for _ in range(2):
        _, _, simulation = cook(expert, BREAD, 5)
        ends.append(simulation.world.joint_position_rad())
    np.testing.assert_array_equal(ends[0], ends[1])


# --- time ----------------------------------------------------------------------------------------


@pytest.mark.parametrize('latency_s', [0.0, 0.15, 0.3])
def test_latency_does_not_matter(expert, latency_s):
    config = SimulationConfig(latency_s=latency_s)
    assert_cooked(*cook(expert, BREAD, 4, config=config)[:2])


def test_slow_replanning_does_not_matter(expert):
    config = SimulationConfig(replan_period_s=0.4)
    assert_cooked(*cook(expert, BREAD, 4, config=config)[:2])


def test_chunks_of_consecutive_observations_agree_where_they_overlap(expert):
    world = KitchenWorld(0)
    chunks = []

    def keep(simulation):
        chunk = simulation.last_chunk
        if chunk is not None and (not chunks or chunks[-1] is not chunk):
            chunks.append(chunk)

    cook(expert, BREAD, 0, on_step=keep, world=world)
    for older, newer in pairwise(chunks):
        stamps = older.stamp_s + np.arange(HORIZON) * PERIOD_S
        # The part of the plan that both know: up to where the older one's plan stood still.
        shared = stamps[(stamps >= newer.stamp_s) & (stamps <= newer.stamp_s + 0.1)]
        for joint in range(6):
            was = np.interp(shared, stamps, older.positions_rad[:, joint])
            grid = newer.stamp_s + np.arange(HORIZON) * PERIOD_S
            now = np.interp(shared, grid, newer.positions_rad[:, joint])
            np.testing.assert_allclose(now, was, atol=0.02)


# --- what is there already -----------------------------------------------------------------------


def test_a_slice_that_lies_on_the_plate_is_left_there(expert):
    _, _, simulation = cook(expert, BREAD, 9)
    world = simulation.world
    verdict, result, _ = cook(expert, BREAD, 9, world=world)
    assert_cooked(verdict, result)
    assert not any('reaching' in phase for _, phase in result.phases)


def test_a_sandwich_is_finished_on_the_bread_that_lies_there(expert):
    _, _, simulation = cook(expert, BREAD, 9)
    verdict, result, _ = cook(expert, 'make a sandwich', 9, world=simulation.world)
    assert_cooked(verdict, result)
    assert not any('bread_slice_1' in phase for _, phase in result.phases)


def test_a_sandwich_over_a_slice_that_belongs_on_top_is_refused(expert):
    _, _, simulation = cook(expert, 'put the cheese on the plate', 9)
    _, result, _ = cook(expert, 'make a sandwich', 9, world=simulation.world)
    assert not result.done
    assert 'bread_slice_1 belongs below cheese_slice' in result.reason


# --- bad input -----------------------------------------------------------------------------------


def observation_with(**changes):
    world_objects = KitchenWorld(0).object_poses()
    values = {
        'stamp_s': 1.0,
        'instruction': BREAD,
        'joint_position_rad': HOME_RAD,
        'joint_velocity_rad_s': np.zeros(6),
        'objects': world_objects,
    }
    return Observation(**{**values, **changes})


def test_it_is_a_policy_that_needs_object_poses_and_no_camera(expert):
    assert isinstance(expert, Policy)
    assert expert.spec.needs_objects and expert.spec.cameras == ()
    for instruction in expert.spec.known_instructions:
        expert.reset(instruction)


def test_an_unknown_instruction_is_refused_at_reset(expert):
    with pytest.raises(UnknownInstructionError, match='make a sandwich'):
        expert.reset('do my taxes')


def test_a_chunk_needs_a_task_first():
    with pytest.raises(PolicyError, match='reset'):
        ExpertPolicy().infer(observation_with())


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'joint_position_rad': np.full(6, np.nan)}, 'finite'),
        ({'joint_velocity_rad_s': np.array([0, 0, np.inf, 0, 0, 0])}, 'finite'),
        ({'joint_position_rad': np.zeros(5)}, '6 finite'),
        ({'stamp_s': np.nan}, 'stamp_s'),
        ({'objects': {}}, 'object poses'),
        ({'objects': {'tray': Pose(np.zeros(3), np.array([1.0, 0, 0, 0]))}}, 'bread_slice_1'),
    ],
)
def test_an_observation_it_cannot_use_is_refused_by_name(expert, changes, words):
    expert.reset(BREAD)
    with pytest.raises(PolicyError, match=words):
        expert.infer(observation_with(**changes))


def test_a_slice_that_lies_flat_on_the_table_is_refused_with_what_to_do(expert):
    objects = KitchenWorld(0).object_poses()
    flat = Pose(np.array([0.25, 0.0, 0.006]), np.array([1.0, 0, 0, 0]))
    expert.reset(BREAD)
    with pytest.raises(PolicyError, match=r'leans by 0 degrees.*reset the kitchen'):
        expert.infer(observation_with(objects={**objects, 'bread_slice_1': flat}))


def test_an_unknown_option_is_refused_with_the_list_of_options():
    with pytest.raises(ConfigurationError, match='grip_depth_m'):
        ExpertPolicy(speed=3)
