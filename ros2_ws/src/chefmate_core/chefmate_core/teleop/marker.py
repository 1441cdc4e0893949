"""Remembers an open clutch over a crash: who comes back must not set the arm off by itself."""

from pathlib import Path

from chefmate_core.errors import ConfigurationError


class PausedMarker:
    """A file that is there while the clutch is open, and gone after an orderly end."""

    def __init__(self, path: Path | None) -> None:
        """Take the file's path; None remembers nothing."""
        self._path = path

    @property
    def is_set(self) -> bool:
        """Whether the clutch was open when its last owner died."""
        return self._path is not None and self._path.exists()

    def set(self, paused: bool) -> None:
        """Remember the clutch's state; raise ConfigurationError where that is impossible."""
        if self._path is None:
            return
        try:
            if paused:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                self._path.touch()
            else:
                self._path.unlink(missing_ok=True)
        except OSError as error:
            raise ConfigurationError(
                f'{self._path}: the state of the clutch cannot be remembered: {error}. Next: give '
                'a folder that may be written to: run_dir:=FOLDER'
            ) from error
