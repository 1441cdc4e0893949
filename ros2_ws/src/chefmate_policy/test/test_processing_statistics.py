import numpy as np
import pytest
import torch

from chefmate_core.errors import ConfigurationError
from chefmate_policy.processing.profile import Mode
from chefmate_policy.processing.statistics import (
    WHOLE,
    Statistics,
    isaac_statistics,
    lerobot_statistics,
)


def entry(size: int, low: float = 0.0) -> dict[str, list[float]]:
    return {
        'min': [low] * size,
        'max': [low + 100.0] * size,
        'mean': [low + 50.0] * size,
        'std': [3.0] * size,
        'q01': [low + 1.0] * size,
        'q99': [low + 99.0] * size,
    }


def metadata() -> dict:
    part = {'single_arm': entry(5), 'gripper': entry(1, -1.0)}
    return {'statistics': {'state': part, 'action': part}, 'modalities': {}}


def test_isaacs_statistics_are_read_by_joint_group():
    statistics = isaac_statistics(metadata())
    gripper = statistics.of('state', 'gripper').need(Mode.MIN_MAX, 1)
    assert gripper['min'] == [-1.0] and gripper['max'] == [99.0]
    assert len(statistics.of('action', 'single_arm').need(Mode.Q99, 5)['q01']) == 5


def test_lerobots_statistics_are_read_for_the_whole_vector():
    tensors = {
        'observation.state.min': torch.zeros(6),
        'observation.state.max': torch.arange(1.0, 7.0),
        'observation.images.scene.mean': torch.zeros(3, 1, 1),
        'action.min': torch.zeros(6),
        'action.max': torch.ones(6),
    }
    statistics = lerobot_statistics(tensors)
    assert statistics.of('state', WHOLE).values['max'].tolist() == [1, 2, 3, 4, 5, 6]
    assert set(statistics.of('action', WHOLE).values) == {'min', 'max'}


@pytest.mark.parametrize('missing', ['statistics', 'state', 'action'])
def test_a_missing_table_of_the_metadata_is_named(missing):
    table = metadata()
    if missing == 'statistics':
        del table['statistics']
    else:
        del table['statistics'][missing]
    with pytest.raises(ConfigurationError, match=f"expected a table '{missing}'; found: "):
        isaac_statistics(table)


def test_a_missing_joint_group_is_named_with_those_there_are():
    with pytest.raises(ConfigurationError, match=r'state\.left_arm; there are: single_arm, gripp'):
        isaac_statistics(metadata()).of('state', 'left_arm')


def test_a_mode_names_the_statistics_that_it_lacks():
    statistics = Statistics.read('state.gripper', {'min': [0.0], 'max': [1.0]})
    with pytest.raises(
        ConfigurationError, match=r'state\.gripper: q99 needs q01, q99; missing: q'
    ):
        statistics.need(Mode.Q99, 1)


def test_missing_vectors_of_lerobot_are_named_with_the_keys_that_were_found():
    with pytest.raises(ConfigurationError, match=r'no statistics of action.*observation\.state'):
        lerobot_statistics({'observation.state.min': [0.0], 'observation.state.max': [1.0]})


@pytest.mark.parametrize('name', ['min', 'max', 'mean', 'std', 'q01', 'q99'])
@pytest.mark.parametrize('bad', [np.nan, np.inf, -np.inf])
def test_statistics_that_are_not_finite_are_refused(name, bad):
    with pytest.raises(ConfigurationError, match=rf'state\.arm: {name}: expected finite.*again'):
        Statistics.read('state.arm', {**entry(3), name: [0.0, bad, 0.0]})


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'min': [0.0, 200.0, 0.0]}, 'expected min <= max'),
        ({'q01': [200.0, 0.0, 0.0]}, 'expected q01 <= q99'),
        ({'std': [1.0, -1.0, 1.0]}, 'std: expected 0 or more'),
        ({'max': [1.0]}, 'vectors of one length'),
        ({'max': 'high'}, "max: expected numbers; found 'high'"),
    ],
)
def test_statistics_that_contradict_themselves_are_refused(change, message):
    with pytest.raises(ConfigurationError, match=message):
        Statistics.read('state.arm', {**entry(3), **change})


def test_statistics_of_another_length_than_the_group_are_refused():
    with pytest.raises(ConfigurationError, match=r'min: expected 5 numbers.*found 6'):
        Statistics.read('state.single_arm', entry(6)).need(Mode.MIN_MAX, 5)
