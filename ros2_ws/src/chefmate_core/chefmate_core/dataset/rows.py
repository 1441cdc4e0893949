"""Rows of episodes: in parquet files, and made to fit another data set."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from chefmate_core.dataset.errors import DatasetError
from chefmate_core.dataset.features import Feature, Features, task_columns
from chefmate_core.dataset.model import Episode


@dataclass(frozen=True)
class ParquetRows:
    """Rows of one episode in a parquet file of its own, or of many episodes."""

    path: Path
    episode_index: int | None = None  # as the file says; None: the whole file is one episode

    def read(self) -> pa.Table:
        """Return all columns.

        Raises:
            DatasetError: the file is missing or damaged.
        """
        where = (
            None
            if self.episode_index is None
            else pc.field('episode_index').isin([self.episode_index])
        )
        return read_parquet(self.path, where)


def read_parquet(path: Path, where: pc.Expression | None = None) -> pa.Table:
    """Return the rows of a parquet file for which `where` holds.

    Raises:
        DatasetError: the file is missing or damaged.
    """
    try:
        return pq.read_table(path, filters=where, partitioning=None)
    except FileNotFoundError:
        raise DatasetError(f'{path}: no such file') from None
    except (pa.ArrowException, OSError, ValueError) as error:
        raise DatasetError(f'{path}: not a readable parquet file: {error}') from error


def episode_table(episode: Episode, features: Features) -> pa.Table:
    """Return an episode's rows: the columns of `features` that are not in videos, with its types.

    Raises:
        DatasetError: a column is missing, has another type or shape, or rows are too many or few.
    """
    table = episode.rows.read()
    if episode.column_names:
        names = [episode.column_names.get(name, name) for name in table.column_names]
        table = table.rename_columns(names)
    if table.num_rows != episode.length:
        raise DatasetError(
            f'{episode.origin}: found {table.num_rows} rows, expected {episode.length}'
        )
    wanted = {key: feature for key, feature in features.items() if not feature.is_video}
    missing = [key for key in wanted if key not in table.column_names]
    if missing:
        raise DatasetError(
            f'{episode.origin}: the parquet file has no column {", ".join(missing)}; found: '
            f'{", ".join(table.column_names)}'
        )
    columns = {
        key: _as_feature(table.column(key), feature, f'{episode.origin}, column {key}')
        for key, feature in wanted.items()
    }
    return pa.table(columns, metadata=_metadata(wanted))


def _metadata(features: Features) -> dict[str, str] | None:
    """Return what tells `datasets`, and so LeRobot, that structs of bytes are images."""
    images = {key: {'_type': 'Image'} for key, value in features.items() if value.dtype == 'image'}
    return {'huggingface': json.dumps({'info': {'features': images}})} if images else None


def embedded_images(
    episode: Episode, key: str, wanted: Sequence[int]
) -> Iterator[tuple[int, bytes]]:
    """Yield (row, file) of the images of a camera that are in the parquet file.

    Raises:
        DatasetError: the file is damaged, or the column is not one of images.
    """
    table = episode.rows.read()
    here = {episode.column_names.get(name, name): name for name in table.column_names}
    if key not in here:
        raise DatasetError(f'{episode.origin}: the parquet file has no column {key}')
    if table.num_rows != episode.length:
        raise DatasetError(
            f'{episode.origin}: found {table.num_rows} rows, expected {episode.length}'
        )
    column = table.column(here[key])
    for row in wanted:
        value = column[row].as_py()
        content = value.get('bytes') if isinstance(value, dict) else None
        if content is None:
            raise DatasetError(f'{episode.origin}, row {row}: {key} holds no image')
        yield row, content


def _as_feature(column: pa.ChunkedArray, feature: Feature, where: str) -> pa.ChunkedArray:
    if feature.dtype == 'image':  # bytes and a path: passed on as they are
        return column
    wanted = feature.arrow_type()
    if column.type == wanted:
        return column
    is_list = pa.types.is_list(column.type) or pa.types.is_fixed_size_list(column.type)
    try:
        if is_list and feature.shape == (1,):
            flat = pc.list_flatten(column)
            if len(flat) != len(column):
                raise pa.ArrowInvalid(f'found lists of {column.type}')
            column = flat
        return column.cast(wanted)
    except pa.ArrowException as error:
        raise DatasetError(
            f'{where}: found {column.type}, expected {wanted} as meta/info.json says: {error}'
        ) from error


def numbers(column: pa.ChunkedArray, feature: Feature) -> np.ndarray:
    """Return a numeric column as an array, shape (rows, *feature.shape); (rows,) for scalars."""
    if feature.shape == (1,):
        if pa.types.is_list(column.type) or pa.types.is_fixed_size_list(column.type):
            column = pc.list_flatten(column)  # GR00T and older tools write lists of one
        return column.to_numpy()
    array = column.combine_chunks()
    while pa.types.is_fixed_size_list(array.type) or pa.types.is_list(array.type):
        array = array.flatten()
    return array.to_numpy(zero_copy_only=False).reshape(len(column), *feature.shape)


def renumbered(
    table: pa.Table,
    episode: Episode,
    features: Features,
    *,
    episode_index: int,
    first_index: int,
    tasks: Mapping[str, int],
) -> pa.Table:
    """Return the rows with the numbers that they have in another data set.

    `index`, `episode_index`, `frame_index` and the columns of tasks are made anew; the others,
    `timestamp` among them, stay.

    Raises:
        DatasetError: a row names a task that the table of tasks has not.
    """
    count = table.num_rows
    table = _with(table, 'index', np.arange(first_index, first_index + count))
    table = _with(table, 'episode_index', np.full(count, episode_index))
    table = _with(table, 'frame_index', np.arange(count))
    for key in task_columns(features):
        if key not in table.column_names:
            continue
        old = numbers(table.column(key), features[key])
        translation = np.array([tasks.get(text, -1) for text in episode.task_table], dtype=int)
        inside = (old >= 0) & (old < len(translation))
        new = np.full(count, -1)
        new[inside] = translation[old[inside]]
        if (new < 0).any():
            row = int(np.argmax(new < 0))
            raise DatasetError(
                f'{episode.origin}, row {row}: {key} is {old[row]}, which the table of tasks has '
                f'not. Next: `chefmate dataset relabel` gives the episode an instruction'
            )
        table = _with(table, key, new)
    return table


def _with(table: pa.Table, key: str, values: np.ndarray) -> pa.Table:
    position = table.column_names.index(key)
    return table.set_column(position, key, pa.array(values).cast(table.schema.field(key).type))


def tasks_in(table: pa.Table, task_table: Sequence[str], origin: str) -> tuple[str, ...]:
    """Return the instructions that the rows name, in order of appearance.

    Raises:
        DatasetError: a row names a task that the table of tasks has not.
    """
    found = dict.fromkeys(table.column('task_index').to_pylist())
    unknown = [index for index in found if index is None or not 0 <= index < len(task_table)]
    if unknown:
        raise DatasetError(
            f'{origin}: task_index {unknown[0]} is not in the table of {len(task_table)} tasks'
        )
    return tuple(task_table[index] for index in found)


def write_parquet(path: Path, tables: Sequence[pa.Table]) -> None:
    """Write tables of one schema, each as a row group of its own, as LeRobot does."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(path, tables[0].schema, compression='snappy') as writer:
        for table in tables:
            writer.write_table(table)
