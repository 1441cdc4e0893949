"""A data set in memory: what it says of itself, and where each episode's rows and images are.

Nothing large is held: rows are read from the parquet files, and images from the videos, when they
are asked for. Operations (`edit`) make a new `Dataset` from another; `convert.write` puts one on
disk.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from chefmate_core.dataset.errors import DatasetError
from chefmate_core.dataset.features import Features, task_columns, video_keys

Statistics = Mapping[str, Mapping[str, Any]]  # column -> figure (min, max, ...) -> array


@dataclass(frozen=True)
class VideoSpan:
    """Where an episode's images of one camera are: `length` frames of a file from `start_s` on."""

    path: Path
    start_s: float
    length: int


class Rows(Protocol):
    """An episode's rows. Must survive `pickle`."""

    def read(self) -> pa.Table:
        """Return all columns but the videos'.

        Raises:
            DatasetError: the file is damaged, or has not the rows that it should.
        """


@dataclass(frozen=True)
class Episode:
    """One episode. Its position in `Dataset.episodes` is its number."""

    rows: Rows
    length: int
    tasks: tuple[str, ...]  # the different instructions in it
    task_table: tuple[str, ...]  # what the numbers in the task columns of `rows` mean
    videos: Mapping[str, VideoSpan] = field(default_factory=dict)
    statistics: Statistics | None = None  # as the data set states them
    column_names: Mapping[str, str] = field(default_factory=dict)  # in the file -> here
    stated_index: int | None = None  # its number in its own files, where gaps are possible
    origin: str = ''  # for messages: data set and number


def check_numbers(numbers: Sequence[int | None], path: Path) -> None:
    """Refuse two episodes of one number; gaps, as after deleting by hand, are none of that.

    Raises:
        DatasetError: a number comes twice.
    """
    for one, other in pairwise(numbers):
        if one == other:
            raise DatasetError(f'{path}: two episodes have the episode_index {one}')


@dataclass(frozen=True)
class Dataset:
    """A whole data set."""

    fps: int
    features: Features
    episodes: Sequence[Episode]
    robot_type: str | None = None
    extra_info: Mapping[str, Any] = field(default_factory=dict)  # unknown keys of info.json
    splits: Mapping[str, Any] | None = None  # as info.json says; None: all is for training
    modality: Mapping[str, Any] | None = None  # GR00T's meta/modality.json, if there is one
    format: str = ''  # where it comes from
    root: Path | None = None
    extra_files: tuple[str, ...] = ()  # of meta/, that belong to no format: kept

    @property
    def tasks(self) -> tuple[str, ...]:
        """The different instructions, in the order of the tables, then of appearance."""
        seen: dict[str, None] = {}
        used = {task for episode in self.episodes for task in episode.tasks}
        if len(task_columns(self.features)) > 1:  # annotations name texts that are no instruction
            used |= {task for episode in self.episodes for task in episode.task_table}
        for episode in self.episodes:
            # The table's own order first: a data set that is copied keeps its numbers.
            seen.update(dict.fromkeys(task for task in episode.task_table if task in used))
        for episode in self.episodes:
            seen.update(dict.fromkeys(episode.tasks))
        return tuple(seen)

    @property
    def total_frames(self) -> int:
        """Rows of all episodes."""
        return sum(episode.length for episode in self.episodes)

    @property
    def video_keys(self) -> tuple[str, ...]:
        """Cameras whose images are in videos."""
        return video_keys(self.features)
