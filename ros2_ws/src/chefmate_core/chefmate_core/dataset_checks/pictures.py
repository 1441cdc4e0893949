"""Small pictures of an episode: thumbnails to compare by numbers, and a filmstrip to look at."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

THUMBNAIL = (12, 16)  # height, width
STRIP_WIDTH_PX = 160
_STRIP_FRAMES = 8
THUMBNAILS_PER_S = 10


@dataclass
class CameraPictures:
    """What is kept of one camera's images in an episode."""

    from_video: bool = False  # equal images need not decode to equal ones
    rows: list[int] = field(default_factory=list)  # of the thumbnails
    thumbnails: list[np.ndarray] = field(default_factory=list)  # (12, 16, 3) float32, 0..255
    strip: list[tuple[int, np.ndarray]] = field(default_factory=list)  # row, uint8 rgb

    def add(self, row: int, image: np.ndarray, in_strip: bool) -> None:
        """Take an image, uint8 rgb (H, W, 3)."""
        self.rows.append(row)
        self.thumbnails.append(shrink(image, THUMBNAIL))
        if in_strip:
            height, width = image.shape[:2]
            small_width = min(width, STRIP_WIDTH_PX)
            small = shrink(image, (max(1, height * small_width // width), small_width))
            self.strip.append((row, np.rint(small).astype(np.uint8)))

    def look(self) -> np.ndarray | None:
        """Return what the camera sees but for what moves, (12, 16, 3): the median over time."""
        return np.median(self.thumbnails, axis=0) if self.thumbnails else None


def wanted_rows(length: int, fps: int) -> tuple[list[int], frozenset[int]]:
    """Return the rows to look at, ascending, and those of them for the filmstrip."""
    step = max(1, round(fps / THUMBNAILS_PER_S))
    strip = frozenset(np.linspace(0, length - 1, min(length, _STRIP_FRAMES)).astype(int).tolist())
    return sorted({*range(0, length, step), length - 1, *strip}), strip


def take(
    images: Iterable[tuple[int, np.ndarray]], strip: frozenset[int], pictures: CameraPictures
) -> None:
    """Keep what is needed of (row, image)."""
    for row, image in images:
        pictures.add(row, image, row in strip)


def shrink(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Return the means of an image's blocks, float32, shape (*size, 3); size as (height, width).

    An image that is smaller than `size` in a direction is repeated in it.
    """
    rows, columns = (_starts(n, wanted) for n, wanted in zip(image.shape[:2], size, strict=True))
    sums = np.add.reduceat(image, rows, axis=0, dtype=np.float32)
    sums = np.add.reduceat(sums, columns, axis=1)
    heights, widths = (
        np.maximum(np.diff([*starts, length]), 1)
        for starts, length in zip((rows, columns), image.shape[:2], strict=True)
    )
    return (sums / heights[:, None, None] / widths[None, :, None]).astype(np.float32)


def _starts(length: int, blocks: int) -> np.ndarray:
    return np.minimum(np.arange(blocks) * length // blocks, length - 1)
