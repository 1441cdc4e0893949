"""One episode as the checks and the report see it, of whatever format."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from chefmate_core.dataset_checks.pictures import CameraPictures


@dataclass
class EpisodeData:
    """Columns in LeRobot's units. N: rows. D: numbers of the state, six for the arm."""

    number: int
    file: str  # of the rows, relative to the data set
    fps: int
    instruction: str
    timestamp_s: np.ndarray  # (N,)
    state: np.ndarray  # (N, D)
    action: np.ndarray  # (N, D)
    cameras: Mapping[str, CameraPictures] = field(default_factory=dict)

    @property
    def length(self) -> int:
        """How many rows it has."""
        return len(self.timestamp_s)

    @property
    def duration_s(self) -> float:
        """How long it lasts."""
        return self.length / self.fps
