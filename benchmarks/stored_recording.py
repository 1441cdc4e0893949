"""A recording of JPEG files for `benchmarks/dataset.py`, in a module that workers can import."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from chefmate_core.calibration import ArmCalibration
from chefmate_core.dataset.source import Frame

FPS, HEIGHT, WIDTH = 30, 480, 640
CAMERAS = ('scene', 'wrist')


def pictures(camera: str, episode: int, count: int) -> Iterator[np.ndarray]:
    """Yield images of a patterned scene that moves, with the noise of a small sensor."""
    random = np.random.default_rng([CAMERAS.index(camera), episode])
    coarse = random.integers(30, 220, (HEIGHT // 32, WIDTH // 32, 3)).astype(np.float32)
    scene = np.kron(coarse, np.ones((32, 32, 1), np.float32))
    noise = random.normal(0, 2, (8, HEIGHT, WIDTH, 1)).astype(np.float32)
    for index in range(count):
        image = np.roll(scene, (index, 2 * index), (0, 1)) + noise[index % 8]
        yield np.clip(image, 0, 255).astype(np.uint8)


def jpegs(camera: str, episode: int, count: int) -> list[bytes]:
    """Return the images compressed as a camera would."""
    found = []
    for image in pictures(camera, episode, count):
        encoder = av.CodecContext.create('mjpeg', 'w')
        encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, 'yuvj420p'
        encoder.time_base = Fraction(1, FPS)
        encoder.options = {'qscale': '3'}
        frame = av.VideoFrame.from_ndarray(image, format='rgb24')
        found.append(b''.join(bytes(packet) for packet in encoder.encode(frame)))
    return found


def decoded(content: bytes) -> np.ndarray:
    """Return the image of a JPEG."""
    with av.open(io.BytesIO(content), format='mjpeg') as container:
        return next(container.decode(video=0)).to_ndarray(format='rgb24')


@dataclass(frozen=True)
class StoredEpisode:
    """JPEGs in files, as a bag has them."""

    index: int
    frame_count: int
    folder: Path
    instruction: str = 'pick up the bread and place it on the plate'

    def frames(self) -> Iterator[Frame]:
        """Yield the frames; their images are decoded here, as those of a bag are."""
        for index in range(self.frame_count):
            position = 0.5 * np.sin(0.05 * index + np.arange(6))
            yield Frame(
                index / FPS,
                position,
                position + 0.01,
                {name: decoded(self.path(name, index).read_bytes()) for name in CAMERAS},
            )

    def path(self, camera: str, index: int) -> Path:
        """Return the file of an image."""
        return self.folder / f'{self.index}-{camera}-{index:06d}.jpg'


@dataclass(frozen=True)
class StoredRecording:
    """Episodes of one arm."""

    episodes: list[StoredEpisode]
    calibration: ArmCalibration
    fps: int = FPS
    robot_type: str = 'so101_follower'

    @property
    def cameras(self) -> dict[str, tuple[int, int]]:
        """Camera -> (height, width)."""
        return dict.fromkeys(CAMERAS, (HEIGHT, WIDTH))


def store(
    folder: Path, episodes: int, frames: int, calibration: ArmCalibration
) -> StoredRecording:
    """Make a recording with so many episodes of so many frames."""
    made = [StoredEpisode(number, frames, folder) for number in range(episodes)]
    for episode in made:
        for camera in CAMERAS:
            for index, content in enumerate(jpegs(camera, episode.index, frames)):
                episode.path(camera, index).write_bytes(content)
    return StoredRecording(made, calibration)
