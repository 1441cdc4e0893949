"""A session as the source of a data set: `RecordingSource` of `chefmate_core.dataset.source`."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from chefmate_core.calibration import ArmCalibration
from chefmate_core.dataset.errors import DatasetError
from chefmate_core.dataset.source import Frame
from chefmate_core.errors import CameraError
from chefmate_core.observing.jpeg import JpegDecoder
from chefmate_core.session_reader.manifest import (
    EpisodeManifest,
    SessionManifest,
    episode_folders,
    read_episode_manifest,
    read_session_manifest,
)
from chefmate_core.session_reader.samples import open_bag
from chefmate_core.session_reader.ticks import EpisodeCounts, Schedule, Tick, schedule, ticks

_ROBOT_TYPES = {'so101': 'so101_follower'}  # as LeRobot spells them


@dataclass(frozen=True)
class SessionEpisode:
    """One finished episode: an `EpisodeSource`. Holds paths only, so that it can be pickled."""

    folder: Path
    manifest: EpisodeManifest
    cameras: Mapping[str, tuple[int, int]]  # camera -> (height, width)
    fps: int

    @property
    def index(self) -> int:
        """Its number in the session."""
        return self.manifest.index

    @property
    def instruction(self) -> str:
        """What was to be done, in words."""
        return self.manifest.instruction

    @cached_property
    def _schedule(self) -> Schedule:
        with open_bag(self.folder, self.cameras) as bag:
            return schedule(bag, tuple(self.cameras), self.fps, self.folder.name)

    def __getstate__(self) -> dict[str, object]:
        # One episode has one pickle, whether its frames were counted or not.
        return {key: value for key, value in self.__dict__.items() if key != '_schedule'}

    @property
    def frame_count(self) -> int:
        """How many frames `frames` yields. Reads the ends of the bag.

        Raises:
            DatasetError: the bag is damaged, or a stream is missing.
        """
        return self._schedule.count

    def ticks(self, counts: EpisodeCounts | None = None) -> Iterator[Tick]:
        """Yield what was known at each frame, images still encoded.

        Raises:
            DatasetError: the episode cannot be read to its end.
        """
        with open_bag(self.folder, self.cameras) as bag:
            yield from ticks(bag, self._schedule, tuple(self.cameras), counts or EpisodeCounts())

    def frames(self, counts: EpisodeCounts | None = None) -> Iterator[Frame]:
        """Yield the frames in order; `counts` tells how they were filled.

        An image that cannot be decoded is replaced by the one before it.

        Raises:
            DatasetError: the episode cannot be read to its end, or begins with no image.
        """
        counts = EpisodeCounts() if counts is None else counts
        images = {
            name: _Images(name, size, self.folder.name, counts)
            for name, size in self.cameras.items()
        }
        for tick in self.ticks(counts):
            yield Frame(
                timestamp_s=tick.index / self.fps,
                state_rad=tick.state_rad,
                action_rad=tick.action_rad,
                images={
                    name: camera.at(tick.image_stamps_s[name], tick.jpegs[name])
                    for name, camera in images.items()
                },
            )


@dataclass(frozen=True)
class Session:
    """A recording: a `RecordingSource`."""

    folder: Path
    manifest: SessionManifest
    episodes: tuple[SessionEpisode, ...]
    fps: int

    @property
    def robot_type(self) -> str:
        """As data sets spell it."""
        return _ROBOT_TYPES.get(self.manifest.robot, self.manifest.robot)

    @property
    def cameras(self) -> Mapping[str, tuple[int, int]]:
        """Camera -> (height, width)."""
        return self.manifest.cameras

    @property
    def calibration(self) -> ArmCalibration:
        """The follower's, at the time of the recording."""
        return self.manifest.calibration


def open_session(path: str | Path, fps: int | None = None) -> Session:
    """Open a session's folder; `fps` overrides the rate at which it is read.

    Raises:
        DatasetError: it is no session, or one of its JSON files is damaged.
    """
    folder = Path(path)
    manifest = read_session_manifest(folder)
    rate = manifest.fps if fps is None else fps
    if rate < 1:
        raise DatasetError(f'fps is {rate}; expected a whole number of at least 1')
    episodes = tuple(
        SessionEpisode(episode, read_episode_manifest(episode), manifest.cameras, rate)
        for episode in episode_folders(folder)
    )
    return Session(folder, replace(manifest, fps=rate), episodes, rate)


class _Images:
    """Decodes one camera's images, each once."""

    def __init__(
        self, name: str, size: tuple[int, int], episode: str, counts: EpisodeCounts
    ) -> None:
        self._name, self._size, self._episode, self._counts = name, size, episode, counts
        self._decoder = JpegDecoder()
        self._stamp_s = -np.inf
        self._image: np.ndarray | None = None

    def at(self, stamp_s: float, jpeg: np.ndarray) -> np.ndarray:
        if stamp_s == self._stamp_s and self._image is not None:
            self._counts.held_images[self._name] += 1
            return self._image
        self._stamp_s = stamp_s
        problem = ''
        try:
            image = self._decoder.decode(jpeg)
            if image.shape[:2] != self._size:
                problem = f'it is {image.shape[1]}x{image.shape[0]}'
        except CameraError as error:
            problem = str(error)
        if not problem:
            self._image = image
            return image
        self._counts.unreadable_images[self._name] += 1
        if self._image is None:
            raise DatasetError(
                f'{self._episode}: the first image of camera {self._name} is not usable: '
                f'expected {self._size[1]}x{self._size[0]}; {problem}. Delete the episode'
            )
        return self._image
