"""Statistics of columns and images, in the form and with the meaning that LeRobot gives them.

Source: huggingface/lerobot 0.4, `datasets/compute_stats.py`. Numbers are exact here: the quantile
is the smallest value that is not exceeded with that probability, which LeRobot approximates by
5000 bins. Images are sampled and thinned as LeRobot does, in units of 0..1, shape (3, 1, 1); a
histogram of the 256 values of a channel gives every figure exactly.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

QUANTILES = {'q01': 0.01, 'q10': 0.10, 'q50': 0.50, 'q90': 0.90, 'q99': 0.99}
_THIN_FROM_PX = 300
_THIN_TO_PX = 150
_LEVELS = 256


def number_statistics(values: np.ndarray) -> dict[str, np.ndarray]:
    """Return the figures of a column, shape (rows,) or (rows, ..., n): arrays of shape (1,), (n,).

    Rows must not be empty.
    """
    count = len(values)
    flat = values.reshape(-1, 1) if values.ndim == 1 else values.reshape(-1, values.shape[-1])
    whole = np.issubdtype(flat.dtype, np.integer)
    exact = flat if whole else flat.astype(np.float64)
    wide = flat.astype(np.float64)
    return {
        'min': exact.min(axis=0),
        'max': exact.max(axis=0),
        'mean': wide.mean(axis=0),
        'std': wide.std(axis=0),
        'count': np.array([count]),
        **{
            name: np.quantile(wide, share, axis=0, method='inverted_cdf')
            for name, share in QUANTILES.items()
        },
    }


def sample_indices(frames: int) -> list[int]:
    """Return which frames of an episode the statistics of its images are made of."""
    wanted = max(min(100, frames), min(int(frames**0.75), 10_000))
    return np.round(np.linspace(0, frames - 1, wanted)).astype(int).tolist()


class ImageStatistics:
    """Takes images one by one."""

    def __init__(self) -> None:
        self._counts = np.zeros((3, _LEVELS), dtype=np.int64)
        self._images = 0

    def add(self, image: np.ndarray) -> None:
        """Take an image, shape (height, width, 3), uint8, RGB."""
        height, width, _ = image.shape
        if max(height, width) >= _THIN_FROM_PX:
            step = int((width if width > height else height) / _THIN_TO_PX)
            image = image[::step, ::step]
        for channel in range(3):
            self._counts[channel] += np.bincount(image[..., channel].ravel(), minlength=_LEVELS)
        self._images += 1

    def figures(self) -> dict[str, np.ndarray]:
        """Return the figures of all images so far; at least one."""
        levels = np.arange(_LEVELS) / (_LEVELS - 1)
        total = self._counts.sum(axis=1)
        below = np.cumsum(self._counts, axis=1)
        mean = self._counts @ levels / total
        variance = (self._counts * (levels - mean[:, None]) ** 2).sum(axis=1) / total
        present = self._counts > 0
        figures = {
            'min': levels[present.argmax(axis=1)],
            'max': levels[_LEVELS - 1 - present[:, ::-1].argmax(axis=1)],
            'mean': mean,
            'std': np.sqrt(variance),
            **{
                name: levels[(below >= share * total[:, None]).argmax(axis=1)]
                for name, share in QUANTILES.items()
            },
        }
        shaped = {name: value.reshape(3, 1, 1) for name, value in figures.items()}
        return shaped | {'count': np.array([self._images])}


def combined(parts: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
    """Return the figures of several parts together, as LeRobot combines those of episodes.

    Exact but for quantiles, which are means weighted by count. A figure that a part lacks is
    left out.
    """
    counts = np.array([float(np.ravel(part['count'])[0]) for part in parts])
    figures = {
        name: np.stack([np.asarray(part[name]) for part in parts])
        for name in parts[0]
        if name != 'count' and all(name in part for part in parts)
    }
    weights = counts.reshape(-1, *[1] * (figures['mean'].ndim - 1)) / counts.sum()
    mean = (figures['mean'] * weights).sum(axis=0)
    spread = figures['std'] ** 2 + (figures['mean'] - mean) ** 2
    together = {
        'min': figures['min'].min(axis=0),
        'max': figures['max'].max(axis=0),
        'mean': mean,
        'std': np.sqrt((spread * weights).sum(axis=0)),
        'count': np.array([int(counts.sum())]),
    }
    for name in QUANTILES:
        if name in figures:
            together[name] = (figures[name] * weights).sum(axis=0)
    return together


def groot_statistics(values: np.ndarray) -> dict[str, list[float]]:
    """Return the figures of a column as GR00T's loader computes them itself.

    Source: NVIDIA/Isaac-GR00T (N1.5), `gr00t/data/dataset.py`, calculate_dataset_statistics:
    float32, interpolated quantiles, no count.
    """
    rows = values.reshape(len(values), -1).astype(np.float32)
    return {
        'mean': rows.mean(axis=0, dtype=np.float64).tolist(),
        'std': rows.std(axis=0, dtype=np.float64).tolist(),
        'min': rows.min(axis=0).tolist(),
        'max': rows.max(axis=0).tolist(),
        'q01': np.quantile(rows, 0.01, axis=0).tolist(),
        'q99': np.quantile(rows, 0.99, axis=0).tolist(),
    }


def as_lists(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures for JSON and parquet."""
    return {name: np.asarray(value).tolist() for name, value in figures.items()}


def as_arrays(figures: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Return the figures from JSON and parquet; what has no value is left out."""
    return {name: np.asarray(value) for name, value in figures.items() if value is not None}


def image_statistics(images: Iterable[np.ndarray]) -> dict[str, np.ndarray]:
    """Return the figures of images, each of shape (height, width, 3), uint8, RGB."""
    statistics = ImageStatistics()
    for image in images:
        statistics.add(image)
    return statistics.figures()
