"""The undo record beside a calibration file: what servos and file held before a change, and after.

It is written before the first register is, so that a change which was cut short (a pulled cable,
a power cut, kill -9) can be taken back by whoever comes next.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from chefmate_core.calibrating import eeprom
from chefmate_core.calibrating.eeprom import ServoSettings
from chefmate_core.calibrating.files import read_text, write_atomically
from chefmate_core.errors import CalibrationError
from chefmate_core.joints import JOINT_COUNT

_FORMAT = 1
_KEYS = {'format', 'is_complete', 'created', 'ids', 'before', 'after', 'file_before', 'file_after'}


@dataclass(frozen=True)
class UndoRecord:
    """One change of an arm's calibration. Servos in the order of `JOINT_NAMES`."""

    is_complete: bool  # False: it was begun; nobody knows how far it came
    created: str  # ISO time, for people
    ids: tuple[int, ...]
    before: tuple[ServoSettings, ...]
    after: tuple[ServoSettings, ...]
    file_before: str | None  # the file's text; None: there was none
    file_after: str | None
    previous: str | None = None  # text of the record that this one replaced

    def save(self, path: Path) -> None:
        """Write it; raises CalibrationError if it cannot be."""
        content = {
            'format': _FORMAT,
            'is_complete': self.is_complete,
            'created': self.created,
            'ids': self.ids,
            'before': [eeprom.to_json(settings) for settings in self.before],
            'after': [eeprom.to_json(settings) for settings in self.after],
            'file_before': self.file_before,
            'file_after': self.file_after,
        }
        if not self.is_complete:
            content['previous'] = self.previous
        write_atomically(path, json.dumps(content, indent=1) + '\n')


def record_of(calibration_path: Path) -> Path:
    """Return where the undo record of a calibration file is. Not *.json: that is a calibration."""
    return calibration_path.with_name(f'{calibration_path.name}.undo')


def load_record(path: Path) -> UndoRecord | None:
    """Read an undo record; None where there is none; raise CalibrationError for a broken one."""
    text = read_text(path)
    if text is None:
        return None
    try:
        content = json.loads(text)
    except ValueError as error:
        raise _broken(path, str(error)) from error
    if not isinstance(content, dict) or content.keys() - {'previous'} != _KEYS:
        raise _broken(path, 'its keys are not those of an undo record')
    if content['format'] != _FORMAT:
        raise _broken(path, f'its format is {content["format"]!r}, expected {_FORMAT}')
    if any(
        not isinstance(content[key], list) or len(content[key]) != JOINT_COUNT
        for key in ('ids', 'before', 'after')
    ):
        raise _broken(path, f'it does not name {JOINT_COUNT} servos')
    return UndoRecord(
        is_complete=content['is_complete'] is True,
        created=str(content['created']),
        ids=tuple(content['ids']),
        before=tuple(eeprom.from_json(entry, str(path)) for entry in content['before']),
        after=tuple(eeprom.from_json(entry, str(path)) for entry in content['after']),
        file_before=content['file_before'],
        file_after=content['file_after'],
        previous=content.get('previous'),
    )


def is_cut_short(calibration_path: Path) -> bool:
    """Return whether a change was begun and neither finished nor taken back."""
    record = load_record(record_of(calibration_path))
    return record is not None and not record.is_complete


def _broken(path: Path, why: str) -> CalibrationError:
    return CalibrationError(
        f'{path}: not an undo record that can be used: {why}. Move it away, then calibrate again'
    )
