"""An engine behind the policy protocol: units, cameras, joints, prefix."""

import json
from pathlib import Path

import numpy as np
import pytest
from engines import StayingEngine

from chefmate_core.calibration import ArmCalibration
from chefmate_core.errors import (
    CalibrationError,
    ConfigurationError,
    PolicyError,
    UnknownInstructionError,
)
from chefmate_core.joints import GRIPPER
from chefmate_core.policy.engine import ModelOutput
from chefmate_core.policy.engine_policy import (
    EnginePolicy,
    EnginePolicyOptions,
    load_engine_policy,
)
from chefmate_core.policy.modality import JointGroup, Modality
from chefmate_core.policy.protocol import Observation, Policy
from chefmate_core.policy.registry import PolicyContext
from chefmate_core.units import LerobotUnits, rad_to_lerobot

CALIBRATION_PATH = Path(__file__).resolve().parents[4] / 'calibration' / 'follower.json'
CALIBRATION = ArmCalibration.load(CALIBRATION_PATH)
POSITION_RAD = np.array([0.3, -0.4, 0.5, -0.6, 0.7, 0.8])
IMAGES = {name: np.full((4, 6, 3), value, np.uint8) for name, value in
          (('wrist', 10), ('scene', 20))}  # fmt: skip
BOTH_UNITS = [units.value for units in LerobotUnits]


def policy_of(engine, **options):
    policy = EnginePolicy(engine, CALIBRATION, ('wrist', 'scene'), EnginePolicyOptions(**options))
    policy.reset('cook')
    return policy


def observation(**changes):
    values = {
        'stamp_s': 7.0,
        'instruction': 'cook',
        'joint_position_rad': POSITION_RAD,
        'joint_velocity_rad_s': np.zeros(6),
        'images': IMAGES,
    }
    return Observation(**(values | changes))


@pytest.mark.parametrize('units', BOTH_UNITS)
def test_radians_go_in_and_come_out_whatever_the_models_units(units):
    engine = StayingEngine()
    policy = policy_of(engine, units=units)
    assert isinstance(policy, Policy)
    chunk = policy.infer(observation())
    assert chunk.positions_rad == pytest.approx(np.tile(POSITION_RAD, (16, 1)), abs=1e-9)
    assert chunk.stamp_s == 7.0
    assert engine.requests[0].state == pytest.approx(
        rad_to_lerobot(POSITION_RAD, CALIBRATION, LerobotUnits(units))
    )


def test_timings_and_spread_of_the_engine_are_passed_on():
    chunk = policy_of(StayingEngine()).infer(observation())
    assert chunk.timings_s == {'model': 0.01}
    assert chunk.figures['spread'] == 0.25


@pytest.mark.parametrize('units', BOTH_UNITS)
def test_what_is_committed_reaches_the_model_in_its_units(units):
    engine = StayingEngine()
    committed = POSITION_RAD + 0.01 * np.arange(4)[:, None]
    chunk = policy_of(engine, units=units).infer(observation(committed_rad=committed))
    assert engine.requests[0].committed == pytest.approx(
        rad_to_lerobot(committed, CALIBRATION, LerobotUnits(units))
    )
    assert chunk.figures['committed_rows'] == 4


def test_while_nothing_is_played_nothing_is_committed():
    engine = StayingEngine()
    policy_of(engine).infer(observation())
    assert engine.requests[0].committed is None


def test_joint_groups_may_stand_in_any_order():
    groups = (JointGroup('gripper', 0, 1), JointGroup('single_arm', 1, 6))
    engine = StayingEngine(Modality(('scene',), groups, groups))
    chunk = policy_of(engine).infer(observation())
    said = rad_to_lerobot(POSITION_RAD, CALIBRATION, LerobotUnits.RANGE_M100_100)
    assert engine.requests[0].state == pytest.approx([said[GRIPPER], *said[:GRIPPER]])
    assert chunk.positions_rad[3] == pytest.approx(POSITION_RAD)


def test_a_model_of_another_robot_is_refused_with_its_groups():
    groups = (JointGroup('left_arm', 0, 7), JointGroup('right_arm', 7, 14))
    with pytest.raises(ConfigurationError, match=r'not that of an SO-101.*right_arm 7-14'):
        policy_of(StayingEngine(Modality(('scene',), groups, groups)))


def test_the_model_gets_its_cameras_under_its_own_names():
    engine = StayingEngine(Modality(('front', 'observation.images.hand')))
    policy = policy_of(engine)
    assert policy.spec.cameras == ('scene', 'wrist')
    policy.infer(observation())
    assert {name: image[0, 0, 0] for name, image in engine.requests[0].images.items()} == {
        'front': 20,
        'observation.images.hand': 10,
    }


def test_what_was_said_of_the_cameras_wins_over_their_names():
    engine = StayingEngine(Modality(('scene', 'wrist')))
    policy = policy_of(engine, cameras={'scene': 'wrist', 'wrist': 'scene'})
    assert policy.spec.cameras == ('wrist', 'scene')


@pytest.mark.parametrize(
    ('wanted', 'cameras', 'expected'),
    [
        (('ceiling', 'wrist'), {}, 'nothing stands for ceiling'),
        (('front', 'top'), {}, 'one camera stands for two'),
        (('front',), {'front': 'left'}, 'left: no such camera'),
        (('front',), {'back': 'scene'}, 'back: no such camera'),
    ],
)
def test_cameras_that_do_not_fit_are_refused_and_both_sides_listed(wanted, cameras, expected):
    with pytest.raises(ConfigurationError, match=expected) as refusal:
        policy_of(StayingEngine(Modality(wanted)), cameras=cameras)
    assert f"The model's cameras: {', '.join(wanted)}; ours: wrist, scene" in str(refusal.value)


def test_statistics_that_contradict_the_units_are_refused_with_the_option_to_set():
    low, high = np.full(6, -90.0), np.array([90.0, 90.0, 134.5, 90.0, 90.0, 100.0])
    engine = StayingEngine(state_range=(low, high))
    with pytest.raises(ConfigurationError, match=r'134.5 for elbow_flex.*"units": "degrees"'):
        policy_of(engine)
    policy_of(engine, units='degrees')


def test_statistics_at_the_ends_of_the_range_are_accepted():
    policy_of(StayingEngine(state_range=(np.full(6, -100.0), np.full(6, 100.2))))


def test_what_lies_outside_the_joints_limits_is_clipped_and_counted():
    engine = StayingEngine()
    engine.infer = lambda request: ModelOutput(np.full((16, 6), 1e6))
    chunk = policy_of(engine, units='degrees').infer(observation())
    assert np.all(chunk.positions_rad <= CALIBRATION.upper_limits_rad)
    assert chunk.figures['rows_outside_limits'] == 16


@pytest.mark.parametrize(
    ('action', 'expected'),
    [
        (np.zeros((16, 7)), r'\(16, 7\)'),
        (np.zeros(6), r'\(6,\)'),
        (np.zeros((0, 6)), r'\(0, 6\)'),
        (np.full((16, 6), np.nan), 'NaN'),
    ],
)
def test_an_answer_that_no_arm_can_play_is_refused(action, expected):
    engine = StayingEngine()
    engine.infer = lambda request: ModelOutput(action)
    with pytest.raises(PolicyError, match=expected):
        policy_of(engine).infer(observation())


def test_an_observation_without_its_camera_is_refused():
    with pytest.raises(PolicyError, match='needs images of wrist; found: scene'):
        policy_of(StayingEngine()).infer(observation(images={'scene': IMAGES['scene']}))


def test_an_empty_instruction_is_not_understood_and_another_passes_as_it_is():
    engine = StayingEngine()
    policy = policy_of(engine)
    with pytest.raises(UnknownInstructionError, match='empty'):
        policy.reset('  ')
    policy.reset(' Pick up  the BREAD! ')
    policy.infer(observation())
    assert engine.requests[0].instruction == ' Pick up  the BREAD! '


def test_an_engine_gets_ready_for_an_instruction_and_one_it_cannot_use_changes_nothing():
    engine, prepared = StayingEngine(), []

    def prepare(instruction):
        if instruction == 'too long':
            raise PolicyError('more words than the model takes')
        prepared.append(instruction)

    engine.prepare = prepare
    policy = policy_of(engine)
    with pytest.raises(PolicyError, match='more words'):
        policy.reset('too long')
    policy.infer(observation())
    assert prepared == ['cook']
    assert engine.requests[0].instruction == 'cook'


def test_a_chunk_is_played_at_the_rate_of_the_training_data_unless_told_otherwise():
    slow = Modality(('scene', 'wrist'), period_s=1 / 15, horizon=6)
    policy = policy_of(StayingEngine(slow))
    assert policy.infer(observation()).period_s == pytest.approx(1 / 15)
    assert (policy.spec.period_s, policy.spec.horizon) == (pytest.approx(1 / 15), 6)
    assert policy.spec.replan_period_s == pytest.approx(4 / 15)
    told = policy_of(StayingEngine(slow), rate_hz=10, replan_period_s=0.3)
    assert told.infer(observation()).period_s == pytest.approx(0.1)
    assert told.spec.replan_period_s == 0.3


@pytest.mark.parametrize('period_s', [0.0, -1.0, float('nan'), 100.0])
def test_a_modality_has_a_period_that_can_be_played(period_s):
    with pytest.raises(PolicyError, match='period_s'):
        Modality(('scene',), period_s=period_s)


@pytest.mark.parametrize(
    ('options', 'expected'),
    [
        ({'units': 'radians'}, 'range_m100_100'),
        ({'replan_period_s': 0}, 'replan_period_s'),
        ({'replan_period_s': float('nan')}, 'replan_period_s'),
        ({'samples': 0}, 'samples'),
        ({'samples': True}, 'samples'),
        ({'seed': 'x'}, 'seed'),
        ({'seed': 1.5}, 'seed'),
        ({'rate_hz': 0}, 'rate_hz'),
        ({'cameras': {'front': ['wrist']}}, 'cameras'),
        ({'timeout_s': -1}, 'timeout_s'),
        ({'cameras': 'front'}, 'cameras'),
    ],
)
def test_a_wrong_option_is_named_with_what_is_expected(options, expected):
    with pytest.raises(ConfigurationError, match=expected):
        EnginePolicyOptions(**options)


def test_loading_checks_and_warms_up_and_leaves_the_engine_its_own_options():
    given, told = {}, []

    def load(source, **options):
        given.update(options, source=source)
        return StayingEngine(Modality(('front', 'wrist')))

    context = PolicyContext(str(CALIBRATION_PATH), ('wrist', 'scene'), told.append)
    options = {'units': 'degrees', 'device': 'cpu', 'cameras': ['front', 'wrist']}
    policy = load_engine_policy(load, 'here', context, options)
    assert given == {'source': 'here', 'device': 'cpu', 'cameras': ['front', 'wrist']}
    assert policy._engine.is_warm
    assert told == ['loading here', "the model's camera front is scene", 'warming up staying']


def test_an_engine_that_does_not_fit_is_closed_and_never_warmed_up():
    engine = StayingEngine(Modality(('ceiling',)))
    context = PolicyContext(str(CALIBRATION_PATH), ('wrist', 'scene'))
    with pytest.raises(ConfigurationError, match='ceiling'):
        load_engine_policy(lambda source: engine, 'here', context, {})
    assert (engine.is_closed, engine.is_warm) == (True, False)


@pytest.mark.parametrize('path', ['', '/nowhere/follower.json'])
def test_without_a_calibration_nothing_is_loaded(path):
    def load(source):
        raise AssertionError('the engine was loaded')

    with pytest.raises((ConfigurationError, CalibrationError), match='calibration'):
        load_engine_policy(load, 'here', PolicyContext(path, ('wrist',)), {})


def test_the_calibration_of_the_tests_is_one_with_unequal_ranges():
    """Else these tests could not tell one joint from another."""
    ranges = {(one['range_min'], one['range_max'])
              for one in json.loads(CALIBRATION_PATH.read_text()).values()}  # fmt: skip
    assert len(ranges) > 3
