"""Episodes of LeRobot v2.0 and v2.1, and of GR00T: one parquet file and one video each."""

from pathlib import Path

from chefmate_core.dataset import layout
from chefmate_core.dataset.errors import DatasetError
from chefmate_core.dataset.features import video_keys
from chefmate_core.dataset.files import read_json_lines
from chefmate_core.dataset.info import Info
from chefmate_core.dataset.model import Episode, Statistics, VideoSpan, check_numbers
from chefmate_core.dataset.rows import ParquetRows
from chefmate_core.dataset.statistics import as_arrays


def read_episodes(info: Info, root: Path) -> list[Episode]:
    """Return the episodes in order.

    Raises:
        DatasetError: a table is missing, damaged, or disagrees with `info.json`.
    """
    tasks = _read_tasks(root / layout.TASKS_JSONL)
    statistics = _read_statistics(root / layout.EPISODES_STATS_JSONL)
    path = root / layout.EPISODES_JSONL
    episodes: list[Episode] = []
    for row in read_json_lines(path):
        index, length, texts = row.get('episode_index'), row.get('length'), row.get('tasks')
        if (
            type(index) is not int
            or index < 0
            or type(length) is not int
            or length < 1
            or not isinstance(texts, list)
            or not all(isinstance(text, str) for text in texts)
        ):
            raise DatasetError(
                f'{path}, episode {len(episodes)}: found {row}; expected episode_index from 0 on, '
                f'a length from 1 on and tasks, a list of texts'
            )
        numbers = {'episode_chunk': index // info.chunk_files, 'episode_index': index}
        videos = {}
        for key in video_keys(info.features):
            if info.video_path is None:
                raise DatasetError(f'{info.path}: {key} is a video, but video_path is missing')
            file = info.place(info.video_path, video_key=key, **numbers)
            videos[key] = VideoSpan(file, 0.0, length)
        episodes.append(
            Episode(
                rows=ParquetRows(info.place(info.data_path, **numbers)),
                length=length,
                tasks=tuple(dict.fromkeys(texts)),
                task_table=tasks,
                videos=videos,
                statistics=statistics.get(index),
                stated_index=index,
                origin=f'{root}, episode {index}',
            )
        )
    episodes.sort(key=lambda episode: episode.stated_index or 0)
    check_numbers([episode.stated_index for episode in episodes], path)
    if len(episodes) != info.total_episodes:
        raise DatasetError(
            f'{root}: meta/info.json counts {info.total_episodes} episodes, '
            f'{layout.EPISODES_JSONL} has {len(episodes)}'
        )
    return episodes


def _read_tasks(path: Path) -> tuple[str, ...]:
    tasks: dict[int, str] = {}
    for row in read_json_lines(path):
        index, text = row.get('task_index'), row.get('task')
        if type(index) is not int or not isinstance(text, str):
            raise DatasetError(f'{path}: found {row}, expected task_index (whole) and task (text)')
        tasks[index] = text
    if sorted(tasks) != list(range(len(tasks))):
        raise DatasetError(f'{path}: task_index runs {sorted(tasks)}, expected 0, 1, 2, ...')
    return tuple(tasks[index] for index in range(len(tasks)))


def _read_statistics(path: Path) -> dict[int, Statistics]:
    """Return episode -> statistics; nothing where there is no file, as in v2.0 and GR00T."""
    if not path.is_file():
        return {}
    found: dict[int, Statistics] = {}
    for row in read_json_lines(path):
        try:
            found[row['episode_index']] = {
                key: as_arrays(figures) for key, figures in row['stats'].items()
            }
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise DatasetError(
                f'{path}: found a row with {", ".join(row)}; expected episode_index and stats '
                f'(column -> figures): {error}'
            ) from error
    return found
