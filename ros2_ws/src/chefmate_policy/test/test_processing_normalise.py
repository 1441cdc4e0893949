import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from chefmate_core.errors import ConfigurationError, PolicyError
from chefmate_core.policy.modality import SO101_GROUPS, JointGroup
from chefmate_policy.processing.normalise import VectorNormaliser, denormalise, normalise
from chefmate_policy.processing.profile import Mode
from chefmate_policy.processing.statistics import Statistics

LIMIT = 1e4  # beyond any joint's units: degrees, ticks, percent


@st.composite
def ranges(draw) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Low, high and a value between, (4,); the third column leaves no range."""
    low = np.array(draw(st.lists(st.floats(-LIMIT, LIMIT), min_size=4, max_size=4)))
    span = np.array(draw(st.lists(st.floats(1e-2, LIMIT), min_size=4, max_size=4)))
    span[2] = 0.0
    fraction = np.array(draw(st.lists(st.floats(0.0, 1.0), min_size=4, max_size=4)))
    return low, low + span, low + fraction * span


def values_of(mode: Mode, low: np.ndarray, high: np.ndarray) -> dict[str, torch.Tensor]:
    names = {Mode.MEAN_STD: ('mean', 'std'), Mode.Q99: ('q01', 'q99')}.get(mode, ('min', 'max'))
    second = high - low if mode is Mode.MEAN_STD else high
    return dict(zip(names, (torch.from_numpy(low), torch.from_numpy(second)), strict=True))


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
@pytest.mark.parametrize('mode', [Mode.MIN_MAX, Mode.Q99, Mode.MEAN_STD, Mode.SCALE])
@given(ranges())
def test_numbers_survive_normalisation_and_its_inverse(mode, dtype, drawn):
    low, high, x = drawn
    values = values_of(mode, low, high)
    there = normalise(torch.from_numpy(x).to(dtype), mode, values)
    back = denormalise(there, mode, values).double().numpy()
    # Rounding of the type, relative to the largest number that took part.
    largest = np.maximum(np.abs(low), np.abs(high))
    assert np.all(np.abs(back - x) <= 8 * torch.finfo(dtype).eps * largest + 1e-30)


@given(ranges())
def test_min_max_maps_the_range_to_minus_one_to_one(drawn):
    low, high, _ = drawn
    values = values_of(Mode.MIN_MAX, low, high)
    has_range = low != high
    assert np.allclose(
        normalise(torch.from_numpy(low), Mode.MIN_MAX, values), np.where(has_range, -1, 0)
    )
    assert np.allclose(
        normalise(torch.from_numpy(high), Mode.MIN_MAX, values), np.where(has_range, 1, 0)
    )


@pytest.mark.parametrize(
    ('mode', 'x', 'expected'),
    [
        (Mode.MIN_MAX, [0.0, 5.0, 20.0, 7.0], [-1.0, 0.0, 3.0, 0.0]),
        (Mode.Q99, [0.0, 5.0, 20.0, 0.25], [-1.0, 0.0, 1.0, 0.25]),
        (Mode.MEAN_STD, [0.0, 5.0, 20.0, 7.0], [0.0, 0.5, 2.0, 7.0]),
        (Mode.SCALE, [0.0, 5.0, -20.0, 7.0], [0.0, 0.5, -2.0, 0.0]),
        (Mode.BINARY, [0.0, 0.5, 0.51, 7.0], [0.0, 0.0, 1.0, 1.0]),
    ],
)
def test_the_modes_give_the_numbers_that_upstream_gives(mode, x, expected):
    """The last column has no range: low and high are both zero."""
    low, high = np.zeros(4), np.array([10.0, 10.0, 10.0, 0.0])
    there = normalise(torch.tensor(x), mode, values_of(mode, low, high))
    assert there.tolist() == expected


def test_binary_comes_back_as_zero_or_one():
    assert denormalise(torch.tensor([-0.3, 0.4, 0.6]), Mode.BINARY, {}).tolist() == [0, 0, 1]


@pytest.mark.parametrize('mode', [Mode.MIN_MAX, Mode.Q99, Mode.MEAN_STD])
def test_without_a_range_the_inverse_is_the_one_known_value_whatever_the_model_says(mode):
    constant = np.full(4, 42.0)
    values = values_of(mode, constant, constant)
    assert denormalise(torch.tensor([-1.0, 0.0, 0.3, 9.0]), mode, values).tolist() == [42.0] * 4


def arm_statistics(low: float, high: float) -> list[tuple[JointGroup, Mode, Statistics]]:
    return [
        (
            group,
            Mode.MIN_MAX,
            Statistics.read(
                f'state.{group.name}',
                {
                    'min': [low] * (group.stop - group.start),
                    'max': [high] * (group.stop - group.start),
                },
            ),
        )
        for group in SO101_GROUPS
    ]


def test_a_vector_is_padded_with_zeros_to_what_the_model_takes():
    state = VectorNormaliser('state', arm_statistics(0, 100), 64)
    packed = state.encode(torch.tensor([[0.0, 25, 50, 75, 100, 50]]))
    assert packed.shape == (1, 64)
    assert packed[0, :6].tolist() == [-1, -0.5, 0, 0.5, 1, 0]
    assert not packed[0, 6:].any()


def test_groups_stand_in_the_models_vector_in_their_order_not_the_data_sets():
    gripper_first = VectorNormaliser('action', arm_statistics(0, 100)[::-1], 32)
    row = torch.tensor([0.0, 25, 50, 75, 100, 90])
    packed = gripper_first.encode(row)
    assert packed[:6].tolist() == pytest.approx([0.8, -1, -0.5, 0, 0.5, 1])
    assert gripper_first.decode(packed).tolist() == pytest.approx(row.tolist())


def test_batches_go_through_as_they_are():
    action = VectorNormaliser('action', arm_statistics(-90, 90), 32)
    rows = torch.rand(3, 16, 6, dtype=torch.float64) * 180 - 90
    assert torch.allclose(action.decode(action.encode(rows)), rows)


@pytest.mark.parametrize('bad', [float('nan'), float('inf'), -float('inf')])
def test_a_state_that_is_not_finite_is_refused(bad):
    state = VectorNormaliser('state', arm_statistics(0, 100), 64)
    with pytest.raises(PolicyError, match='state: expected finite'):
        state.encode(torch.tensor([0, 0, bad, 0, 0, 0]))


@pytest.mark.parametrize('length', [0, 5, 7])
def test_a_state_of_another_length_is_refused_with_the_groups_it_should_have(length):
    state = VectorNormaliser('state', arm_statistics(0, 100), 64)
    with pytest.raises(PolicyError, match=rf'\(\.\.\., 6\): single_arm, gripper.*\({length},\)'):
        state.encode(torch.zeros(length))


def test_more_joints_than_the_model_has_room_for_are_refused():
    with pytest.raises(ConfigurationError, match=r'1 to 4 numbers.*found 6'):
        VectorNormaliser('state', arm_statistics(0, 100), 4)
