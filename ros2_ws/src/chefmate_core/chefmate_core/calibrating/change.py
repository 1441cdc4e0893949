"""Change an arm's calibration, servos and file together: all of it, or nothing.

Order: the undo record, the servos one by one with read-back, the file, the record again as
complete. Whatever fails on the way, and Ctrl-C, takes everything back; where the servos cannot be
reached any more, the record stays and `recover` takes it back later.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from chefmate_core.calibrating import eeprom
from chefmate_core.calibrating.connecting import torque_is_on
from chefmate_core.calibrating.eeprom import ServoSettings
from chefmate_core.calibrating.errors import HalfWrittenError, UnchangedError
from chefmate_core.calibrating.files import read_text, replace_file, write_atomically
from chefmate_core.calibrating.record import UndoRecord, load_record, record_of
from chefmate_core.calibrating.recorder import reported
from chefmate_core.calibration import TICKS_PER_TURN
from chefmate_core.errors import BusError, CalibrationError
from chefmate_core.joints import JOINT_NAMES
from chefmate_core.servo import registers as reg
from chefmate_core.servo.bus import ServoBus
from chefmate_core.servo.errors import ServoReadbackError

# The limp arm may be moved while it is written to; a wrong sign of an offset is mostly more.
_SAME_PLACE_TICKS = 150
_LOOK_AGAIN_S = 0.2


@dataclass(frozen=True)
class Patience:
    """How long to wait for a port or servo that fell silent in the middle of writing."""

    wait_s: float = 30.0
    on_wait: Callable[[str], None] = lambda message: None


def apply(
    bus: ServoBus,
    path: Path,
    ids: Sequence[int],
    after: Sequence[ServoSettings],
    file_after: str | None,
    patience: Patience | None = None,
) -> UndoRecord:
    """Make servos and file hold something; torque must be off. Returns the undo record.

    Raises:
        UnchangedError: it failed, and everything is what it was before.
        HalfWrittenError: it failed, and the servos cannot be reached; `recover` is to be called.
        KeyboardInterrupt: and everything is what it was before.
    """
    _check_limp(bus, ids)
    before = tuple(eeprom.read_settings(bus, servo_id) for servo_id in ids)
    record = UndoRecord(
        is_complete=False,
        created=datetime.now(UTC).isoformat(timespec='seconds'),
        ids=tuple(ids),
        before=before,
        after=tuple(after),
        file_before=read_text(path),
        file_after=file_after,
        previous=read_text(record_of(path)),
    )
    record.save(record_of(path))
    try:
        for name, servo_id, old, new in zip(JOINT_NAMES, ids, before, after, strict=True):
            _write_servo(bus, name, servo_id, old, new)
        replace_file(path, file_after)
        done = replace(record, is_complete=True)
        done.save(record_of(path))
    except BaseException as error:
        _take_back(bus, path, record, error, patience or Patience())
        if isinstance(error, Exception):
            raise UnchangedError(
                f'{error}. Nothing has changed: servos and {path.name} are what they were before. '
                'Next: do what it says above, then start again'
            ) from error
        raise
    return done


def recover(bus: ServoBus, path: Path) -> str:
    """Take a change back that was cut short; return what was done, empty where nothing was.

    Torque must be off. Raises CalibrationError if the servos are not those of the record.
    """
    record = load_record(record_of(path))
    if record is None or record.is_complete:
        return ''
    _check_limp(bus, record.ids)
    _check_same_arm(bus, path, record)
    _put_back(bus, path, record)
    return (
        f'the change of {record.created} was cut short; servos and {path.name} are what they were '
        'before it'
    )


def undo(bus: ServoBus, path: Path, patience: Patience | None = None) -> str:
    """Bring servos and file back to before the last change; return what was done.

    Torque must be off. Undoing twice brings the change back. Raises as `apply`, and
    CalibrationError where there is nothing to undo, or servos or file were changed since.
    """
    record = load_record(record_of(path))
    if record is None:
        raise CalibrationError(
            f'{path}: there is no change to undo ({record_of(path)} is not there)'
        )
    if not record.is_complete:
        return recover(bus, path)
    for name, servo_id, settings in zip(JOINT_NAMES, record.ids, record.after, strict=True):
        found = eeprom.read_settings(bus, servo_id)
        if found != settings:
            raise CalibrationError(
                f'{bus.port}, {name} (id {servo_id}) does not hold what was written on '
                f'{record.created} (found {found}, written {settings}). This is another arm, or '
                'another program calibrated it since. Next: calibrate again'
            )
    if read_text(path) != record.file_after:
        raise CalibrationError(
            f'{path} was changed since it was written on {record.created}. Next: put that text '
            'back, or calibrate again'
        )
    apply(bus, path, record.ids, record.before, record.file_before, patience)
    return f'servos and {path.name} are what they were before {record.created}'


def _write_servo(
    bus: ServoBus, name: str, servo_id: int, old: ServoSettings, new: ServoSettings
) -> None:
    """Write, then see whether the servo reports by its new offset what its encoder says."""
    actual = bus.read(servo_id, reg.PRESENT_POSITION) + old.homing_offset
    eeprom.write_settings(bus, servo_id, new)
    expected = reported(actual, new.homing_offset)
    found = bus.read(servo_id, reg.PRESENT_POSITION)
    distance = (found - expected) % TICKS_PER_TURN
    if min(distance, TICKS_PER_TURN - distance) > _SAME_PLACE_TICKS:
        raise ServoReadbackError(
            f'{bus.port}, {name} (id {servo_id}): with its new homing offset {new.homing_offset} '
            f'it reports tick {found}, expected {expected}. It was moved while it was written to, '
            'or its firmware does not apply the offset: keep the arm still, or update its firmware'
        )


def _take_back(
    bus: ServoBus, path: Path, record: UndoRecord, error: BaseException, patience: Patience
) -> None:
    ends_s = time.monotonic() + patience.wait_s
    while True:
        try:
            bus.open()
            _put_back(bus, path, record)
            return
        except (BusError, CalibrationError) as failure:
            left_s = ends_s - time.monotonic()
            if left_s <= 0:
                raise HalfWrittenError(
                    f'{error}. Then the way back failed as well: {failure}. Some servos hold the '
                    'new calibration, some the old one; the driver refuses to move such an arm. '
                    f'Next: plug the arm in, then undo (the record is {record_of(path)})'
                ) from error
            patience.on_wait(
                f'{failure} Plug the cable in again: writing was cut short, and what was written '
                f'is to be taken back (waiting for another {left_s:.0f} s)'
            )
            time.sleep(_LOOK_AGAIN_S)


def _put_back(bus: ServoBus, path: Path, record: UndoRecord) -> None:
    for servo_id, settings in zip(record.ids, record.before, strict=True):
        eeprom.write_settings(bus, servo_id, settings)
    if read_text(path) != record.file_before:
        replace_file(path, record.file_before)
    if record.previous is None:
        record_of(path).unlink(missing_ok=True)
    else:
        write_atomically(record_of(path), record.previous)


def _check_limp(bus: ServoBus, ids: Sequence[int]) -> None:
    """A servo that holds would run to where its goal is by the new offset."""
    if torque_is_on(bus, ids):
        raise CalibrationError(
            f'{bus.port}: the arm holds itself; its calibration can be changed only while it is '
            'limp. Next: support it, then turn its torque off'
        )


def _check_same_arm(bus: ServoBus, path: Path, record: UndoRecord) -> None:
    for name, servo_id, before, after in zip(
        JOINT_NAMES, record.ids, record.before, record.after, strict=True
    ):
        found = eeprom.read_settings(bus, servo_id)
        if not eeprom.is_between(found, before, after):
            raise CalibrationError(
                f'{bus.port}: writing a calibration to an arm was cut short on '
                f'{record.created}, and this is another arm: {name} (id {servo_id}) holds '
                f'{found}, neither {before} nor {after}. Next: plug that arm in and undo; or, if '
                f'it is gone for good, remove {record_of(path)}'
            )
