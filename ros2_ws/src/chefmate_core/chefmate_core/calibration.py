"""The arm's calibration: LeRobot's JSON as it is, and the only conversion of ticks to radians.

Definition of a joint's radian in ChefMate (`docs/conventions.md` quotes it):

* one encoder tick is 2*pi/4096 rad (STS3215: 4096 ticks a turn);
* arm joints: zero is the middle of [range_min, range_max];
* gripper: the closed end is the mechanical lower limit, -0.174533 rad. The closed end is
  range_min, or range_max where drive_mode is 1;
* sign: +1 for drive_mode 0, -1 for drive_mode 1. With drive_mode 0 the signs of the ticks, of
  LeRobot's degrees and of so101_new_calib.urdf agree.

A tick here is what the servo reports and accepts: actual position minus homing offset, 0..4095.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from functools import cached_property
from pathlib import Path

import numpy as np

from chefmate_core.errors import CalibrationError
from chefmate_core.joints import (
    GRIPPER,
    JOINT_NAMES,
    LOWER_LIMITS_RAD,
    UPPER_LIMITS_RAD,
)

# Source: STS3215 datasheet, magnetic encoder of 12 bits.
TICKS_PER_TURN = 4096
MAX_TICK = TICKS_PER_TURN - 1
RAD_PER_TICK = 2 * np.pi / TICKS_PER_TURN

# Source: STS memory table, register 31 (homing offset): 11 bits and a sign.
MAX_HOMING_OFFSET = 2047
MAX_SERVO_ID = 253

_WHAT_TO_DO = 'Calibrate the arm again with `chefmate calibrate`, or copy the right file.'


@dataclass(frozen=True)
class JointCalibration:
    """One joint's entry of the file. Field names and meaning are LeRobot's; positions in ticks."""

    id: int
    drive_mode: int
    homing_offset: int
    range_min: int
    range_max: int


_FIELDS = tuple(entry.name for entry in fields(JointCalibration))
_ALLOWED = {
    'id': (0, MAX_SERVO_ID),
    'drive_mode': (0, 1),
    'homing_offset': (-MAX_HOMING_OFFSET, MAX_HOMING_OFFSET),
    'range_min': (0, MAX_TICK),
    'range_max': (0, MAX_TICK),
}


@dataclass(frozen=True)
class ArmCalibration:
    """Six joints in the order of `JOINT_NAMES`, and where they were read from.

    All array arguments and results have the joints in the last axis, shape (..., 6).
    """

    joints: tuple[JointCalibration, ...]
    source: str = field(default='(made by the program)', compare=False)

    def __post_init__(self) -> None:
        if len(self.joints) != len(JOINT_NAMES):
            raise CalibrationError(
                f'calibration {self.source}: found {len(self.joints)} joints, expected '
                f'{len(JOINT_NAMES)}: {", ".join(JOINT_NAMES)}. {_WHAT_TO_DO}'
            )
        owners: dict[int, str] = {}
        for name, joint in zip(JOINT_NAMES, self.joints, strict=True):
            _check_joint(name, joint, self.source)
            if joint.id in owners:
                raise CalibrationError(
                    f'calibration {self.source}: {owners[joint.id]} and {name} both have servo '
                    f'id {joint.id}; every joint needs an id of its own. {_WHAT_TO_DO}'
                )
            owners[joint.id] = name

    @classmethod
    def load(cls, path: str | Path) -> 'ArmCalibration':
        """Read LeRobot's JSON file; raise CalibrationError that says what is wrong and where."""
        source = str(path)
        try:
            text = Path(path).read_text(encoding='utf-8')
        except FileNotFoundError:
            raise CalibrationError(
                f'calibration {source}: no such file. {_WHAT_TO_DO} '
                'The examples in calibration/ fit the simulation only.'
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise CalibrationError(f'calibration {source}: cannot be read: {error}') from error
        try:
            content = json.loads(text, object_pairs_hook=_without_repeated_keys)
        except ValueError as error:
            raise CalibrationError(
                f'calibration {source}: not a valid JSON file: {error}. {_WHAT_TO_DO}'
            ) from error
        return cls.from_mapping(content, source)

    @classmethod
    def from_mapping(cls, content: object, source: str) -> 'ArmCalibration':
        """Build from the parsed JSON: joint name -> the five fields of `JointCalibration`."""
        if not isinstance(content, Mapping):
            raise CalibrationError(
                f'calibration {source}: found a {type(content).__name__}, expected an object with '
                f'the joints {", ".join(JOINT_NAMES)}. {_WHAT_TO_DO}'
            )
        _check_keys(content, JOINT_NAMES, 'joint', f'calibration {source}')
        joints = []
        for name in JOINT_NAMES:
            entry = content[name]
            where = f'calibration {source}, joint {name}'
            if not isinstance(entry, Mapping):
                raise CalibrationError(
                    f'{where}: found {entry!r}, expected an object with {", ".join(_FIELDS)}'
                )
            _check_keys(entry, _FIELDS, 'field', where)
            joints.append(JointCalibration(**{key: entry[key] for key in _FIELDS}))
        return cls(tuple(joints), source)

    def to_mapping(self) -> dict[str, dict[str, int]]:
        """Return what `save` writes: joint name -> the five fields."""
        return {name: asdict(joint) for name, joint in zip(JOINT_NAMES, self.joints, strict=True)}

    def save(self, path: str | Path) -> None:
        """Write LeRobot's JSON, laid out as LeRobot lays it out."""
        Path(path).write_text(json.dumps(self.to_mapping(), indent=4) + '\n', encoding='utf-8')

    @cached_property
    def ids(self) -> tuple[int, ...]:
        """Servo ids in joint order."""
        return tuple(joint.id for joint in self.joints)

    @cached_property
    def range_min_ticks(self) -> np.ndarray:
        """Lower ends of the calibrated ranges, ticks, shape (6,)."""
        return _frozen([joint.range_min for joint in self.joints])

    @cached_property
    def range_max_ticks(self) -> np.ndarray:
        """Upper ends of the calibrated ranges, ticks, shape (6,)."""
        return _frozen([joint.range_max for joint in self.joints])

    @cached_property
    def middle_ticks(self) -> np.ndarray:
        """Middle of the calibrated ranges, ticks, shape (6,); may end in a half."""
        return _frozen((self.range_min_ticks + self.range_max_ticks) / 2)

    @cached_property
    def homing_offset_ticks(self) -> np.ndarray:
        """Homing offsets, ticks, shape (6,)."""
        return _frozen([joint.homing_offset for joint in self.joints])

    @cached_property
    def signs(self) -> np.ndarray:
        """+1 or -1 for each joint, shape (6,): the direction of rad against ticks."""
        return _frozen([-1.0 if joint.drive_mode else 1.0 for joint in self.joints])

    @cached_property
    def rad_per_tick(self) -> np.ndarray:
        """Signed size of a tick in rad, shape (6,)."""
        return _frozen(self.signs * RAD_PER_TICK)

    @cached_property
    def zero_ticks(self) -> np.ndarray:
        """Where 0 rad is, ticks, shape (6,); a fraction of a tick is kept."""
        zero = self.middle_ticks.copy()
        gripper = self.joints[GRIPPER]
        closed = gripper.range_max if gripper.drive_mode else gripper.range_min
        zero[GRIPPER] = closed - LOWER_LIMITS_RAD[GRIPPER] / self.rad_per_tick[GRIPPER]
        return _frozen(zero)

    @cached_property
    def lower_limits_rad(self) -> np.ndarray:
        """Calibrated range intersected with the mechanical range: lower ends, rad, shape (6,)."""
        ends = np.minimum(
            self.ticks_to_rad(self.range_min_ticks), self.ticks_to_rad(self.range_max_ticks)
        )
        return _frozen(np.maximum(ends, LOWER_LIMITS_RAD))

    @cached_property
    def upper_limits_rad(self) -> np.ndarray:
        """Calibrated range intersected with the mechanical range: upper ends, rad, shape (6,)."""
        ends = np.maximum(
            self.ticks_to_rad(self.range_min_ticks), self.ticks_to_rad(self.range_max_ticks)
        )
        return _frozen(np.minimum(ends, UPPER_LIMITS_RAD))

    @cached_property
    def goal_min_ticks(self) -> np.ndarray:
        """Smallest whole tick inside the limits, shape (6,)."""
        return _frozen(np.ceil(np.minimum(*self._limits_ticks()) - _ROUNDING_SLACK_TICKS))

    @cached_property
    def goal_max_ticks(self) -> np.ndarray:
        """Largest whole tick inside the limits, shape (6,)."""
        return _frozen(np.floor(np.maximum(*self._limits_ticks()) + _ROUNDING_SLACK_TICKS))

    def ticks_to_rad(self, ticks: np.ndarray) -> np.ndarray:
        """Convert positions, shape (..., 6), ticks to rad. Nothing is clipped."""
        return (np.asarray(ticks, dtype=float) - self.zero_ticks) * self.rad_per_tick

    def rad_to_ticks(self, position_rad: np.ndarray) -> np.ndarray:
        """Convert positions, shape (..., 6), rad to ticks. Neither rounded nor clipped."""
        return np.asarray(position_rad, dtype=float) / self.rad_per_tick + self.zero_ticks

    def rad_to_goal_ticks(self, position_rad: np.ndarray) -> np.ndarray:
        """Return the nearest whole ticks inside the limits, shape (..., 6), integers.

        The input must be finite: the caller has checked it (a clip lets NaN through).
        """
        nearest = np.rint(self.rad_to_ticks(position_rad))
        # Not np.clip: for six numbers it takes three times as long.
        inside = np.minimum(np.maximum(nearest, self.goal_min_ticks), self.goal_max_ticks)
        return inside.astype(int)

    def _limits_ticks(self) -> tuple[np.ndarray, np.ndarray]:
        return self.rad_to_ticks(self.lower_limits_rad), self.rad_to_ticks(self.upper_limits_rad)


# A limit that is a whole tick must survive the way to rad and back, 1e-12 ticks off.
_ROUNDING_SLACK_TICKS = 1e-6


def _frozen(values: object) -> np.ndarray:
    array = np.array(values, dtype=float)
    array.setflags(write=False)
    return array


def _without_repeated_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    content: dict[str, object] = {}
    for key, value in pairs:
        if key in content:
            raise ValueError(f'the key {key!r} appears twice')
        content[key] = value
    return content


def _check_keys(content: Mapping, expected: tuple[str, ...], kind: str, where: str) -> None:
    missing = [key for key in expected if key not in content]
    unknown = [str(key) for key in content if key not in expected]
    if not missing and not unknown:
        return
    found = []
    if missing:
        found.append(f'missing {kind}: {", ".join(missing)}')
    if unknown:
        found.append(f'unknown {kind}: {", ".join(unknown)}')
    raise CalibrationError(
        f'{where}: {"; ".join(found)}. Expected exactly: {", ".join(expected)}. {_WHAT_TO_DO}'
    )


def _check_joint(name: str, joint: JointCalibration, source: str) -> None:
    where = f'calibration {source}, joint {name}'
    for key, (low, high) in _ALLOWED.items():
        value = getattr(joint, key)
        # bool is an int to Python, and JSON's NaN is a float: neither is a tick.
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise CalibrationError(
                f'{where}: {key} is {value!r}, expected a whole number from {low} to {high}. '
                f'{_WHAT_TO_DO}'
            )
    if joint.range_min >= joint.range_max:
        raise CalibrationError(
            f'{where}: range_min {joint.range_min} is not below range_max {joint.range_max}. '
            f'{_WHAT_TO_DO}'
        )
