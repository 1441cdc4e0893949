"""What a recording must offer to become a data set.

`chefmate_core.session_reader.open_session(path, fps=None)` returns a `RecordingSource` for a
session of bags, and `chefmate_core.dataset.recorded` writes it. Positions are rad here, as on
every topic; the writer converts them to LeRobot's units with its calibration, in the
convention that the user chose.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from chefmate_core.calibration import ArmCalibration


@dataclass(frozen=True, eq=False)
class Frame:
    """What was known at one instant of an episode."""

    timestamp_s: float  # index / fps: since the first frame of the episode
    state_rad: np.ndarray  # (6,): the newest measurement at the instant
    action_rad: np.ndarray  # (6,): the newest command that went on the bus at the instant
    images: Mapping[str, np.ndarray]  # camera -> (height, width, 3) uint8, RGB


class EpisodeSource(Protocol):
    """One finished episode.

    Must survive `pickle`: episodes are converted in processes of their own. Hold paths, and open
    what must be opened in `frames`.
    """

    @property
    def index(self) -> int:
        """Its number in the recording; gaps are allowed."""

    @property
    def instruction(self) -> str:
        """What was to be done, in words."""

    @property
    def frame_count(self) -> int:
        """How many frames `frames` yields."""

    def frames(self) -> Iterator[Frame]:
        """Yield the frames in order, at the recording's `fps`.

        Raises:
            DatasetError: the episode cannot be read to its end.
        """


class RecordingSource(Protocol):
    """A recording: what holds for all its episodes, and the episodes in order."""

    @property
    def fps(self) -> int:
        """Frames a second of every episode."""

    @property
    def robot_type(self) -> str:
        """Name of the robot as data sets spell it, such as `so101_follower`."""

    @property
    def cameras(self) -> Mapping[str, tuple[int, int]]:
        """Camera -> (height, width) of its images, in the order in which they are written."""

    @property
    def calibration(self) -> ArmCalibration:
        """Of the follower: state and action are its joints."""

    @property
    def episodes(self) -> Sequence[EpisodeSource]:
        """The episodes to write, in order."""
