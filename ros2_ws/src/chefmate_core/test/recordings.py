"""Recordings for the tests of data sets: a moving arm, cameras whose images tell their frame."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from chefmate_core.calibration import ArmCalibration, JointCalibration
from chefmate_core.dataset.source import Frame

CALIBRATION = ArmCalibration(
    tuple(JointCalibration(number, 0, 0, 900 + number, 3100) for number in range(1, 7))
)


def image_of(camera: str, episode: int, index: int, height: int, width: int) -> np.ndarray:
    """Return an image whose left half is as bright as its frame is late; noise is absent."""
    image = np.zeros((height, width, 3), np.uint8)
    image[:, : width // 2] = 40 + (index * 7) % 160
    image[:, width // 2 :, 0 if camera == 'wrist' else 2] = 60 + 20 * (episode % 8)
    return image


@dataclass(frozen=True)
class MadeUpEpisode:
    """Positions of a slow wave; every number differs from its neighbours."""

    index: int
    frame_count: int
    instruction: str = 'pick up the bread'
    fps: int = 30
    cameras: tuple[tuple[str, tuple[int, int]], ...] = (('wrist', (48, 64)), ('scene', (48, 64)))

    def state_rad(self, index: int) -> np.ndarray:
        return 0.3 * np.sin(0.1 * index + np.arange(6) + self.index)

    def frames(self) -> Iterator[Frame]:
        for index in range(self.frame_count):
            yield Frame(
                timestamp_s=index / self.fps,
                state_rad=self.state_rad(index),
                action_rad=self.state_rad(index + 1),
                images={
                    name: image_of(name, self.index, index, *size) for name, size in self.cameras
                },
            )


@dataclass(frozen=True)
class MadeUpRecording:
    episodes: Sequence[MadeUpEpisode]
    fps: int = 30
    robot_type: str = 'so101_follower'
    cameras: Mapping[str, tuple[int, int]] = field(
        default_factory=lambda: {'wrist': (48, 64), 'scene': (48, 64)}
    )
    calibration: ArmCalibration = CALIBRATION


def recording(
    *lengths: int, instructions: Sequence[str] = ('pick up the bread',)
) -> MadeUpRecording:
    """Return a recording with episodes of so many frames; instructions take turns."""
    return MadeUpRecording(
        [
            MadeUpEpisode(number, length, instructions[number % len(instructions)])
            for number, length in enumerate(lengths)
        ]
    )
