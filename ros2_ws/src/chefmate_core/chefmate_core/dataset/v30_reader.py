"""Episodes of LeRobot v3.0: many in one parquet file and one video."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from chefmate_core.dataset import layout
from chefmate_core.dataset.errors import DatasetError
from chefmate_core.dataset.features import video_keys
from chefmate_core.dataset.info import Info
from chefmate_core.dataset.model import Episode, Statistics, VideoSpan, check_numbers
from chefmate_core.dataset.rows import ParquetRows, read_parquet
from chefmate_core.dataset.statistics import as_arrays

_STATS_PREFIX = 'stats/'


def read_episodes(info: Info, root: Path) -> list[Episode]:
    """Return the episodes in order.

    Raises:
        DatasetError: a table is missing, damaged, or disagrees with `info.json`.
    """
    tasks = _read_tasks(root / layout.TASKS_PARQUET)
    files = sorted((root / layout.EPISODES_FOLDER).glob('*/*.parquet'))
    if not files:
        raise DatasetError(f'{root}: no parquet file in {layout.EPISODES_FOLDER}')
    rows = [row for file in files for row in read_parquet(file).to_pylist()]
    if len(rows) != info.total_episodes:
        raise DatasetError(
            f'{root}: meta/info.json counts {info.total_episodes} episodes, '
            f'{layout.EPISODES_FOLDER} has {len(rows)}'
        )
    episodes = []
    for number, row in enumerate(sorted(rows, key=lambda row: row.get('episode_index', -1))):
        where = f'{root}, {layout.EPISODES_FOLDER}, episode {number}'
        try:
            episodes.append(_episode(info, row, tasks, root))
        except KeyError as error:
            raise DatasetError(f'{where}: no column {error}; found: {", ".join(row)}') from error
        except (TypeError, ValueError) as error:
            raise DatasetError(f'{where}: {error}') from error
    check_numbers([episode.stated_index for episode in episodes], root / layout.EPISODES_FOLDER)
    return episodes


def _episode(info: Info, row: Mapping[str, Any], tasks: tuple[str, ...], root: Path) -> Episode:
    number = int(row['episode_index'])
    if number < 0:
        raise ValueError(f'found episode_index {number}, expected one from 0 on')
    length = int(row['length'])
    if length < 1 or int(row['dataset_to_index']) - int(row['dataset_from_index']) != length:
        raise ValueError(
            f'length {length} does not fit rows {row["dataset_from_index"]} to '
            f'{row["dataset_to_index"]}'
        )
    data = info.place(
        info.data_path, chunk_index=row['data/chunk_index'], file_index=row['data/file_index']
    )
    return Episode(
        rows=ParquetRows(data, number),
        length=length,
        tasks=tuple(dict.fromkeys(str(text) for text in row['tasks'])),
        task_table=tasks,
        videos={key: _span(info, row, key, length) for key in video_keys(info.features)},
        statistics=_statistics(row),
        stated_index=number,
        origin=f'{root}, episode {number}',
    )


def _span(info: Info, row: Mapping[str, Any], key: str, length: int) -> VideoSpan:
    if info.video_path is None:
        raise ValueError(f'{key} is a video, but meta/info.json has no video_path')
    path = info.place(
        info.video_path,
        video_key=key,
        chunk_index=row[f'videos/{key}/chunk_index'],
        file_index=row[f'videos/{key}/file_index'],
    )
    return VideoSpan(path, float(row[f'videos/{key}/from_timestamp']), length)


def _statistics(row: Mapping[str, Any]) -> Statistics | None:
    found: dict[str, dict[str, Any]] = {}
    for name, value in row.items():
        if name.startswith(_STATS_PREFIX) and value is not None:
            key, _, figure = name.removeprefix(_STATS_PREFIX).rpartition('/')
            found.setdefault(key, {})[figure] = value
    return {key: as_arrays(figures) for key, figures in found.items()} or None


def _read_tasks(path: Path) -> tuple[str, ...]:
    """Return the texts by index; LeRobot keeps them in the index of a pandas table."""
    table = read_parquet(path)
    texts = [name for name in table.column_names if _is_text(table.schema.field(name).type)]
    if 'task_index' not in table.column_names or len(texts) != 1:
        raise DatasetError(
            f'{path}: found the columns {", ".join(table.column_names)}; expected task_index and '
            f'one of text'
        )
    tasks = dict(
        zip(
            table.column('task_index').to_pylist(), table.column(texts[0]).to_pylist(), strict=True
        )
    )
    if sorted(tasks) != list(range(len(tasks))):
        raise DatasetError(f'{path}: task_index runs {sorted(tasks)}, expected 0, 1, 2, ...')
    return tuple(tasks[index] for index in range(len(tasks)))


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_large_string(kind)
