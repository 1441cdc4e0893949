"""`meta/info.json`, read and held to what it must be."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chefmate_core.dataset import layout
from chefmate_core.dataset.errors import DatasetError
from chefmate_core.dataset.features import DEFAULTS, Feature
from chefmate_core.dataset.files import read_json

VERSIONS = ('v2.0', 'v2.1', 'v3.0')


@dataclass(frozen=True)
class Info:
    """What a data set says of itself."""

    path: Path
    version: str
    fps: int
    features: dict[str, Feature]
    robot_type: str | None
    data_path: str
    video_path: str | None
    chunk_files: int
    total_episodes: int
    splits: dict[str, Any] | None
    extra: dict[str, Any]

    def place(self, pattern: str, **numbers: object) -> Path:
        """Return the file that `pattern` names, inside the data set's folder.

        Raises:
            DatasetError: the pattern asks for what this version does not have, or leads outside.
        """
        try:
            relative = Path(pattern.format(**numbers))
        except (KeyError, IndexError, ValueError, AttributeError) as error:
            raise DatasetError(
                f'{self.path}: data_path or video_path {pattern!r} cannot be filled in with '
                f'{", ".join(numbers)}: {error}'
            ) from error
        if relative.is_absolute() or '..' in relative.parts:
            raise DatasetError(f'{self.path}: the path {pattern!r} leads out of the data set')
        return self.path.parent.parent / relative


def read_info(root: Path) -> Info:
    """Return a data set's `meta/info.json`.

    Raises:
        DatasetError: it is missing, or says what cannot be.
    """
    path = root / layout.INFO
    if (root / 'session.json').is_file():
        raise DatasetError(
            f'{root}: a recorded session, not a data set yet. Next: `chefmate dataset convert '
            f'{root} DST --to lerobot-v3`, and go on with DST'
        )
    if not path.is_file():
        raise DatasetError(
            f'{root}: not a data set: it has no {layout.INFO}. Expected a folder of LeRobot v2.1, '
            f'v3.0 or GR00T, or a recorded session (with session.json)'
        )
    content = read_json(path)
    version = content.get('codebase_version')
    if version not in VERSIONS:
        raise DatasetError(
            f'{path}: codebase_version is {version!r}; this reads {", ".join(VERSIONS)}'
        )
    features = content.get('features')
    if not isinstance(features, dict):
        raise DatasetError(f'{path}: features is {features!r}, expected an object')
    table = {
        key: Feature.from_dict(value, f'{path}, feature {key}') for key, value in features.items()
    }
    missing = [key for key in DEFAULTS if key not in table]
    if missing:
        raise DatasetError(f'{path}: features lack {", ".join(missing)}, which every data set has')
    splits = content.get('splits')
    return Info(
        path=path,
        version=version,
        fps=_whole(content, 'fps', path, least=1),
        features=table,
        robot_type=content.get('robot_type'),
        data_path=_text(content, 'data_path', path),
        video_path=content.get('video_path'),
        chunk_files=_whole(content, 'chunks_size', path, least=1, otherwise=1000),
        total_episodes=_whole(content, 'total_episodes', path, least=0),
        splits=splits if isinstance(splits, dict) else None,
        extra={key: value for key, value in content.items() if key not in layout.INFO_KEYS},
    )


def _whole(
    content: dict[str, Any], key: str, path: Path, least: int, otherwise: int | None = None
) -> int:
    value = content.get(key, otherwise)
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if type(value) is not int or value < least:
        raise DatasetError(f'{path}: {key} is {value!r}, expected a whole number from {least} on')
    return value


def _text(content: dict[str, Any], key: str, path: Path) -> str:
    value = content.get(key)
    if not isinstance(value, str):
        raise DatasetError(f'{path}: {key} is {value!r}, expected a path with placeholders')
    return value
