import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chefmate_core.calibration import ArmCalibration
from chefmate_core.joints import GRIPPER, JOINT_NAMES
from chefmate_core.units import (
    LerobotUnits,
    lerobot_to_rad,
    rad_to_lerobot,
    ticks_to_lerobot,
)


def calibration(drive_mode: int = 0) -> ArmCalibration:
    return ArmCalibration.from_mapping(
        {
            name: {
                'id': index + 1,
                'drive_mode': drive_mode,
                'homing_offset': 0,
                'range_min': 800 + 3 * index,
                'range_max': 3200 + 2 * index,
            }
            for index, name in enumerate(JOINT_NAMES)
        },
        'test',
    )


fractions = st.lists(st.floats(0.0, 1.0), min_size=6, max_size=6)


@given(fractions, st.sampled_from(LerobotUnits), st.integers(0, 1))
def test_positions_inside_the_range_survive_the_way_to_lerobot_and_back(
    fraction, units, drive_mode
):
    arm = calibration(drive_mode)
    ticks = arm.range_min_ticks + np.array(fraction) * (arm.range_max_ticks - arm.range_min_ticks)
    position_rad = arm.ticks_to_rad(ticks)
    values = rad_to_lerobot(position_rad, arm, units)
    np.testing.assert_allclose(lerobot_to_rad(values, arm, units), position_rad, atol=1e-9)


def test_degrees_are_lerobots_360_over_4095_and_not_a_turn_of_4096():
    arm = calibration()
    values = ticks_to_lerobot(arm.middle_ticks + 100, arm)
    np.testing.assert_allclose(np.delete(values, GRIPPER), 100 * 360 / 4095)


def test_degrees_do_not_mirror_with_drive_mode_but_ranges_do():
    plain, mirrored = calibration(0), calibration(1)
    ticks = plain.middle_ticks + 50
    assert np.all(ticks_to_lerobot(ticks, plain)[:5] == ticks_to_lerobot(ticks, mirrored)[:5])
    ranged = LerobotUnits.RANGE_M100_100
    np.testing.assert_allclose(
        ticks_to_lerobot(ticks, plain, ranged)[:5],
        -ticks_to_lerobot(ticks, mirrored, ranged)[:5],
    )


@pytest.mark.parametrize('units', LerobotUnits)
@pytest.mark.parametrize('drive_mode', [0, 1])
def test_the_gripper_is_0_closed_and_100_open_in_every_convention(units, drive_mode):
    arm = calibration(drive_mode)
    closed_rad = np.full(6, -0.174533)
    assert rad_to_lerobot(closed_rad, arm, units)[GRIPPER] == pytest.approx(0.0)
    opened = np.full(6, 100.0)
    span_rad = (arm.range_max_ticks - arm.range_min_ticks)[GRIPPER] * 2 * np.pi / 4096
    opened_rad = lerobot_to_rad(opened, arm, units)[GRIPPER]
    assert opened_rad == pytest.approx(-0.174533 + span_rad)


def test_the_ends_of_the_range_are_plus_and_minus_100():
    arm = calibration()
    ranged = LerobotUnits.RANGE_M100_100
    np.testing.assert_allclose(ticks_to_lerobot(arm.range_min_ticks, arm, ranged)[:5], -100.0)
    np.testing.assert_allclose(ticks_to_lerobot(arm.range_max_ticks, arm, ranged)[:5], 100.0)


def test_ranged_values_outside_are_clipped_as_lerobot_clips_them():
    arm = calibration()
    ranged = LerobotUnits.RANGE_M100_100
    far = lerobot_to_rad(np.full(6, 250.0), arm, ranged)
    np.testing.assert_allclose(far, arm.ticks_to_rad(arm.range_max_ticks))
    assert np.all(ticks_to_lerobot(np.full(6, 4095.0), arm, ranged) == 100.0)


@pytest.mark.parametrize('units', LerobotUnits)
def test_nan_stays_nan(units):
    arm = calibration()
    assert np.isnan(lerobot_to_rad(np.full(6, np.nan), arm, units)).all()
    assert np.isnan(rad_to_lerobot(np.full(6, np.nan), arm, units)).all()


def test_whole_trajectories_convert_at_once():
    arm = calibration()
    rows = np.linspace(-0.1, 0.5, 10)[:, None] * np.ones(6)
    together = rad_to_lerobot(rows, arm)
    assert together.shape == (10, 6)
    np.testing.assert_allclose(together[3], rad_to_lerobot(rows[3], arm))
