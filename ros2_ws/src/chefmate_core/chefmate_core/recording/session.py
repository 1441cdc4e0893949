"""A session's folder: what it holds, which index is next, and who may write to it."""

import contextlib
import fcntl
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from chefmate_core.recording.errors import SessionError
from chefmate_core.recording.files import sync, write_json
from chefmate_core.recording.session_info import SESSION_FILE, SessionInfo, read_session

LOCK_FILE, EPISODE_FILE = '.lock', 'episode.json'
FINISHED = re.compile(r'episode_(\d{6})(\.json)?')
OPEN = re.compile(r'\.open_episode_(\d{6})')
SET_ASIDE = re.compile(r'\.damaged_episode_(\d{6})')
DISCARDED = re.compile(r'\.discarded_episode_(\d{6})')
SAVED = 'saved'


def episode_name(index: int) -> str:
    """Return the name of a finished episode's folder."""
    return f'episode_{index:06d}'


def discarded_name(index: int) -> str:
    """Return the name of an episode's folder while it is deleted."""
    return f'.discarded_{episode_name(index)}'


def open_name(index: int) -> str:
    """Return the name of an episode's folder while it is written."""
    return f'.open_{episode_name(index)}'


def set_aside_name(index: int) -> str:
    """Return the name of a finished episode's folder of which nothing can be read any more."""
    return f'.damaged_{episode_name(index)}'


def bag_file_name(index: int) -> str:
    """Return the name of the MCAP file in an episode's folder."""
    return f'{episode_name(index)}_0.mcap'


class SessionFolder:
    """A session that one process may write to.

    Args:
        path: made if it is not there. One that holds a session is continued.
        overwrite: the session that is there counts for nothing and is removed by `begin`.

    Raises:
        SessionError: something else is in the folder, or another process records to it.
    """

    def __init__(self, path: Path, overwrite: bool = False) -> None:
        self.path = path
        self._is_doomed = False
        self._refuse_foreign()
        try:
            path.mkdir(parents=True, exist_ok=True)
            self._lock = (path / LOCK_FILE).open('w')
        except OSError as error:
            raise SessionError(f'session {path}: cannot be written: {error.strerror}') from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            self._lock.close()
            raise SessionError(
                f'session {path}: another recorder is writing to it. Next: end that one, or '
                'choose another folder'
            ) from None
        for match in self._matches(DISCARDED):  # its deletion was cut off
            shutil.rmtree(path / match.string, ignore_errors=True)
        self._is_doomed = overwrite

    def begin(self) -> None:
        """Remove the session that is to be replaced: now something takes its place."""
        if self._is_doomed:
            self._is_doomed = False
            self._remove_all()

    def close(self) -> None:
        """Let others write."""
        self._lock.close()

    @property
    def next_index(self) -> int:
        """The first index that no episode, finished, left open or set aside, has."""
        aside = [int(match[1]) for match in self._matches(SET_ASIDE)]
        taken = (*self.finished(), *self.left_open(), *aside, *self._described())
        return max(taken, default=-1) + 1

    def finished(self) -> list[int]:
        """Return the indices of the finished episodes."""
        return sorted(
            int(match[1])
            for match in self._matches(FINISHED)
            if not match.string.endswith('.json')
        )

    def left_open(self) -> list[int]:
        """Return the indices of episodes that were never finished."""
        return sorted(int(match[1]) for match in self._matches(OPEN))

    def describe(self, info: SessionInfo, cameras: Mapping[str, tuple[int, int]]) -> None:
        """Write `session.json`, or see that the one there says the same.

        Raises:
            SessionError: it was recorded with another arm, other cameras or another rate.
        """
        content = info.content(cameras)
        path = self.path / SESSION_FILE
        if not path.exists():
            write_json(path, content)
            return
        there = read_session(self.path)
        for key in ('joints', 'fps', 'cameras', 'follower_calibration', 'leader_calibration'):
            if there.get(key) != content[key]:
                raise SessionError(
                    f'session {self.path}: {_difference(key, there.get(key), content[key])}. '
                    'Next: record to a new folder, or replace this one (--overwrite, parameter '
                    'overwrite)'
                )

    def open_episode(self, index: int) -> Path:
        """Return the folder to write an episode to."""
        return self.path / open_name(index)

    def save(self, index: int, record: Mapping[str, object]) -> Path:
        """Turn a finished bag into an episode of the session; return its folder."""
        folder, final = self.open_episode(index), self.path / episode_name(index)
        if final.exists():
            raise SessionError(f'{final} exists already; it is left as it is')
        write_json(self.path / f'{episode_name(index)}.json', record)
        (folder / EPISODE_FILE).unlink(missing_ok=True)
        folder.rename(final)
        sync(self.path)
        return final

    def set_aside(self, index: int) -> Path:
        """Take a finished episode out of the session and keep all of it; return its folder."""
        folder, aside = self.path / episode_name(index), self.path / set_aside_name(index)
        with contextlib.suppress(FileNotFoundError):
            (self.path / f'{episode_name(index)}.json').rename(folder / EPISODE_FILE)
        folder.rename(aside)
        sync(self.path)
        return aside

    def discard_open(self, index: int) -> None:
        """Remove an episode that was never finished."""
        self._remove(self.open_episode(index), index)

    def discard_finished(self, index: int) -> None:
        """Remove a finished episode."""
        self._remove(self.path / episode_name(index), index)

    def _remove(self, folder: Path, index: int) -> None:
        """Take the name away at one stroke, then delete: what is cut off revives nothing."""
        doomed = self.path / discarded_name(index)
        shutil.rmtree(doomed, ignore_errors=True)
        if folder.exists():
            folder.rename(doomed)
            shutil.rmtree(doomed, ignore_errors=True)
        if not (self.path / episode_name(index)).exists():
            (self.path / f'{episode_name(index)}.json').unlink(missing_ok=True)

    def _matches(self, pattern: re.Pattern) -> list[re.Match]:
        if not self.path.is_dir() or self._is_doomed:
            return []
        matches = (pattern.fullmatch(entry.name) for entry in self.path.iterdir())
        return [match for match in matches if match]

    def _described(self) -> list[int]:
        return [int(match[1]) for match in self._matches(FINISHED)]

    def _refuse_foreign(self) -> None:
        if self.path.exists() and not self.path.is_dir():
            raise SessionError(f'session {self.path}: it is a file; give a folder')
        if not self.path.is_dir() or (self.path / SESSION_FILE).exists():
            return
        entries = [
            entry.name
            for entry in self.path.iterdir()
            if entry.name != LOCK_FILE
            and not OPEN.fullmatch(entry.name)
            and not DISCARDED.fullmatch(entry.name)
        ]
        if entries:
            raise SessionError(
                f'session {self.path}: the folder holds {", ".join(sorted(entries)[:3])} and no '
                f'{SESSION_FILE}: it is something else. Next: give a new or an empty folder'
            )

    def _remove_all(self) -> None:
        for match in (*self._matches(FINISHED), *self._matches(OPEN), *self._matches(SET_ASIDE)):
            entry = self.path / match.string
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        with contextlib.suppress(FileNotFoundError):
            (self.path / SESSION_FILE).unlink()


def _difference(key: str, there: object, now: object) -> str:
    """Return what differs; of two calibrations only the joints and numbers that do."""
    if isinstance(there, Mapping) and isinstance(now, Mapping):
        names = [name for name in {**there, **now} if there.get(name) != now.get(name)]
        there, now = ({name: side.get(name) for name in names} for side in (there, now))
    return f'it was recorded with {key} {there}, now it is {now}'
