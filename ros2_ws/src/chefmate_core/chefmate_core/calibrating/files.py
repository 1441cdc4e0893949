"""Calibration files: where they are, and how they are replaced without ever being half written."""

import json
import os
from pathlib import Path

from chefmate_core.calibration import ArmCalibration
from chefmate_core.errors import CalibrationError

ARMS = ('follower', 'leader')
FOLDER_VARIABLE = 'CHEFMATE_CALIBRATION_DIR'


def default_folder() -> Path:
    """Return where a person's calibration files are, unless another folder is named.

    `CHEFMATE_CALIBRATION_DIR`, else `chefmate/calibration` in the user's configuration folder.
    """
    named = os.environ.get(FOLDER_VARIABLE)
    if named:
        return Path(named).expanduser()
    configuration = os.environ.get('XDG_CONFIG_HOME') or '~/.config'
    return Path(configuration).expanduser() / 'chefmate' / 'calibration'


def backup_of(path: Path) -> Path:
    """Return where the file's predecessor is kept. Not *.json: that is a calibration."""
    return path.with_name(f'{path.name}.bak')


def text_of(calibration: ArmCalibration) -> str:
    """Return LeRobot's JSON, as `ArmCalibration.save` lays it out."""
    return json.dumps(calibration.to_mapping(), indent=4) + '\n'


def read_text(path: Path) -> str | None:
    """Return a file's text, None where there is none; raise CalibrationError if unreadable."""
    try:
        return path.read_text(encoding='utf-8')
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise CalibrationError(f'{path}: cannot be read: {error}') from error


def write_atomically(path: Path, text: str) -> None:
    """Write a file in one step, on the disk when this returns: a crash leaves the old or the new.

    Raises:
        CalibrationError: the folder cannot be written to, or the disk is full.
    """
    new = path.with_name(f'.{path.name}.{os.getpid()}')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with new.open('w', encoding='utf-8') as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except OSError as error:
        raise CalibrationError(
            f'{path}: cannot be written: {error}. Choose another folder with --out, or make room'
        ) from error


def replace_file(path: Path, text: str | None) -> None:
    """Put a new text in place of a file and keep the old one beside it; None removes the file."""
    old = read_text(path)
    if old == text:
        return
    if old is not None:
        write_atomically(backup_of(path), old)
    if text is not None:
        write_atomically(path, text)
    else:
        path.unlink(missing_ok=True)
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
