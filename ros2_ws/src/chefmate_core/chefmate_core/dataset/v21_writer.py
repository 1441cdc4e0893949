"""Write LeRobot v2.1, and GR00T's format, which is v2.1 with two files more."""

import os
import shutil
from pathlib import Path

import numpy as np

from chefmate_core.dataset import layout
from chefmate_core.dataset.features import with_video_info
from chefmate_core.dataset.files import write_json, write_json_lines
from chefmate_core.dataset.layout import Format, Limits
from chefmate_core.dataset.modality import modality_of
from chefmate_core.dataset.model import Dataset
from chefmate_core.dataset.rows import episode_table, numbers, renumbered, write_parquet
from chefmate_core.dataset.statistics import as_lists, groot_statistics
from chefmate_core.dataset.summary import episode_statistics
from chefmate_core.dataset.video import probe


def write(dataset: Dataset, root: Path, target: Format, limits: Limits, movable: Path) -> None:
    """Write a data set whose episodes have one video file each.

    Videos under `movable` are linked instead of copied. `root` must be empty or new.

    Raises:
        DatasetError: rows or videos cannot be read.
    """
    tasks = {text: index for index, text in enumerate(dataset.tasks)}
    statistics_rows, first_index = [], 0
    low_dimensional: dict[str, list[np.ndarray]] = {}
    for number, episode in enumerate(dataset.episodes):
        places = {'episode_chunk': number // limits.chunk_files, 'episode_index': number}
        table = renumbered(
            episode_table(episode, dataset.features),
            episode,
            dataset.features,
            episode_index=number,
            first_index=first_index,
            tasks=tasks,
        )
        write_parquet(root / layout.V21_DATA.format(**places), [table])
        for key, span in episode.videos.items():
            file = root / layout.V21_VIDEO.format(video_key=key, **places)
            _place(span.path, file, movable)
        figures = episode_statistics(table, episode, dataset.features)
        statistics_rows.append(
            {
                'episode_index': number,
                'stats': {key: as_lists(value) for key, value in figures.items()},
            }
        )
        if target is Format.GROOT:
            for key, feature in dataset.features.items():
                if feature.is_numeric:
                    low_dimensional.setdefault(key, []).append(numbers(table.column(key), feature))
        first_index += episode.length

    write_json_lines(
        root / layout.EPISODES_JSONL,
        (
            {'episode_index': number, 'tasks': list(episode.tasks), 'length': episode.length}
            for number, episode in enumerate(dataset.episodes)
        ),
    )
    write_json_lines(root / layout.EPISODES_STATS_JSONL, statistics_rows)
    write_json_lines(
        root / layout.TASKS_JSONL,
        ({'task_index': index, 'task': text} for text, index in tasks.items()),
    )
    if target is Format.GROOT:
        write_json(root / layout.MODALITY, modality_of(dataset))
        write_json(
            root / layout.STATS,
            {
                key: groot_statistics(np.concatenate(parts))
                for key, parts in low_dimensional.items()
            },
        )
    _write_info(dataset, root, limits)


def _write_info(dataset: Dataset, root: Path, limits: Limits) -> None:
    features = dict(dataset.features)
    for key in dataset.video_keys:
        first = root / layout.V21_VIDEO.format(video_key=key, episode_chunk=0, episode_index=0)
        features[key] = with_video_info(features[key], probe(first).to_dict())
    episodes = len(dataset.episodes)
    content = layout.info_common(dataset, 'v2.1', limits) | {
        'total_videos': episodes * len(dataset.video_keys),
        'total_chunks': -(-episodes // limits.chunk_files),
        'data_path': layout.V21_DATA,
        'video_path': layout.V21_VIDEO if dataset.video_keys else None,
        'features': {key: feature.to_dict() for key, feature in features.items()},
    }
    write_json(root / layout.INFO, content)


def _place(source: Path, target: Path, movable: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_relative_to(movable):
        os.link(source, target)  # the other name goes with the work folder
    else:
        shutil.copyfile(source, target)
