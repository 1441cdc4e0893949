"""What calibration leaves in a servo's EEPROM: read it, write it with read-back."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace

from chefmate_core.calibration import ArmCalibration
from chefmate_core.errors import CalibrationError
from chefmate_core.servo import registers as reg
from chefmate_core.servo.bus import ServoBus
from chefmate_core.servo.registers import Register

_MODE_POSITION = 0


@dataclass(frozen=True)
class ServoSettings:
    """One servo's calibration as its registers hold it; positions in ticks."""

    homing_offset: int
    min_position_limit: int
    max_position_limit: int
    operating_mode: int
    phase: int


# In the order in which they are written.
_REGISTERS: Mapping[str, Register] = {
    'phase': reg.PHASE,
    'operating_mode': reg.OPERATING_MODE,
    'homing_offset': reg.HOMING_OFFSET,
    'min_position_limit': reg.MIN_POSITION_LIMIT,
    'max_position_limit': reg.MAX_POSITION_LIMIT,
}


def read_settings(bus: ServoBus, servo_id: int) -> ServoSettings:
    """Read one servo's; raise ServoSilentError if it does not answer."""
    return ServoSettings(
        **{name: bus.read(servo_id, register) for name, register in _REGISTERS.items()}
    )


def write_settings(bus: ServoBus, servo_id: int, settings: ServoSettings) -> None:
    """Make one servo hold them, each with read-back; what it holds already is not written.

    EEPROM is unlocked for each write only. Torque must be off.
    """
    for name, register in _REGISTERS.items():
        bus.write_verified(servo_id, register, getattr(settings, name))


def calibrated(
    before: Sequence[ServoSettings], calibration: ArmCalibration
) -> tuple[ServoSettings, ...]:
    """Return what the servos must hold for a calibration: position mode, positions in one turn."""
    return tuple(
        replace(
            settings,
            homing_offset=joint.homing_offset,
            min_position_limit=joint.range_min,
            max_position_limit=joint.range_max,
            operating_mode=_MODE_POSITION,
            phase=settings.phase & ~reg.PHASE_MULTI_TURN_FEEDBACK,
        )
        for settings, joint in zip(before, calibration.joints, strict=True)
    )


def is_between(found: ServoSettings, before: ServoSettings, after: ServoSettings) -> bool:
    """Return whether each register holds the one or the other: a write that was cut short."""
    return all(
        getattr(found, name) in (getattr(before, name), getattr(after, name))
        for name in _REGISTERS
    )


def to_json(settings: ServoSettings) -> dict[str, int]:
    """Return what `from_json` takes."""
    return asdict(settings)


def from_json(content: object, where: str) -> ServoSettings:
    """Build from parsed JSON; raise CalibrationError that says what is wrong."""
    names = [entry.name for entry in fields(ServoSettings)]
    if not isinstance(content, dict) or set(content) != set(names):
        raise CalibrationError(f'{where}: found {content!r}, expected {", ".join(names)}')
    for name, value in content.items():
        register = _REGISTERS[name]
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if not is_whole or not register.minimum <= value <= register.maximum:
            raise CalibrationError(
                f'{where}: {name} is {value!r}, expected a whole number from '
                f'{register.minimum} to {register.maximum}'
            )
    return ServoSettings(**content)
