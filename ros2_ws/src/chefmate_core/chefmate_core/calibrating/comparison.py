"""Does an arm's EEPROM hold what a calibration file says? Joint by joint."""

from collections.abc import Sequence
from dataclasses import dataclass

from chefmate_core.calibrating.eeprom import ServoSettings
from chefmate_core.calibration import ArmCalibration
from chefmate_core.joints import JOINT_NAMES
from chefmate_core.servo.registers import PHASE_MULTI_TURN_FEEDBACK


@dataclass(frozen=True)
class Value:
    """One value of a joint, in the file and in the servo."""

    name: str
    in_file: int
    in_servo: int

    @property
    def agrees(self) -> bool:
        """Whether both are the same."""
        return self.in_file == self.in_servo


@dataclass(frozen=True)
class JointComparison:
    """One joint: file against servo."""

    joint: str
    servo_id: int
    values: tuple[Value, ...]
    notes: tuple[str, ...]  # what else the driver will change when it starts

    @property
    def agrees(self) -> bool:
        """Whether the driver would accept this joint."""
        return all(value.agrees for value in self.values)


def compare(
    calibration: ArmCalibration, held: Sequence[ServoSettings]
) -> tuple[JointComparison, ...]:
    """Compare a file with what the servos hold, both in the order of `JOINT_NAMES`."""
    return tuple(
        JointComparison(
            name,
            joint.id,
            (
                Value('homing_offset', joint.homing_offset, settings.homing_offset),
                Value('range_min', joint.range_min, settings.min_position_limit),
                Value('range_max', joint.range_max, settings.max_position_limit),
            ),
            _notes(settings),
        )
        for name, joint, settings in zip(JOINT_NAMES, calibration.joints, held, strict=True)
    )


def _notes(settings: ServoSettings) -> tuple[str, ...]:
    notes = []
    if settings.operating_mode:
        notes.append(f'operating mode {settings.operating_mode}, not position')
    if settings.phase & PHASE_MULTI_TURN_FEEDBACK:
        notes.append('multi-turn feedback is on')
    return tuple(notes)
