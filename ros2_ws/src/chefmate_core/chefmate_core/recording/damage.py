"""Whether a finished episode can still be read, without reading all of it."""

import json
from pathlib import Path

from mcap.reader import SeekingReader

from chefmate_core.recording.salvage import BROKEN, MAGIC
from chefmate_core.recording.session import bag_file_name, episode_name


def damage_of(session: Path, index: int) -> str:
    """Return what is wrong with a finished episode, '' if nothing is.

    Looks at the ends of the bag, where a disk that lost something shows it, at the file that
    describes the bag and at the one that describes the episode.
    """
    folder = session / episode_name(index)
    try:
        if not isinstance(json.loads(folder.with_name(f'{folder.name}.json').read_text()), dict):
            return f'{folder.name}.json holds no object'
    except (OSError, ValueError):
        return f'{folder.name}.json is missing or damaged'
    if not (folder / 'metadata.yaml').is_file():
        return 'metadata.yaml is missing'
    path = folder / bag_file_name(index)
    try:
        with path.open('rb') as stream:
            stream.seek(-len(MAGIC), 2)
            if stream.read() != MAGIC:
                return f'{path.name} is cut off'
            stream.seek(0)
            summary = SeekingReader(stream).get_summary()
    except OSError as error:
        return f'{path.name}: {error.strerror}'
    except BROKEN:
        return f'{path.name} is damaged'
    return '' if summary is not None and summary.channels else f'{path.name} is damaged'
