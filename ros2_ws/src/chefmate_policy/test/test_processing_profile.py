import dataclasses

import pytest

from chefmate_core.errors import ConfigurationError
from chefmate_core.policy.modality import Modality
from chefmate_policy.processing.profile import ISAAC, LEROBOT, Mode, find_profile


def test_isaac_sees_the_cameras_as_the_data_config_orders_them():
    assert ISAAC.cameras(Modality(('wrist', 'scene'))) == ('wrist', 'scene')


def test_lerobot_sees_the_cameras_sorted_by_name():
    assert LEROBOT.cameras(Modality(('wrist', 'scene'))) == ('scene', 'wrist')


@pytest.mark.parametrize(
    ('instruction', 'text'),
    [
        ('Pick up the bread!', "['Pick up the bread!']"),
        ("pick up the cook's bread", '["pick up the cook\'s bread"]'),
    ],
)
def test_lerobot_writes_the_instruction_as_python_writes_a_list(instruction, text):
    assert LEROBOT.text(instruction) == text


def test_isaac_writes_the_instruction_as_it_is():
    assert ISAAC.text('Pick up the bread!') == 'Pick up the bread!'


def test_cleaning_lowers_the_case_and_removes_punctuation_where_the_profile_says_so():
    cleaning = dataclasses.replace(ISAAC, clean_text=True)
    assert cleaning.text("Pick-up the cook's Bread!") == 'pickup the cooks bread'


def test_a_joint_group_may_have_a_mode_of_its_own():
    profile = dataclasses.replace(ISAAC, group_modes={'action.gripper': Mode.BINARY})
    assert profile.mode('action', 'gripper') is Mode.BINARY
    assert profile.mode('state', 'gripper') is Mode.MIN_MAX
    assert profile.mode('action', 'single_arm') is Mode.MIN_MAX


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'crop_fraction': 0.0}, 'crop_fraction: expected above 0.*found 0.0'),
        ({'crop_fraction': float('nan')}, 'crop_fraction.*found nan'),
        ({'image_size': 0}, 'image_size.*found 0'),
        ({'group_modes': {'gripper': Mode.BINARY}}, "group_modes.*found 'gripper'"),
    ],
)
def test_a_profile_that_makes_no_sense_is_refused(change, message):
    with pytest.raises(ConfigurationError, match=message):
        dataclasses.replace(ISAAC, **change)


def test_an_unknown_profile_lists_the_known_ones():
    with pytest.raises(ConfigurationError, match='isaac, lerobot'):
        find_profile('openpi')
