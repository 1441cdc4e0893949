"""What `chefmate dataset info` says of a recorded session."""

from collections import Counter
from pathlib import Path
from typing import Any

from chefmate_core.dataset.errors import DatasetError
from chefmate_core.session_reader.manifest import (
    OPEN_EPISODE,
    SESSION_FILE,
    episode_folders,
    read_episode_manifest,
    read_session_manifest,
)


def is_session(path: Path) -> bool:
    """Whether a folder is one of the recorder."""
    return (path / SESSION_FILE).is_file()


def unfinished_episodes(path: Path) -> int:
    """Return how many episodes a crash left open, or are being recorded."""
    return sum(1 for _ in path.glob(f'{OPEN_EPISODE}*'))


def session_content(path: Path) -> dict[str, Any]:
    """Return what a session holds, for the table and for programs.

    Raises:
        DatasetError: session.json is damaged.
    """
    session = read_session_manifest(path)
    instructions: Counter[str] = Counter()
    damaged = []
    folders = episode_folders(path)
    for folder in folders:
        try:
            instructions[read_episode_manifest(folder).instruction] += 1
        except DatasetError as error:
            damaged.append(str(error))
    return {
        'format': 'session',
        'source': session.source,
        'robot_type': session.robot,
        'fps': session.fps,
        'episodes': len(folders),
        'unfinished': unfinished_episodes(path),
        'damaged': damaged,
        'cameras': {
            name: {'height': height, 'width': width}
            for name, (height, width) in session.cameras.items()
        },
        'instructions': dict(instructions),
    }
