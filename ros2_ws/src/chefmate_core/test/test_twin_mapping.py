import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chefmate_core.errors import ConfigurationError
from chefmate_core.joints import (
    ISAAC_JOINT_NAMES,
    JOINT_NAMES,
    LOWER_LIMITS_RAD,
    UPPER_LIMITS_RAD,
)
from chefmate_core.twin.mapping import (
    JointMap,
    JointMapping,
    Refusal,
    TwinMessageError,
    joint_map,
)
from chefmate_core.twin.mapping_file import load_joint_map

HERE = np.array([0.1, -0.2, 0.3, -0.4, 0.5, 0.6])


def refusal(names, values, mapping=None):
    with pytest.raises(TwinMessageError) as caught:
        (mapping or joint_map()).from_twin(names, values)
    return caught.value


@pytest.mark.parametrize('wrong', [math.nan, math.inf, -math.inf])
def test_a_position_that_is_no_number_is_refused_by_name(wrong):
    error = refusal(ISAAC_JOINT_NAMES, [0.0, 0.0, wrong, 0.0, 0.0, 0.0])
    assert error.refusal is Refusal.NOT_FINITE
    assert 'Elbow' in str(error)


def test_a_position_of_ours_that_is_no_number_never_leaves():
    with pytest.raises(TwinMessageError):
        joint_map().to_twin(np.array([0.0, math.nan, 0.0, 0.0, 0.0, 0.0]))


def test_joints_are_found_by_name_in_any_order():
    order = [5, 3, 1, 0, 2, 4]
    found = joint_map().from_twin([ISAAC_JOINT_NAMES[i] for i in order], HERE[order])
    assert found == pytest.approx(HERE)


def test_an_order_that_changes_in_the_middle_is_followed():
    mapping = joint_map()
    for order in ([0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0], [0, 1, 2, 3, 4, 5]):
        found = mapping.from_twin([ISAAC_JOINT_NAMES[i] for i in order], HERE[order])
        assert found == pytest.approx(HERE)


def test_a_missing_joint_is_refused_by_name():
    error = refusal(ISAAC_JOINT_NAMES[:-1], HERE[:-1])
    assert error.refusal is Refusal.MISSING_NAME
    assert str(error).startswith('Jaw is missing')


@pytest.mark.parametrize(
    'names',
    [
        [f'garbage_{number}' for number in range(20_000)],
        [*ISAAC_JOINT_NAMES[:5], 'J' * 100_000],
        ['J' * 100_000] * 6,
        [f'{number}' * 1000 for number in range(12)],
    ],
)
def test_whatever_is_refused_the_refusal_stays_one_line(names):
    assert len(str(refusal(names, [0.0] * len(names)))) < 1000


def test_an_unknown_joint_is_refused_by_name():
    error = refusal((*ISAAC_JOINT_NAMES, 'Thumb'), [*HERE, 0.0])
    assert error.refusal is Refusal.UNKNOWN_NAME
    assert 'Thumb is unknown' in str(error)


def test_our_own_names_are_not_those_of_the_simulator():
    assert refusal(JOINT_NAMES, HERE).refusal is Refusal.UNKNOWN_NAME


def test_a_joint_named_twice_is_refused_by_name():
    error = refusal((*ISAAC_JOINT_NAMES[:-1], 'Elbow'), HERE)
    assert error.refusal is Refusal.DUPLICATE_NAME
    assert 'Elbow is named twice' in str(error)


def test_a_message_without_names_is_refused():
    assert refusal([], []).refusal is Refusal.MISSING_NAME


def test_names_and_positions_of_different_length_are_refused():
    assert refusal(ISAAC_JOINT_NAMES, HERE[:5]).refusal is Refusal.MALFORMED


def test_degrees_where_radians_belong_are_refused_and_called_that():
    error = refusal(ISAAC_JOINT_NAMES, np.degrees(HERE))
    assert error.refusal is Refusal.IMPLAUSIBLE
    assert 'unit: deg' in str(error)


def test_a_part_of_the_joints_is_taken_where_it_may_be_a_part():
    found = joint_map().from_twin(['Jaw'], [0.5], partial=True)
    assert found[5] == 0.5
    assert np.isnan(found[:5]).all()


@given(
    st.lists(st.sampled_from([1, -1]), min_size=6, max_size=6),
    st.lists(st.floats(-1.0, 1.0), min_size=6, max_size=6),
    st.lists(st.sampled_from(['rad', 'deg']), min_size=6, max_size=6),
    st.lists(st.floats(0.0, 1.0), min_size=6, max_size=6),
)
def test_there_and_back_is_the_same_position(signs, offsets, units, parts):
    mapping = JointMap([
        JointMapping(name, sign, offset, unit)
        for name, sign, offset, unit in zip(ISAAC_JOINT_NAMES, signs, offsets, units, strict=True)
    ])  # fmt: skip
    position = LOWER_LIMITS_RAD + np.array(parts) * (UPPER_LIMITS_RAD - LOWER_LIMITS_RAD)
    there = mapping.to_twin(position)
    assert mapping.from_twin(ISAAC_JOINT_NAMES, there) == pytest.approx(position, abs=1e-9)
    assert not mapping.counters


def test_sign_and_offset_lead_from_ours_to_the_simulator():
    joints = [JointMapping(name) for name in ISAAC_JOINT_NAMES]
    joints[1] = JointMapping('Pitch', sign=-1, offset_rad=0.5, unit='deg')
    there = JointMap(joints).to_twin(HERE)
    assert there[1] == pytest.approx(math.degrees(0.5 + 0.2))


def test_what_is_beyond_the_simulators_limits_is_clamped_and_counted():
    joints = [JointMapping(name) for name in ISAAC_JOINT_NAMES]
    joints[2] = JointMapping('Elbow', sign=-1, lower_rad=-0.1)
    mapping = JointMap(joints)
    assert mapping.to_twin(HERE)[2] == pytest.approx(-0.1)
    assert mapping.counters == {'clamped_elbow_flex': 1}
    assert mapping.limits_rad[1][2] == pytest.approx(0.1)


@pytest.mark.parametrize(
    ('wrong', 'said'),
    [
        ({'sign': 0}, 'sign'),
        ({'sign': True}, 'sign'),
        ({'offset_rad': math.nan}, 'offset_rad'),
        ({'offset_rad': '0'}, 'offset_rad'),
        ({'unit': 'ticks'}, 'rad, deg'),
        ({'lower_rad': 1.0, 'upper_rad': 0.0}, 'lower_rad'),
        ({'upper_rad': math.nan}, 'upper_rad'),
        ({'name': ''}, 'name'),
    ],
)
def test_a_mapping_that_cannot_be_is_refused_with_its_key(wrong, said):
    with pytest.raises(ConfigurationError, match=said):
        JointMapping(**{'name': 'Elbow', **wrong})


def test_limits_that_leave_nothing_of_a_joint_are_refused():
    joints = [JointMapping(name) for name in ISAAC_JOINT_NAMES]
    joints[0] = JointMapping('Rotation', lower_rad=2.5)
    with pytest.raises(ConfigurationError, match=r'Rotation.*shoulder_pan'):
        JointMap(joints)


def test_two_joints_of_one_name_are_refused():
    with pytest.raises(ConfigurationError, match='Elbow is named twice'):
        joint_map(('Rotation', 'Elbow', 'Elbow', 'Wrist_Pitch', 'Wrist_Roll', 'Jaw'))


def test_five_joints_are_too_few():
    with pytest.raises(ConfigurationError, match='found 5'):
        joint_map(ISAAC_JOINT_NAMES[:5])


def file_of(tmp_path, text):
    path = tmp_path / 'mapping.yaml'
    path.write_text(text)
    return path


ALL_SIX = ''.join(f'{name}: {{sign: -1, unit: deg}}\n' for name in JOINT_NAMES)


def test_a_file_says_what_differs(tmp_path):
    mapping = load_joint_map(file_of(tmp_path, ALL_SIX))
    assert mapping.names == ISAAC_JOINT_NAMES
    assert mapping.to_twin(HERE) == pytest.approx(-np.degrees(HERE))


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        (ALL_SIX + 'thumb: {}\n', 'thumb.*expected: shoulder_pan'),
        (ALL_SIX.replace('sign', 'sing'), 'shoulder_pan.*unknown key sing'),
        (ALL_SIX.replace('gripper', '# gripper'), 'gripper is missing'),
        (ALL_SIX.replace('deg', 'grad'), 'shoulder_pan.*unit'),
        ('[1, 2]', 'expected a mapping'),
        ('shoulder_pan: [', 'no readable YAML'),
        (ALL_SIX.replace('gripper: {', 'gripper: 3 # {'), 'gripper.*found 3'),
        (ALL_SIX + 'gripper: {}\n', 'gripper is there twice'),
        (ALL_SIX.replace('unit: deg', 'offset_rad: 90'), 'shoulder_pan.*90; give radians'),
        (ALL_SIX.replace('unit: deg', 'offset_rad: .nan'), 'shoulder_pan.*nan; give radians'),
        (ALL_SIX.replace('deg', '[deg]'), 'shoulder_pan.*unit'),
    ],
)
def test_a_file_that_is_wrong_says_where(tmp_path, text, said):
    with pytest.raises(ConfigurationError, match=f'mapping.yaml.*{said}'):
        load_joint_map(file_of(tmp_path, text))


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigurationError, match='nowhere'):
        load_joint_map(tmp_path / 'nowhere.yaml')
