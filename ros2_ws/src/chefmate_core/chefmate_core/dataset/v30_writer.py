"""Write LeRobot v3.0: episodes share parquet files and videos up to a size."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from chefmate_core.dataset import layout
from chefmate_core.dataset.features import with_video_info
from chefmate_core.dataset.files import write_json
from chefmate_core.dataset.layout import Limits
from chefmate_core.dataset.model import Dataset, VideoSpan
from chefmate_core.dataset.remux import remux
from chefmate_core.dataset.rows import episode_table, numbers, renumbered, write_parquet
from chefmate_core.dataset.statistics import as_lists, combined, number_statistics
from chefmate_core.dataset.summary import episode_statistics
from chefmate_core.dataset.video import probe

_MIB = 1024**2


def write(dataset: Dataset, root: Path, limits: Limits) -> None:
    """Write a data set. `root` must be empty or new.

    Raises:
        DatasetError: rows or videos cannot be read.
    """
    rows: list[dict[str, Any]] = [{} for _ in dataset.episodes]
    _write_videos(dataset, root, limits, rows)
    figures, exact = _write_data(dataset, root, limits, rows)
    for row, statistics in zip(rows, figures, strict=True):
        for key, values in statistics.items():
            row |= {f'stats/{key}/{name}': value for name, value in as_lists(values).items()}
        row |= {'meta/episodes/chunk_index': 0, 'meta/episodes/file_index': 0}
    _write_episodes(root / layout.V30_EPISODES.format(chunk_index=0, file_index=0), rows)
    _write_tasks(root / layout.TASKS_PARQUET, dataset.tasks)
    total = exact | {
        key: combined([statistics[key] for statistics in figures])
        for key in figures[0]
        if key not in exact and all(key in statistics for statistics in figures)
    }
    write_json(root / layout.STATS, {key: as_lists(value) for key, value in total.items()})
    if dataset.modality is not None:  # for a GR00T that reads v3.0, and for the way back
        write_json(root / layout.MODALITY, dict(dataset.modality))
    _write_info(dataset, root, limits)


def _write_data(
    dataset: Dataset, root: Path, limits: Limits, rows: list[dict[str, Any]]
) -> tuple[list[dict[str, Mapping[str, Any]]], dict[str, Mapping[str, Any]]]:
    """Write the parquet files; return the figures of each episode, and of all numbers together."""
    tasks = {text: index for index, text in enumerate(dataset.tasks)}
    figures: list[dict[str, Mapping[str, Any]]] = []
    columns: dict[str, list[np.ndarray]] = {}
    waiting: list[pa.Table] = []
    waiting_bytes, file, first_index = 0, 0, 0

    def flush() -> None:
        nonlocal waiting, waiting_bytes, file
        write_parquet(root / layout.V30_DATA.format(**_numbers(file, limits)), waiting)
        waiting, waiting_bytes, file = [], 0, file + 1

    for number, episode in enumerate(dataset.episodes):
        table = renumbered(
            episode_table(episode, dataset.features),
            episode,
            dataset.features,
            episode_index=number,
            first_index=first_index,
            tasks=tasks,
        )
        if waiting and waiting_bytes + table.nbytes >= limits.data_mb * _MIB:
            flush()
        waiting.append(table)
        waiting_bytes += table.nbytes
        rows[number] |= {
            'episode_index': number,
            'tasks': list(episode.tasks),
            'length': episode.length,
            'dataset_from_index': first_index,
            'dataset_to_index': first_index + episode.length,
            **{f'data/{key}': value for key, value in _numbers(file, limits).items()},
        }
        first_index += episode.length
        figures.append(episode_statistics(table, episode, dataset.features))
        for key, feature in dataset.features.items():
            if feature.is_numeric:
                columns.setdefault(key, []).append(numbers(table.column(key), feature))
    flush()
    exact: dict[str, Mapping[str, Any]] = {
        key: number_statistics(np.concatenate(parts)) for key, parts in columns.items()
    }
    return figures, exact


def _write_videos(
    dataset: Dataset, root: Path, limits: Limits, rows: list[dict[str, Any]]
) -> None:
    for key in dataset.video_keys:
        spans = [episode.videos[key] for episode in dataset.episodes]
        first = 0
        for file, group in enumerate(_groups(spans, limits)):
            place = _numbers(file, limits)
            remux(group, root / layout.V30_VIDEO.format(video_key=key, **place), dataset.fps)
            frames = 0
            for number, span in enumerate(group, start=first):
                rows[number] |= {
                    **{f'videos/{key}/{name}': value for name, value in place.items()},
                    f'videos/{key}/from_timestamp': frames / dataset.fps,
                    f'videos/{key}/to_timestamp': (frames + span.length) / dataset.fps,
                }
                frames += span.length
            first += len(group)


def _groups(spans: Sequence[VideoSpan], limits: Limits) -> list[list[VideoSpan]]:
    """Return which spans share a file: up to a size, and only what was compressed alike."""
    groups: list[list[VideoSpan]] = []
    size_mb, alike = 0.0, None
    known: dict[Path, tuple[Any, float]] = {}
    for span in spans:
        if span.path not in known:
            info = probe(span.path)
            signature = (info.codec, info.height, info.width, info.pixel_format, info.parameters)
            per_frame_mb = span.path.stat().st_size / _MIB / max(info.frames, 1)
            known[span.path] = (signature, per_frame_mb)
        signature, per_frame_mb = known[span.path]
        span_mb = per_frame_mb * span.length
        if not groups or signature != alike or size_mb + span_mb >= limits.video_mb:
            groups.append([])
            size_mb, alike = 0.0, signature
        groups[-1].append(span)
        size_mb += span_mb
    return groups


def _numbers(file: int, limits: Limits) -> dict[str, int]:
    return {'chunk_index': file // limits.chunk_files, 'file_index': file % limits.chunk_files}


def _write_episodes(path: Path, rows: Sequence[Mapping[str, Any]]) -> None:
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: [row.get(name) for row in rows] for name in names}
    write_parquet(path, [pa.table({name: pa.array(values) for name, values in columns.items()})])


def _write_tasks(path: Path, tasks: Sequence[str]) -> None:
    """Write the table as pandas would: LeRobot looks for the texts in its index."""
    index = '__index_level_0__'

    def column(name: str | None, field: str, pandas_type: str, numpy_type: str) -> dict[str, Any]:
        return {
            'name': name,
            'field_name': field,
            'pandas_type': pandas_type,
            'numpy_type': numpy_type,
            'metadata': None,
        }

    description = {
        'index_columns': [index],
        'column_indexes': [],
        'columns': [
            column('task_index', 'task_index', 'int64', 'int64'),
            column(None, index, 'unicode', 'object'),
        ],
        'pandas_version': '2.2.0',
    }
    table = pa.table(
        {
            'task_index': pa.array(range(len(tasks)), pa.int64()),
            index: pa.array(tasks, pa.string()),
        }
    )
    write_parquet(
        path, [table.replace_schema_metadata({'pandas': json.dumps(description).encode()})]
    )


def _write_info(dataset: Dataset, root: Path, limits: Limits) -> None:
    features: dict[str, Any] = dict(dataset.features)
    for key in dataset.video_keys:
        first = root / layout.V30_VIDEO.format(video_key=key, chunk_index=0, file_index=0)
        features[key] = with_video_info(features[key], probe(first).to_dict())
    content = layout.info_common(dataset, 'v3.0', limits) | {
        'data_files_size_in_mb': limits.data_mb,
        'video_files_size_in_mb': limits.video_mb,
        'data_path': layout.V30_DATA,
        'video_path': layout.V30_VIDEO if dataset.video_keys else None,
        'features': {key: feature.to_dict() for key, feature in features.items()},
    }
    write_json(root / layout.INFO, content)
