"""From the leader's joints to the follower's: 50 % of one calibrated range is 50 % of the other.

So LeRobot teleoperates, and so its data sets mean it. With two arms of one make, calibrated over
their full ranges, it is nearly the identity; for the gripper it is not: a leader has a trigger.
"""

import numpy as np

from chefmate_core.calibration import ArmCalibration
from chefmate_core.errors import CalibrationError
from chefmate_core.joints import GRIPPER, JOINT_COUNT, JOINT_NAMES

# Follower's range over leader's. Two arms of one make differ by a few percent; one that was not
# moved through its full range in its calibration differs by more, and would make a hand's small
# motion a large one of the arm. Triggers differ from jaws.
_ARM_SCALES = (0.6, 1.6)
_GRIPPER_SCALES = (0.3, 4.0)


class RangeMap:
    """Maps joint positions, rad, shape (..., 6), between two calibrated ranges."""

    def __init__(self, leader: ArmCalibration, follower: ArmCalibration) -> None:
        """Take both arms' calibrations; raise CalibrationError where their ranges do not fit."""
        self._leader_low, leader_high = _range_rad(leader)
        self._follower_low, follower_high = _range_rad(follower)
        self._leader_span = leader_high - self._leader_low
        self._follower_span = follower_high - self._follower_low
        self.scale = self._follower_span / self._leader_span  # (6,) of velocities
        self.scale.setflags(write=False)
        problems = [
            f'{JOINT_NAMES[index]}: {np.degrees(self._leader_span[index]):.0f} degrees of the '
            f'leader are {np.degrees(self._follower_span[index]):.0f} of the follower'
            for index in range(JOINT_COUNT)
            if not _fits(index, self.scale[index])
        ]
        if problems:
            raise CalibrationError(
                f'the calibrations {leader.source} (leader) and {follower.source} (follower) do '
                f'not fit one another: {"; ".join(problems)}. One of the two was not moved '
                'through its full range: calibrate that joint again (chefmate calibrate)'
            )

    def to_follower(self, leader_rad: np.ndarray) -> np.ndarray:
        """Return the follower's positions; beyond the leader's range, the end of the range."""
        return self._follower_low + self.fraction(leader_rad) * self._follower_span

    def to_leader(self, follower_rad: np.ndarray) -> np.ndarray:
        """Return the leader's positions that stand for the follower's; the way back."""
        part = (np.asarray(follower_rad, dtype=float) - self._follower_low) / self._follower_span
        return self._leader_low + np.clip(part, 0.0, 1.0) * self._leader_span

    def fraction(self, leader_rad: np.ndarray) -> np.ndarray:
        """Return where in their ranges the leader's joints are, 0 to 1; NaN stays NaN."""
        part = (np.asarray(leader_rad, dtype=float) - self._leader_low) / self._leader_span
        return np.clip(part, 0.0, 1.0)


def _range_rad(calibration: ArmCalibration) -> tuple[np.ndarray, np.ndarray]:
    """Both ends of the calibrated ranges in rad, the lower first; the gripper's is closed."""
    ends = (
        calibration.ticks_to_rad(calibration.range_min_ticks),
        calibration.ticks_to_rad(calibration.range_max_ticks),
    )
    return np.minimum(*ends), np.maximum(*ends)


def _fits(index: int, scale: float) -> bool:
    low, high = _GRIPPER_SCALES if index == GRIPPER else _ARM_SCALES
    return low <= scale <= high
