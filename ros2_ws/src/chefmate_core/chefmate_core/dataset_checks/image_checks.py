"""Checks of what cameras show: frozen, black, swapped."""

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np

from chefmate_core.dataset_checks.episode_data import EpisodeData
from chefmate_core.dataset_checks.findings import Finding, Repairs, Where
from chefmate_core.joints import GRIPPER

BLACK_LEVEL = 4.0  # of 255, mean: as the camera node has it
FROZEN_S = 1.0
# In the simulation 0.16 rad (10 units) of any joint of the arm change a thumbnail's block by 4
# levels or more, in both cameras.
_STILL_LEVEL = 0.6  # largest change of a block from one thumbnail to the next that is no motion
_TRAVEL = 10.0  # LeRobot's units: how far the arm goes in that time so that it must be seen
# One picture of 640x480, over and over, through H.264 (key images and those between differ):
# its blocks stay within 2.2 levels, in AV1 within none.
_STILL_BAND = 3.0  # within which the blocks stay in all of a stretch of video that is still
_VIDEO_TRAVEL = 15.0  # six levels or more
# Ten kitchens of the simulation with other light, colours and places, more than a data set has:
# looks of one camera differ from their median by 4 to 13 levels, the two cameras by 25.
_SWAPPED_RATIO = 0.6
_DIFFERENT_LEVELS = 6.0  # cameras that look more alike cannot be told from one another
_LEAST_EPISODES = 3


def check_images(episode: EpisodeData, repairs: Repairs) -> Iterator[Finding]:
    """Yield cameras that show nothing, or the same while the arm moves."""
    for name, pictures in episode.cameras.items():
        where = Where(f'camera {name}', episode.number)
        if not pictures.thumbnails:
            continue
        thumbnails = np.stack(pictures.thumbnails)
        brightness = thumbnails.mean(axis=(1, 2, 3))
        dark = brightness <= BLACK_LEVEL
        if dark.any():
            row = pictures.rows[int(np.argmax(dark))]
            yield Finding(
                'black-camera',
                Where(where.file, episode.number, row),
                f'mean level {brightness.min():.1f} of 255 in {dark.mean():.0%} of the images',
                f'above {BLACK_LEVEL:g}',
                repairs.delete(episode.number),
            )
            continue
        stretches = _within_a_band if pictures.from_video else _unchanged
        least = _VIDEO_TRAVEL if pictures.from_video else _TRAVEL
        rows = np.array(pictures.rows)
        frozen = _frozen(stretches(thumbnails), rows, episode, least)
        if frozen is not None:
            first, last, travel = frozen
            yield Finding(
                'frozen-camera',
                Where(where.file, episode.number, first),
                f'the same image from row {first} to {last} '
                f'({(last - first) / episode.fps:.1f} s) while a joint moves {travel:.0f} units',
                'images that change when the arm moves',
                repairs.delete(episode.number),
            )


def _frozen(
    stretches: Iterator[tuple[int, int]], rows: np.ndarray, episode: EpisodeData, least: float
) -> tuple[int, int, float] | None:
    """Return first row, last row and the arm's travel of the longest still stretch, or None."""
    best = None
    for start, end in stretches:
        first, last = int(rows[start]), int(rows[end])
        if last - first < FROZEN_S * episode.fps:
            continue
        arm = episode.state[first : last + 1, :GRIPPER]
        travel = float(np.ptp(arm, axis=0).max()) if len(arm) else 0.0
        if travel > least and (best is None or last - first > best[1] - best[0]):
            best = first, last, travel
    return best


def _unchanged(thumbnails: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield first and last of stretches without change from one thumbnail to the next."""
    still = np.abs(np.diff(thumbnails, axis=0)).max(axis=(1, 2, 3)) <= _STILL_LEVEL
    start = 0
    for index in range(len(thumbnails)):
        if index == len(still) or not still[index]:
            yield start, index
            start = index + 1


def _within_a_band(thumbnails: np.ndarray) -> Iterator[tuple[int, int]]:
    """Yield first and last of stretches in which no block leaves a narrow band.

    What a codec does to one picture comes and goes; what moves adds up.
    """
    start, low, high = 0, thumbnails[0], thumbnails[0]
    for index, thumbnail in enumerate(thumbnails):
        low, high = np.minimum(low, thumbnail), np.maximum(high, thumbnail)
        if (high - low).max() > _STILL_BAND:
            yield start, index - 1
            start, low, high = index, thumbnail, thumbnail
    yield start, len(thumbnails) - 1


class SwapCheck:
    """Finds episodes in which two cameras have one another's name.

    What a camera sees but for what moves (the median of its thumbnails) is alike in all episodes
    of a data set. An episode's two looks are compared with the medians over the other episodes:
    where they fit the other way round, and clearly better, the cameras were swapped. Found
    episodes are turned around and all are compared again, so that a few swapped ones do not
    spoil the medians. Half of them swapped, or all, cannot be seen by comparing.
    """

    def __init__(self, repairs: Repairs) -> None:
        self._repairs = repairs
        self._looks: dict[int, Mapping[str, np.ndarray]] = {}

    def add(self, episode: EpisodeData) -> None:
        """Take an episode."""
        looks = {name: camera.look() for name, camera in episode.cameras.items()}
        self._looks[episode.number] = {
            name: look for name, look in looks.items() if look is not None
        }

    def findings(self) -> Iterator[Finding]:
        """Yield what all episodes together show."""
        names = sorted({name for looks in self._looks.values() for name in looks})
        for one, other in combinations(names, 2):
            pairs = {
                number: (looks[one], looks[other])
                for number, looks in self._looks.items()
                if one in looks and other in looks
            }
            for number, (straight, swapped) in swapped_episodes(pairs).items():
                yield Finding(
                    'swapped-cameras',
                    Where(f'cameras {one} and {other}', number),
                    f'they look like each other in the other episodes (difference {swapped:.0f} '
                    f'levels; as named {straight:.0f})',
                    f'{one} to look like {one}, {other} like {other}',
                    self._repairs.swap(number, one, other),
                )


def swapped_episodes(
    pairs: Mapping[int, tuple[np.ndarray, np.ndarray]],
) -> dict[int, tuple[float, float]]:
    """Return episode -> (difference as named, difference swapped) for the swapped ones.

    Pairs are the looks of two cameras, shape (12, 16, 3) each, levels 0..255.
    """
    found: dict[int, tuple[float, float]] = {}
    if len(pairs) < _LEAST_EPISODES:
        return found
    for _ in range(2):
        turned = {
            number: pair[::-1] if number in found else pair for number, pair in pairs.items()
        }
        found = {}
        for number, (one, other) in pairs.items():
            rest = [pair for key, pair in turned.items() if key != number]
            first = np.median([pair[0] for pair in rest], axis=0)
            second = np.median([pair[1] for pair in rest], axis=0)
            if _difference(first, second) < _DIFFERENT_LEVELS:
                continue
            straight = _difference(one, first) + _difference(other, second)
            swapped = _difference(one, second) + _difference(other, first)
            if swapped < _SWAPPED_RATIO * straight:
                found[number] = straight / 2, swapped / 2
    return found if 2 * len(found) < len(pairs) else {}


def _difference(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).mean())
