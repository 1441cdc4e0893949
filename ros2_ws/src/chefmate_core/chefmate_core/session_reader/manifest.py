"""The JSON files of a session: session.json, and episode_NNNNNN.json beside each bag."""

import json
import math
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chefmate_core.calibration import ArmCalibration
from chefmate_core.dataset.errors import DatasetError
from chefmate_core.errors import CalibrationError
from chefmate_core.joints import JOINT_NAMES

SESSION_FILE = 'session.json'
FORMAT = 1
EPISODE_FOLDER = re.compile(r'episode_(\d{6})')
OPEN_EPISODE = '.open_episode_'
_MOST_FPS = 240


@dataclass(frozen=True)
class SessionManifest:
    """What session.json says."""

    robot: str
    fps: int
    cameras: Mapping[str, tuple[int, int]]  # camera -> (height, width)
    calibration: ArmCalibration  # the follower's
    source: str


@dataclass(frozen=True)
class EpisodeManifest:
    """What episode_NNNNNN.json says."""

    index: int
    instruction: str
    outcome: str
    report: Mapping[str, Any]


def read_session_manifest(folder: Path) -> SessionManifest:
    """Return the content of `folder`/session.json.

    Raises:
        DatasetError: it is missing, damaged, of another format, or of another robot's joints.
    """
    path = folder / SESSION_FILE
    content = read_json_object(path)
    if content.get('format') != FORMAT:
        raise DatasetError(
            f'{path}: format is {content.get("format")!r}, expected {FORMAT}: the session was '
            'recorded by another version of ChefMate'
        )
    if content.get('joints') != list(JOINT_NAMES) or content.get('units') != 'rad':
        raise DatasetError(
            f'{path}: expected joints {", ".join(JOINT_NAMES)} in rad; found '
            f'{content.get("joints")!r} in {content.get("units")!r}'
        )
    fps = _whole(content.get('fps'))
    if fps is None or not 1 <= fps <= _MOST_FPS:
        raise DatasetError(
            f'{path}: fps is {content.get("fps")!r}, expected a whole number from 1 to {_MOST_FPS}'
        )
    try:
        calibration = ArmCalibration.from_mapping(
            content.get('follower_calibration'), f'follower_calibration in {path}'
        )
    except CalibrationError as error:
        raise DatasetError(str(error)) from error
    return SessionManifest(
        robot=str(content.get('robot', '')),
        fps=fps,
        cameras=_cameras(content.get('cameras'), path),
        calibration=calibration,
        source=str(content.get('source', '')),
    )


def read_episode_manifest(folder: Path) -> EpisodeManifest:
    """Return the content of the JSON file beside an episode's folder.

    Raises:
        DatasetError: it is missing, damaged, or of another episode.
    """
    path = folder.with_name(folder.name + '.json')
    content = read_json_object(path, _repair(folder.parent))
    match = EPISODE_FOLDER.fullmatch(folder.name)
    index, instruction = content.get('index'), content.get('instruction')
    if match is None or index != int(match[1]) or not isinstance(instruction, str):
        raise DatasetError(
            f'{path}: expected the index of {folder.name} and an instruction; found '
            f'index {index!r}, instruction {instruction!r}'
        )
    report = content.get('report')
    return EpisodeManifest(
        index=int(match[1]),
        instruction=instruction,
        outcome=str(content.get('outcome', '')),
        report=report if isinstance(report, Mapping) else {},
    )


def episode_folders(folder: Path) -> list[Path]:
    """Return the folders of finished episodes, in order of their index."""
    return sorted(
        path for path in folder.iterdir() if path.is_dir() and EPISODE_FOLDER.fullmatch(path.name)
    )


def read_json_object(path: Path, next_step: str = '') -> Mapping[str, Any]:
    """Return the JSON object that a file holds; an error ends with `next_step`.

    Raises:
        DatasetError: there is no such file, or it holds something else.
    """
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except FileNotFoundError:
        raise DatasetError(f'{path}: no such file{next_step}') from None
    except (OSError, ValueError) as error:
        raise DatasetError(f'{path}: cannot be read: {error}{next_step}') from error
    if not isinstance(content, Mapping):
        raise DatasetError(
            f'{path}: expected a JSON object; found a {type(content).__name__}{next_step}'
        )
    return content


def _repair(session: Path) -> str:
    return f'. Try: chefmate dataset repair {shlex.quote(str(session))}'


def _cameras(content: object, path: Path) -> dict[str, tuple[int, int]]:
    if not isinstance(content, Mapping):
        raise DatasetError(f'{path}: cameras is {content!r}, expected name -> width and height')
    sizes = {}
    for name, entry in content.items():
        height = _whole(entry.get('height')) if isinstance(entry, Mapping) else None
        width = _whole(entry.get('width')) if isinstance(entry, Mapping) else None
        if not height or not width or min(height, width) < 1:
            raise DatasetError(
                f'{path}: camera {name!r} is {entry!r}, expected width and height in pixels'
            )
        sizes[str(name)] = (height, width)
    return sizes


def _whole(value: Any) -> int | None:
    """Return a whole number, also one written as 30.0; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if math.isfinite(value) and value == int(value) else None
