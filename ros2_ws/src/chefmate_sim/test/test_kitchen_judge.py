from dataclasses import replace

import numpy as np
import pytest

from chefmate_core.errors import ConfigurationError
from chefmate_core.geometry import Pose
from chefmate_description.scene import KITCHEN, SLICE_NAMES, slice_named
from chefmate_sim.kitchen.judge import judge
from chefmate_sim.kitchen.placement import initial_slice_pose, plate_pose
from chefmate_sim.kitchen.variation import KitchenVariation

VARIATION = KitchenVariation.sample(5)
SANDWICH = ('bread_slice_1', 'cheese_slice', 'patty', 'bread_slice_2')
FLAT = np.array([1.0, 0.0, 0.0, 0.0])


def in_slots():
    poses = {name: initial_slice_pose(name, VARIATION) for name in SLICE_NAMES}
    return {**poses, 'plate': plate_pose(VARIATION)}


def piled(names, poses=None):
    """Return poses with `names` flat on the middle of the plate, bottom to top."""
    poses = dict(poses or in_slots())
    height_m = KITCHEN.plate.base_thickness_m
    for name in names:
        thickness_m = slice_named(name).thickness_m
        centre_m = np.array([0.0, 0.0, height_m + thickness_m / 2])
        poses[name] = Pose(poses['plate'].position_m + centre_m, FLAT)
        height_m += thickness_m
    return poses


def moved(poses, name, offset_m):
    return {**poses, name: replace(poses[name], position_m=poses[name].position_m + offset_m)}


def tilted(poses, name, degrees):
    half = np.radians(degrees) / 2
    turned = replace(poses[name], quaternion_wxyz=np.array([np.cos(half), np.sin(half), 0, 0]))
    return {**poses, name: turned}


@pytest.mark.parametrize('goal', [(name,) for name in SLICE_NAMES] + [SANDWICH])
def test_a_goal_that_lies_as_asked_is_a_success(goal):
    verdict = judge(goal, in_slots(), piled(goal), touched=())
    assert verdict.success, verdict.unmet
    assert [one.name for one in verdict.placed] == list(goal)
    assert set(verdict.neighbour_motion_m) == set(SLICE_NAMES) - set(goal)


def test_nothing_done_is_no_success():
    verdict = judge(('patty',), in_slots(), in_slots(), touched=())
    assert not verdict.success
    assert any('from the centre of the plate' in reason for reason in verdict.unmet)
    assert any('tilted by 45' in reason for reason in verdict.unmet)


@pytest.mark.parametrize(
    ('offset_mm', 'success'), [(24.0, True), (-24.0, True), (26.0, False), (-26.0, False)]
)
def test_the_centre_counts_up_to_25_mm(offset_mm, success):
    after = moved(piled(['patty']), 'patty', [0, offset_mm / 1000, 0])
    assert judge(('patty',), in_slots(), after, touched=()).success is success


@pytest.mark.parametrize(
    ('degrees', 'success'), [(7.5, True), (-7.5, True), (8.5, False), (180.0, True)]
)
def test_the_tilt_counts_up_to_8_degrees_on_either_face(degrees, success):
    after = tilted(piled(['patty']), 'patty', degrees)
    assert judge(('patty',), in_slots(), after, touched=()).success is success


@pytest.mark.parametrize(('offset_mm', 'success'), [(5.5, True), (6.5, False)])
def test_a_neighbour_may_move_less_than_6_mm(offset_mm, success):
    after = moved(piled(['patty']), 'cheese_slice', [offset_mm / 1000, 0, 0])
    verdict = judge(('patty',), in_slots(), after, touched=())
    assert verdict.success is success
    assert verdict.neighbour_motion_m['cheese_slice'] == pytest.approx(offset_mm / 1000)


def test_a_slice_held_above_the_plate_does_not_lie_on_it():
    after = moved(piled(['patty']), 'patty', [0, 0, 0.05])
    verdict = judge(('patty',), in_slots(), after, touched=())
    assert not verdict.success
    assert '+50.0 mm' in verdict.unmet[0]


@pytest.mark.parametrize('touched', [('patty',), ('cheese_slice',)])
def test_the_arm_must_have_let_go_of_everything(touched):
    verdict = judge(('patty',), in_slots(), piled(['patty']), touched=touched)
    assert verdict.unmet == (f'the arm still touches {touched[0]}',)


def test_a_sandwich_in_the_wrong_order_is_no_sandwich():
    wrong = ('bread_slice_1', 'patty', 'cheese_slice', 'bread_slice_2')
    verdict = judge(SANDWICH, in_slots(), piled(wrong), touched=())
    assert 'patty lies below cheese_slice; the instruction puts it above' in verdict.unmet


def test_a_sandwich_without_its_top_is_no_sandwich():
    verdict = judge(SANDWICH, in_slots(), piled(SANDWICH[:3]), touched=())
    assert not verdict.success
    assert all('bread_slice_2' in reason for reason in verdict.unmet)


def test_what_lay_on_the_plate_before_is_part_of_the_pile():
    before = piled(['bread_slice_1'])
    after = piled(['bread_slice_1', 'cheese_slice'])
    assert judge(('cheese_slice',), before, after, touched=()).success


def test_a_pose_that_is_nan_passes_no_test():
    after = moved(piled(['patty']), 'patty', [np.nan] * 3)
    assert not judge(('patty',), in_slots(), after, touched=()).success
    neighbour = moved(piled(['patty']), 'cheese_slice', [np.nan] * 3)
    assert not judge(('patty',), in_slots(), neighbour, touched=()).success


@pytest.mark.parametrize('goal', [(), ('tomato',), ('patty', 'patty'), 'patty'])
def test_a_goal_that_makes_no_sense_is_refused(goal):
    with pytest.raises(ConfigurationError, match='different slices, bottom to top'):
        judge(goal, in_slots(), in_slots(), touched=())
