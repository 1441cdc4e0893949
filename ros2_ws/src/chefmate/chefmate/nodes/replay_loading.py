"""Reads recordings in a thread: minutes of them take seconds, and Ctrl-C counts meanwhile."""

import threading
from collections.abc import Callable

from chefmate_core.twin.replay import Recording, load_recordings


class ReplayLoading:
    """Begins to read at once.

    Args:
        path: a session, one of its episodes, or a rosbag2 folder.
        tell: called in the thread with a line about each recording.
    """

    def __init__(self, path: str, tell: Callable[[str], object]) -> None:
        self._path, self._tell = path, tell
        self._recordings: list[Recording] = []
        self._failure: Exception | None = None
        self._thread = threading.Thread(target=self._run, name='read recordings', daemon=True)
        self._thread.start()

    def recordings(self) -> list[Recording] | None:
        """Return them, or None as long as they are read; raise what went wrong in reading."""
        if self._thread.is_alive():
            return None
        if self._failure is not None:
            raise self._failure
        return self._recordings

    def _run(self) -> None:
        try:
            for recording in load_recordings(self._path):
                self._recordings.append(recording)
                self._tell(recording.line())
        except Exception as error:  # the node's thread raises it
            self._failure = error
