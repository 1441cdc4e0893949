"""Which bag is meant: an episode of a session, or a rosbag2 folder by itself."""

from dataclasses import dataclass
from pathlib import Path

from chefmate_core.dataset.errors import DatasetError, DatasetRequestError
from chefmate_core.session_reader.manifest import (
    EPISODE_FOLDER,
    OPEN_EPISODE,
    SESSION_FILE,
    EpisodeManifest,
    episode_folders,
    read_episode_manifest,
)

METADATA_FILE = 'metadata.yaml'


@dataclass(frozen=True)
class FoundBag:
    """A bag's folder, and what its session says of it."""

    folder: Path
    manifest: EpisodeManifest | None  # None: no session's episode
    others: int = 0  # finished episodes of the session besides

    @property
    def title(self) -> str:
        """What to call it, such as `bread, episode 3`."""
        if self.manifest is None:
            return self.folder.resolve().name
        return f'{self.folder.resolve().parent.name}, episode {self.manifest.index}'

    @property
    def file_stem(self) -> str:
        """The same for a file's name, such as `bread-episode_000003`."""
        name = self.folder.resolve().name
        return name if self.manifest is None else f'{self.folder.resolve().parent.name}-{name}'


def find_bag(path: Path, episode: int | None = None) -> FoundBag:
    """Return the bag at `path`: a session's episode (the newest unless told), or a bag.

    Args:
        path: folder of a session or of a rosbag2 bag, or the MCAP file in a bag.
        episode: index of the session's episode.

    Raises:
        DatasetRequestError: there is none; the message says what there is.
        DatasetError: the bag was never finished, or the episode's JSON file is damaged.
    """
    folder = path.parent if path.is_file() and path.suffix == '.mcap' else path
    if not folder.is_dir():
        found = 'a file' if folder.exists() else 'nothing'
        raise DatasetRequestError(
            f'{path}: expected the folder of a session or of a rosbag2 bag; found {found} there. '
            'Next: name the folder that `chefmate record` or `ros2 bag record` made'
        )
    if folder.name.startswith(OPEN_EPISODE):
        raise _unfinished(folder, folder.parent)
    if (folder / SESSION_FILE).is_file():
        return _of_session(folder, episode)
    if episode is not None:
        raise DatasetRequestError(
            f'{folder}: --episode chooses one of a session; there is no {SESSION_FILE} here. '
            'Next: leave --episode away, or name the session'
        )
    if (folder / METADATA_FILE).is_file():
        return FoundBag(folder, _manifest(folder))
    if list(folder.glob('*.mcap')):
        raise DatasetError(
            f'{folder}: there is an MCAP file but no {METADATA_FILE}: the recording was never '
            f'finished, or only its file was copied. Next: {mending(folder)}'
        )
    raise DatasetRequestError(
        f'{folder}: neither a session ({SESSION_FILE}) nor a rosbag2 bag ({METADATA_FILE}); found '
        f'{_content(folder)}. Next: name the folder that `chefmate record` or `ros2 bag record` '
        'made'
    )


def _of_session(session: Path, episode: int | None) -> FoundBag:
    folders = episode_folders(session)
    numbers = [int(folder.name.removeprefix('episode_')) for folder in folders]
    if episode is not None and episode not in numbers:
        raise DatasetRequestError(
            f'{session}: there is no finished episode {episode}; '
            f'found {", ".join(map(str, numbers)) or "none"}'
        )
    if not folders:
        opened = sorted(session.glob(f'{OPEN_EPISODE}*'))
        if opened:
            raise _unfinished(opened[-1], session)
        raise DatasetRequestError(
            f'{session}: the session has no episode. Next: record one: chefmate record {session}'
        )
    folder = folders[-1 if episode is None else numbers.index(episode)]
    return FoundBag(folder, read_episode_manifest(folder), len(folders) - 1)


def _manifest(folder: Path) -> EpisodeManifest | None:
    """Return what is known of an episode that was named by its own folder."""
    is_episode = EPISODE_FOLDER.fullmatch(folder.resolve().name)
    if is_episode and folder.resolve().with_name(f'{folder.resolve().name}.json').is_file():
        return read_episode_manifest(folder.resolve())
    return None


def _unfinished(folder: Path, session: Path) -> DatasetError:
    return DatasetError(
        f'{folder}: this episode is not finished: it is being recorded, or a crash left it so. '
        f'Next: stop the recorder if it runs; else `chefmate dataset repair {session}` makes an '
        'episode of it'
    )


def mending(folder: Path) -> str:
    """Return the command that mends a damaged bag, in a session or by itself."""
    if (folder.parent / SESSION_FILE).is_file():
        return f'chefmate dataset repair {folder.parent}'
    return f'ros2 bag reindex {folder} (on a ROS 2 install)'


def _content(folder: Path) -> str:
    names = sorted(path.name for path in folder.iterdir())
    if not names:
        return 'an empty folder'
    return ', '.join(names[:5]) + (f' and {len(names) - 5} more' if len(names) > 5 else '')
