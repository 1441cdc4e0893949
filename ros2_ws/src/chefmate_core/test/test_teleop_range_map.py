"""Leader to follower: 50 % of one calibrated range is 50 % of the other."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chefmate_core.calibration import ArmCalibration
from chefmate_core.errors import CalibrationError
from chefmate_core.joints import GRIPPER, JOINT_COUNT, JOINT_NAMES
from chefmate_core.teleop.range_map import RangeMap
from chefmate_core.units import LerobotUnits, rad_to_lerobot

FOLDER = Path(__file__).resolve().parents[4] / 'calibration'
FOLLOWER = ArmCalibration.load(FOLDER / 'follower.json')
LEADER = ArmCalibration.load(FOLDER / 'leader.json')


def changed(calibration, joint, **fields):
    joints = list(calibration.joints)
    index = JOINT_NAMES.index(joint)
    joints[index] = dataclasses.replace(joints[index], **fields)
    return ArmCalibration(tuple(joints), f'changed {calibration.source}')


def ticks_at(calibration, fraction):
    low, high = calibration.range_min_ticks, calibration.range_max_ticks
    part = np.where(calibration.signs < 0, 1.0 - fraction, fraction)
    return low + part * (high - low)


@pytest.mark.parametrize('fraction', [0.0, 0.25, 0.5, 1.0])
@pytest.mark.parametrize('drive_mode', [0, 1])
def test_a_fraction_of_the_leaders_range_is_the_same_of_the_followers(fraction, drive_mode):
    leader = changed(LEADER, 'gripper', range_min=1900, range_max=2600)
    for joint in JOINT_NAMES:
        leader = changed(leader, joint, drive_mode=drive_mode)
    mapping = RangeMap(leader, FOLLOWER)
    goal = mapping.to_follower(leader.ticks_to_rad(ticks_at(leader, fraction)))
    assert FOLLOWER.rad_to_ticks(goal) == pytest.approx(ticks_at(FOLLOWER, fraction), abs=1e-6)


@given(st.lists(st.floats(0.0, 1.0), min_size=JOINT_COUNT, max_size=JOINT_COUNT))
def test_what_lerobot_reads_of_both_arms_is_equal(fractions):
    """LeRobot sends the leader's normalised values to the follower; so must this."""
    leader = changed(changed(LEADER, 'elbow_flex', range_max=2900), 'wrist_flex', drive_mode=1)
    leader_rad = leader.ticks_to_rad(ticks_at(leader, np.array(fractions)))
    follower_rad = RangeMap(leader, FOLLOWER).to_follower(leader_rad)
    ranged = LerobotUnits.RANGE_M100_100
    assert rad_to_lerobot(follower_rad, FOLLOWER, ranged) == pytest.approx(
        rad_to_lerobot(leader_rad, leader, ranged), abs=1e-6
    )


@given(st.lists(st.floats(0.0, 1.0), min_size=JOINT_COUNT, max_size=JOINT_COUNT))
def test_the_way_back_leads_to_where_it_began(fractions):
    mapping = RangeMap(LEADER, FOLLOWER)
    leader_rad = LEADER.ticks_to_rad(ticks_at(LEADER, np.array(fractions)))
    back_rad = mapping.to_leader(mapping.to_follower(leader_rad))
    assert back_rad == pytest.approx(leader_rad, abs=1e-9)


def test_a_hand_that_leans_beyond_the_end_stays_at_the_end():
    mapping = RangeMap(LEADER, FOLLOWER)
    beyond = LEADER.ticks_to_rad(LEADER.range_max_ticks + 80.0)
    assert FOLLOWER.rad_to_ticks(mapping.to_follower(beyond)) == pytest.approx(
        FOLLOWER.range_max_ticks
    )


def test_not_a_number_stays_not_a_number():
    position = np.zeros(JOINT_COUNT)
    position[2] = np.nan
    assert np.isnan(RangeMap(LEADER, FOLLOWER).to_follower(position)[2])


def test_a_joint_that_was_not_moved_through_its_range_is_refused_by_name():
    narrow = changed(LEADER, 'elbow_flex', range_min=1900, range_max=2200)
    with pytest.raises(CalibrationError, match=r'elbow_flex: 26 degrees .* 194') as refusal:
        RangeMap(narrow, FOLLOWER)
    assert 'shoulder_pan' not in str(refusal.value)


def test_a_trigger_may_move_much_less_than_the_jaw():
    trigger = changed(LEADER, 'gripper', range_min=2018, range_max=2500)
    mapping = RangeMap(trigger, FOLLOWER)
    assert mapping.scale[GRIPPER] == pytest.approx((3281 - 2029) / (2500 - 2018))
