import math

import numpy as np
import pytest

from chefmate_core.joints import LOWER_LIMITS_RAD, UPPER_LIMITS_RAD
from chefmate_description.scene import (
    CAMERAS,
    HOME_POSITION_RAD,
    KITCHEN,
    SCENE_CAMERA,
    SLICE_NAMES,
    WRIST_CAMERA,
    slice_named,
)
from chefmate_description.shapes import OrientedBox

TRAY, PLATE = KITCHEN.tray, KITCHEN.plate


def test_home_keeps_a_margin_to_every_limit():
    home = np.array(HOME_POSITION_RAD)
    margin_rad = math.radians(5)
    assert np.all(home > LOWER_LIMITS_RAD + margin_rad)
    assert np.all(home < UPPER_LIMITS_RAD - margin_rad)


def test_every_slice_has_one_slot():
    assert sorted(slot.slice_name for slot in TRAY.slots) == sorted(SLICE_NAMES)


@pytest.mark.parametrize('slot', TRAY.slots, ids=lambda slot: slot.slice_name)
def test_a_slice_fits_its_slot_and_sticks_out_for_the_gripper(slot):
    food = slice_named(slot.slice_name)
    inner_width_m = 2 * TRAY.cheek_offset_m - TRAY.sheet_m
    assert 0.001 < inner_width_m - food.width_m < 0.012
    assert food.width_m - TRAY.support_length_m >= 0.030
    assert food.thickness_m < TRAY.ledge_depth_m


def test_rows_leave_room_for_the_finger_behind_the_thickest_slice_in_front():
    near, far = sorted({slot.corner_m[0] for slot in TRAY.slots})
    front = [slot for slot in TRAY.slots if slot.corner_m[0] == near]
    thickest_m = max(slice_named(slot.slice_name).thickness_m for slot in front)
    assert far - near >= 1.41 * (thickest_m + 0.031)


@pytest.mark.parametrize('slot', TRAY.slots, ids=lambda slot: slot.slice_name)
def test_a_slice_lies_on_support_and_ledge(slot):
    food = slice_named(slot.slice_name)
    centre_m = np.array(TRAY.slice_position_m(slot))
    corner_m = np.array(slot.corner_m)
    up_the_slot = np.array([-math.cos(TRAY.lean_rad), 0, math.sin(TRAY.lean_rad)])
    normal = np.array([math.sin(TRAY.lean_rad), 0, math.cos(TRAY.lean_rad)])
    assert (centre_m - corner_m) @ up_the_slot == pytest.approx(food.width_m / 2)
    assert (centre_m - corner_m) @ normal == pytest.approx(food.thickness_m / 2)


def test_the_tray_stands_on_the_table_and_within_its_base():
    half = np.array(TRAY.base_size_m[:2]) / 2
    for part in TRAY.parts[1:]:
        assert np.all(np.abs(np.array(part.centre_m)[:2]) < half)
        assert part.centre_m[2] > TRAY.base_size_m[2]


def test_tray_and_plate_cannot_meet_whatever_the_seed():
    between_m = math.dist(TRAY.placement.position_m, PLATE.placement.position_m)
    spread_m = math.sqrt(8) * TRAY.placement.position_spread_m
    tray_radius_m = math.hypot(*TRAY.base_size_m[:2]) / 2
    assert between_m - spread_m > tray_radius_m + PLATE.diameter_m / 2


def test_the_rim_closes_and_rises():
    rim = PLATE.rim
    assert len(rim) == PLATE.rim_segments
    outer_m = PLATE.base_radius_m + PLATE.rim_width_m * math.cos(PLATE.rim_slope_rad)
    assert outer_m == pytest.approx(PLATE.diameter_m / 2)
    assert rim[0].size_m[1] * PLATE.rim_segments >= math.pi * PLATE.diameter_m
    assert rim[0].centre_m[2] > PLATE.base_thickness_m


def test_an_oriented_box_turns_about_y_then_z():
    yawed = OrientedBox((0, 0, 0), (1, 1, 1), yaw_rad=math.pi / 2).quaternion_wxyz
    np.testing.assert_allclose(yawed, [math.sqrt(0.5), 0, 0, math.sqrt(0.5)], atol=1e-12)
    pitched = OrientedBox((0, 0, 0), (1, 1, 1), pitch_rad=math.pi / 2).quaternion_wxyz
    np.testing.assert_allclose(pitched, [math.sqrt(0.5), 0, math.sqrt(0.5), 0], atol=1e-12)


@pytest.mark.parametrize('camera', CAMERAS, ids=lambda camera: camera.name)
def test_an_optical_frame_is_a_rotation_that_looks_ahead(camera):
    rotation = camera.optical_rotation
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(rotation) == pytest.approx(1)
    ahead = np.array(camera.look_at_m) - np.array(camera.position_m)
    assert rotation[:, 2] @ ahead == pytest.approx(np.linalg.norm(ahead))
    assert rotation[:, 1] @ np.array(camera.up) < 0  # y of an optical frame is down


def test_cameras_have_the_field_of_view_of_the_issue():
    assert math.degrees(WRIST_CAMERA.vertical_fov_rad) == pytest.approx(60)
    assert math.degrees(SCENE_CAMERA.vertical_fov_rad) == pytest.approx(78)
    assert SCENE_CAMERA.focal_length_px == pytest.approx(296.4, abs=0.1)


def test_an_unknown_slice_is_named_with_the_choices():
    with pytest.raises(KeyError, match='there are: bread_slice_1'):
        slice_named('tomato')
