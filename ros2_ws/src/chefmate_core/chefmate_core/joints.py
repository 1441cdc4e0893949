"""The SO-101's joints: names, order, servo ids, mechanical limits, and the names other stacks use.

The order below is the order of every array of joints in ChefMate, shape (6,).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from chefmate_core.errors import UnknownJointError

JOINT_NAMES = (
    'shoulder_pan',
    'shoulder_lift',
    'elbow_flex',
    'wrist_flex',
    'wrist_roll',
    'gripper',
)
JOINT_COUNT = len(JOINT_NAMES)
GRIPPER = JOINT_NAMES.index('gripper')
SERVO_IDS = (1, 2, 3, 4, 5, 6)

# Names in the Isaac Sim SO-101 asset, same order.
ISAAC_JOINT_NAMES = ('Rotation', 'Pitch', 'Elbow', 'Wrist_Pitch', 'Wrist_Roll', 'Jaw')


@dataclass(frozen=True)
class JointRange:
    """Closed interval of one joint, rad."""

    lower_rad: float
    upper_rad: float


# Source: so101_new_calib.urdf (TheRobotStudio/SO-ARM100), <limit lower= upper=>.
# `tests/test_agreement.py` holds URDF, MJCF, calibration and this table together.
MECHANICAL_RANGES: Mapping[str, JointRange] = {
    'shoulder_pan': JointRange(-1.91986, 1.91986),
    'shoulder_lift': JointRange(-1.74533, 1.74533),
    'elbow_flex': JointRange(-1.69, 1.69),
    'wrist_flex': JointRange(-1.65806, 1.65806),
    'wrist_roll': JointRange(-2.74385, 2.84121),
    'gripper': JointRange(-0.174533, 1.74533),
}

LOWER_LIMITS_RAD = np.array([MECHANICAL_RANGES[name].lower_rad for name in JOINT_NAMES])
UPPER_LIMITS_RAD = np.array([MECHANICAL_RANGES[name].upper_rad for name in JOINT_NAMES])
LOWER_LIMITS_RAD.setflags(write=False)
UPPER_LIMITS_RAD.setflags(write=False)

# Speed of an STS3215 at 7.4 V without load, rad/s; the same line as the simulated servo's
# (2.94 Nm - 0.052 Nm friction) / 0.60 Nms/rad.
SERVO_MAX_SPEED_RAD_S = (2.94 - 0.052) / 0.60


def joint_index(name: str, names: Sequence[str] = JOINT_NAMES) -> int:
    """Return the index of `name` in `names`; raise UnknownJointError that lists the choices."""
    try:
        return names.index(name)
    except ValueError:
        raise UnknownJointError(
            f'unknown joint {name!r}; expected one of: {", ".join(names)}'
        ) from None


def affixed(names: Iterable[str], prefix: str = '', suffix: str = '') -> tuple[str, ...]:
    """Return `names` as stacks spell them that use a prefix or a suffix such as `_joint`."""
    return tuple(f'{prefix}{name}{suffix}' for name in names)


def degrees(values_rad: Iterable[float]) -> tuple[float, ...]:
    """Return degrees, for messages to people."""
    return tuple(math.degrees(value) for value in values_rad)
