"""What a key means."""

import pytest

from chefmate_core.joints import JOINT_NAMES
from chefmate_core.teleop.keys import JOINT_KEYS, ORDER_KEYS, SPEEDS_RAD_S, Jog, Keyboard, Order


def test_every_joint_has_a_key_for_each_direction_and_no_key_means_two_things():
    keys = [key for pair in JOINT_KEYS.values() for key in pair] + list(ORDER_KEYS) + ['+', '-']
    assert len(set(keys)) == len(keys)
    assert tuple(JOINT_KEYS) == JOINT_NAMES


def test_a_key_moves_its_joint_and_the_one_below_it_back():
    keyboard = Keyboard()
    assert keyboard.press('e') == Jog('elbow_flex', keyboard.speed_rad_s)
    assert keyboard.press('d') == Jog('elbow_flex', -keyboard.speed_rad_s)


def test_the_speed_goes_up_and_down_and_no_further():
    keyboard = Keyboard()
    for _ in range(10):
        assert keyboard.press('+') is None
    assert keyboard.press('w') == Jog('shoulder_lift', SPEEDS_RAD_S[-1])
    for _ in range(10):
        keyboard.press('-')
    assert keyboard.press('w') == Jog('shoulder_lift', SPEEDS_RAD_S[0])


def test_space_is_the_clutch_and_ctrl_c_leaves():
    keyboard = Keyboard()
    assert keyboard.press(' ') is Order.TOGGLE_CLUTCH
    assert keyboard.press('\x03') is Order.LEAVE


@pytest.mark.parametrize('key', ['', 'E', '\x1b', '\x1b[C', 'ü', '1', '+-'])
def test_other_keys_mean_nothing(key):
    """Arrows and Esc among them: they belong to the recorder."""
    assert Keyboard().press(key) is None
