"""Calibrations that LeRobot made on this machine: where they are, which arms they are of."""

import os
from dataclasses import dataclass
from pathlib import Path

from chefmate_core.calibration import ArmCalibration
from chefmate_core.errors import CalibrationError

# Source: huggingface/lerobot, utils/constants.py (version 0.4): calibration/robots/TYPE/ID.json
# and calibration/teleoperators/TYPE/ID.json.
_KINDS = {'follower': 'robots', 'leader': 'teleoperators'}


@dataclass(frozen=True)
class CachedCalibration:
    """One file of LeRobot's cache."""

    arm: str  # 'follower' or 'leader'
    type: str  # LeRobot's name of the robot, such as so101_follower or so_follower
    id: str  # what the person called it
    path: Path
    modified_s: float  # system clock
    problem: str  # why it is no SO-101's; empty where it is


def cache_folder() -> Path:
    """Return LeRobot's calibration folder, found as LeRobot finds it."""
    named = os.environ.get('HF_LEROBOT_CALIBRATION')
    if named:
        return Path(named).expanduser()
    home = os.environ.get('HF_LEROBOT_HOME')
    if home:
        return Path(home).expanduser() / 'calibration'
    cache = os.environ.get('XDG_CACHE_HOME') or '~/.cache'
    huggingface = os.environ.get('HF_HOME') or f'{cache}/huggingface'
    return Path(huggingface).expanduser() / 'lerobot' / 'calibration'


def find_calibrations(folder: Path | None = None) -> tuple[CachedCalibration, ...]:
    """Return what is there, followers first, the newest of each first."""
    root = folder or cache_folder()
    found = [
        _look_at(arm, path)
        for arm, kind in _KINDS.items()
        for path in (root / kind).glob('*/*.json')
    ]
    return tuple(sorted(found, key=lambda one: (one.arm, -one.modified_s)))


def choose_calibration(arm: str, name: str | None, folder: Path | None = None) -> Path:
    """Return the file meant by a path, by LeRobot's id, or by None: the only one there is.

    Raises CalibrationError that lists what is there.
    """
    if name is not None and name.endswith('.json'):
        return Path(name).expanduser()
    usable = [one for one in find_calibrations(folder) if one.arm == arm and not one.problem]
    matching = [one for one in usable if name in (None, one.id, f'{one.type}/{one.id}')]
    if len(matching) == 1:
        return matching[0].path
    there = ', '.join(f'{one.type}/{one.id}' for one in usable) or 'none'
    wanted = 'no calibration' if name is None else f'no calibration called {name!r}'
    if len(matching) > 1:
        wanted = 'more than one calibration fits'
    raise CalibrationError(
        f'{folder or cache_folder()}: {wanted} for a {arm}; there: {there}. Next: name one of '
        'these, or the path of a .json file'
    )


def _look_at(arm: str, path: Path) -> CachedCalibration:
    problem = ''
    try:
        ArmCalibration.load(path)
    except CalibrationError as error:
        problem = str(error)
    return CachedCalibration(arm, path.parent.name, path.stem, path, path.stat().st_mtime, problem)
