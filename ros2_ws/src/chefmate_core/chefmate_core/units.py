"""LeRobot's units: what its data sets hold and its policies speak. Everything else is in rad.

A data set's convention is a choice of the person who recorded it:

* `LerobotUnits.DEGREES`: arm joints in degrees, zero at the middle of the calibrated range;
* `LerobotUnits.RANGE_M100_100`: arm joints from -100 to 100 over the calibrated range.

The gripper is 0 (closed) to 100 (open) in both. Source of the formulas:
huggingface/lerobot, `motors_bus.py`, `_normalize` and `_unnormalize` (version 0.4):
degrees are (ticks - middle) * 360 / 4095, not / 4096, and do not mirror with drive_mode; the two
ranges are clipped and do mirror. ChefMate keeps both habits, so that its data sets read the same.
"""

from enum import Enum

import numpy as np

from chefmate_core.calibration import MAX_TICK, ArmCalibration
from chefmate_core.joints import GRIPPER, JOINT_COUNT

_DEGREES_PER_TICK = 360.0 / MAX_TICK
_ARM = np.arange(JOINT_COUNT) != GRIPPER


class LerobotUnits(Enum):
    """The convention of the arm joints in a data set or policy."""

    DEGREES = 'degrees'
    RANGE_M100_100 = 'range_m100_100'


def rad_to_lerobot(
    position_rad: np.ndarray,
    calibration: ArmCalibration,
    units: LerobotUnits = LerobotUnits.DEGREES,
) -> np.ndarray:
    """Convert positions, shape (..., 6), from rad to LeRobot's units.

    The ranged values (-100..100, gripper 0..100) are clipped as LeRobot clips them.
    """
    return ticks_to_lerobot(calibration.rad_to_ticks(position_rad), calibration, units)


def lerobot_to_rad(
    values: np.ndarray,
    calibration: ArmCalibration,
    units: LerobotUnits = LerobotUnits.DEGREES,
) -> np.ndarray:
    """Convert values, shape (..., 6), from LeRobot's units to rad.

    Ranged values outside their range are clipped as LeRobot clips them; NaN stays NaN.
    """
    return calibration.ticks_to_rad(lerobot_to_ticks(values, calibration, units))


def ticks_to_lerobot(
    ticks: np.ndarray,
    calibration: ArmCalibration,
    units: LerobotUnits = LerobotUnits.DEGREES,
) -> np.ndarray:
    """Convert servo ticks, shape (..., 6), to LeRobot's units."""
    ticks = np.asarray(ticks, dtype=float)
    low, high = calibration.range_min_ticks, calibration.range_max_ticks
    fraction = (np.clip(ticks, low, high) - low) / (high - low)
    fraction = np.where(calibration.signs < 0, 1.0 - fraction, fraction)
    if units is LerobotUnits.DEGREES:
        arm = (ticks - calibration.middle_ticks) * _DEGREES_PER_TICK
    else:
        arm = fraction * 200.0 - 100.0
    return np.where(_ARM, arm, fraction * 100.0)


def lerobot_to_ticks(
    values: np.ndarray,
    calibration: ArmCalibration,
    units: LerobotUnits = LerobotUnits.DEGREES,
) -> np.ndarray:
    """Convert LeRobot's units, shape (..., 6), to servo ticks, not rounded."""
    values = np.asarray(values, dtype=float)
    low, high = calibration.range_min_ticks, calibration.range_max_ticks
    fraction = np.clip(np.where(_ARM, (values + 100.0) / 200.0, values / 100.0), 0.0, 1.0)
    fraction = np.where(calibration.signs < 0, 1.0 - fraction, fraction)
    ranged = fraction * (high - low) + low
    if units is LerobotUnits.DEGREES:
        return np.where(_ARM, values / _DEGREES_PER_TICK + calibration.middle_ticks, ranged)
    return ranged
