import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chefmate_core.calibration import (
    MAX_TICK,
    RAD_PER_TICK,
    ArmCalibration,
    JointCalibration,
)
from chefmate_core.errors import CalibrationError
from chefmate_core.joints import GRIPPER, JOINT_NAMES, LOWER_LIMITS_RAD, UPPER_LIMITS_RAD

EXAMPLES = Path(__file__).resolve().parents[4] / 'calibration'


def example() -> dict:
    return {
        name: {
            'id': index + 1,
            'drive_mode': 0,
            'homing_offset': 100 * index - 250,
            'range_min': 700 + index,
            'range_max': 3300 + index,
        }
        for index, name in enumerate(JOINT_NAMES)
    }


@st.composite
def calibrations(draw: st.DrawFn) -> ArmCalibration:
    ids = draw(st.permutations(range(1, 7)))
    joints = []
    for servo_id in ids:
        low = draw(st.integers(0, MAX_TICK - 1))
        joints.append(
            JointCalibration(
                id=servo_id,
                drive_mode=draw(st.integers(0, 1)),
                homing_offset=draw(st.integers(-2047, 2047)),
                range_min=low,
                range_max=draw(st.integers(low + 1, MAX_TICK)),
            )
        )
    return ArmCalibration(tuple(joints))


ticks = st.lists(st.integers(0, MAX_TICK), min_size=6, max_size=6)


@pytest.mark.parametrize('name', ['follower.json', 'leader.json'])
def test_the_examples_have_exact_zeros_and_the_mechanical_limits(name):
    calibration = ArmCalibration.load(EXAMPLES / name)
    zeros = calibration.ticks_to_rad(calibration.middle_ticks)
    assert np.all(np.delete(zeros, GRIPPER) == 0.0)
    assert np.all(np.delete(calibration.middle_ticks, GRIPPER) % 1 == 0)
    np.testing.assert_allclose(calibration.lower_limits_rad, LOWER_LIMITS_RAD, atol=1e-9)
    np.testing.assert_allclose(calibration.upper_limits_rad, UPPER_LIMITS_RAD, atol=1e-9)
    assert np.count_nonzero(calibration.homing_offset_ticks) == 6


@given(calibrations(), ticks)
def test_ticks_survive_the_way_to_rad_and_back(calibration, values):
    back = calibration.rad_to_ticks(calibration.ticks_to_rad(np.array(values)))
    np.testing.assert_allclose(back, values, atol=1e-6)


@given(calibrations(), st.lists(st.floats(-1e3, 1e3), min_size=6, max_size=6))
def test_a_goal_is_within_one_rounding_of_what_was_asked_and_inside_the_limits(
    calibration, wanted_rad
):
    goal = calibration.rad_to_goal_ticks(np.array(wanted_rad))
    limits = (calibration.lower_limits_rad, calibration.upper_limits_rad)
    goal_rad = calibration.ticks_to_rad(goal)
    holds_a_tick = calibration.goal_min_ticks <= calibration.goal_max_ticks
    inside = (goal_rad >= limits[0] - 1e-8) & (goal_rad <= limits[1] + 1e-8)
    assert np.all(inside | ~holds_a_tick)
    assert np.all(goal >= 0)
    assert np.all(goal <= MAX_TICK)
    clipped = np.clip(wanted_rad, *limits)
    assert np.all((np.abs(goal_rad - clipped) <= RAD_PER_TICK + 1e-8) | ~holds_a_tick)


@given(calibrations())
def test_limits_lie_inside_the_mechanical_range_and_in_order(calibration):
    assert np.all(calibration.lower_limits_rad >= LOWER_LIMITS_RAD)
    assert np.all(calibration.upper_limits_rad <= UPPER_LIMITS_RAD)
    assert np.all(calibration.lower_limits_rad < calibration.upper_limits_rad)


@given(calibrations())
def test_a_saved_file_loads_as_the_same_calibration(calibration):
    again = ArmCalibration.from_mapping(json.loads(json.dumps(calibration.to_mapping())), 'again')
    assert again == calibration


def test_save_and_load_keep_every_number(tmp_path):
    calibration = ArmCalibration.from_mapping(example(), 'example')
    calibration.save(tmp_path / 'arm.json')
    assert ArmCalibration.load(tmp_path / 'arm.json').to_mapping() == example()


def test_rad_is_zero_in_the_middle_and_one_tick_is_a_4096th_of_a_turn():
    calibration = ArmCalibration.from_mapping(example(), 'example')
    one_up = calibration.ticks_to_rad(calibration.middle_ticks + 1)
    np.testing.assert_allclose(np.delete(one_up, GRIPPER), 2 * np.pi / 4096)


@pytest.mark.parametrize('drive_mode', [0, 1])
def test_the_closed_gripper_is_at_its_mechanical_lower_limit(drive_mode):
    content = example()
    content['gripper']['drive_mode'] = drive_mode
    calibration = ArmCalibration.from_mapping(content, 'example')
    closed = 'range_max' if drive_mode else 'range_min'
    ticks_at_closed = np.full(6, content['gripper'][closed])
    assert calibration.ticks_to_rad(ticks_at_closed)[GRIPPER] == pytest.approx(-0.174533)
    other = 'range_min' if drive_mode else 'range_max'
    assert calibration.ticks_to_rad(np.full(6, content['gripper'][other]))[GRIPPER] > 1.7


def test_drive_mode_mirrors_a_joint_about_its_zero():
    plain = ArmCalibration.from_mapping(example(), 'plain')
    first = replace(plain.joints[0], drive_mode=1)
    mirrored = ArmCalibration((first, *plain.joints[1:]))
    some = np.full(6, 1234.0)
    assert mirrored.ticks_to_rad(some)[0] == pytest.approx(-plain.ticks_to_rad(some)[0])
    assert np.all(mirrored.ticks_to_rad(some)[1:] == plain.ticks_to_rad(some)[1:])


def test_a_full_turn_wrist_roll_as_lerobot_writes_it_keeps_the_mechanical_limits():
    content = example()
    content['wrist_roll'].update(range_min=0, range_max=4095)
    calibration = ArmCalibration.from_mapping(content, 'example')
    assert calibration.lower_limits_rad[4] == LOWER_LIMITS_RAD[4]
    assert calibration.upper_limits_rad[4] == UPPER_LIMITS_RAD[4]


def edited(joint, key, value):
    content = example()
    content[joint][key] = value
    return content


def without(joint, key=None):
    content = example()
    if key is None:
        del content[joint]
    else:
        del content[joint][key]
    return content


@pytest.mark.parametrize(
    ('content', 'says'),
    [
        (without('elbow_flex'), 'missing joint: elbow_flex'),
        (without('elbow_flex', 'range_min'), 'missing field: range_min'),
        ({**example(), 'elbow': {}}, 'unknown joint: elbow'),
        (edited('gripper', 'offset', 3), 'unknown field: offset'),
        (edited('gripper', 'range_min', 700.5), 'range_min is 700.5'),
        (edited('gripper', 'range_min', '700'), "range_min is '700'"),
        (edited('gripper', 'range_min', None), 'range_min is None'),
        (edited('gripper', 'range_min', True), 'range_min is True'),
        (edited('gripper', 'homing_offset', float('nan')), 'homing_offset is nan'),
        (edited('gripper', 'homing_offset', 2048), 'homing_offset is 2048'),
        (edited('gripper', 'range_max', 4096), 'range_max is 4096'),
        (edited('gripper', 'range_min', -1), 'range_min is -1'),
        (edited('gripper', 'drive_mode', 2), 'drive_mode is 2'),
        (edited('gripper', 'id', 254), 'id is 254'),
        (edited('wrist_roll', 'range_max', 704), 'range_min 704 is not below range_max 704'),
        (edited('gripper', 'id', 3), 'elbow_flex and gripper both have servo id 3'),
        ({**example(), 'gripper': [1, 2]}, 'joint gripper: found [1, 2]'),
        ([], 'found a list'),
        (None, 'found a NoneType'),
    ],
)
def test_a_malformed_calibration_says_what_is_wrong_and_where(content, says):
    with pytest.raises(CalibrationError) as caught:
        ArmCalibration.from_mapping(content, 'arm.json')
    assert says in str(caught.value)
    assert 'arm.json' in str(caught.value)


@pytest.mark.parametrize(
    ('text', 'says'),
    [
        ('{"shoulder_pan": ', 'not a valid JSON file'),
        ('', 'not a valid JSON file'),
        ('{"a": 1, "a": 2}', "'a' appears twice"),
        (json.dumps(edited('gripper', 'range_min', float('nan'))), 'range_min is nan'),
    ],
)
def test_a_broken_file_says_so(tmp_path, text, says):
    path = tmp_path / 'arm.json'
    path.write_text(text)
    with pytest.raises(CalibrationError, match=says) as caught:
        ArmCalibration.load(path)
    assert str(path) in str(caught.value)


def test_a_missing_or_unreadable_file_says_so(tmp_path):
    with pytest.raises(CalibrationError, match='no such file'):
        ArmCalibration.load(tmp_path / 'none.json')
    with pytest.raises(CalibrationError, match='cannot be read'):
        ArmCalibration.load(tmp_path)
    (tmp_path / 'binary.json').write_bytes(b'\xff\xfe\x00')
    with pytest.raises(CalibrationError, match='cannot be read'):
        ArmCalibration.load(tmp_path / 'binary.json')


def test_a_wrong_number_of_joints_is_refused():
    with pytest.raises(CalibrationError, match='found 5 joints'):
        ArmCalibration(ArmCalibration.from_mapping(example(), 'x').joints[:5])


def test_the_arrays_cannot_be_changed_by_accident():
    calibration = ArmCalibration.from_mapping(example(), 'example')
    with pytest.raises(ValueError, match='read-only'):
        calibration.lower_limits_rad[0] = 0.0
