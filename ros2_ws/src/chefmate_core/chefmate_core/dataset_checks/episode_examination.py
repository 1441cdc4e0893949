"""Looks through one episode of a data set: its rows, its statistics, its images."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from chefmate_core.dataset import layout
from chefmate_core.dataset.errors import DatasetError
from chefmate_core.dataset.features import (
    ACTION,
    CAMERA_PREFIX,
    DEFAULTS,
    STATE,
    Features,
    camera_keys,
)
from chefmate_core.dataset.info import Info
from chefmate_core.dataset.model import Episode
from chefmate_core.dataset.rows import numbers
from chefmate_core.dataset.video import images
from chefmate_core.dataset_checks.episode_data import EpisodeData
from chefmate_core.dataset_checks.examination import Examination
from chefmate_core.dataset_checks.findings import Finding, Where
from chefmate_core.dataset_checks.pictures import CameraPictures, take, wanted_rows
from chefmate_core.dataset_checks.row_checks import (
    check_finite,
    check_numbering,
    check_tasks,
    check_times,
)
from chefmate_core.dataset_checks.statistics_checks import check_statistics, lacking

Columns = Mapping[str, np.ndarray]


@dataclass
class Totals:
    """What is summed over the episodes."""

    rows: int = 0
    all_read: bool = True
    # Video file -> episodes that cannot be decoded, and why the first of them cannot.
    undecoded: dict[str, tuple[list[int], Exception]] = field(default_factory=dict)
    # Columns without statistics of an episode -> such episodes.
    lacking: dict[tuple[str, ...], list[int]] = field(default_factory=dict)


def examine_episode(
    info: Info,
    episode: Episode,
    number: int,
    totals: Totals,
    root: Path,
    examination: Examination,
) -> Columns | None:
    """Add what is found, and what is summed up; return the numbers of its columns, if any."""
    repairs = examination.repairs
    file = Path(getattr(episode.rows, 'path', root))
    where = Where(relative(file, root), number)
    try:
        table = episode.rows.read()
        missing = [
            key
            for key, feature in info.features.items()
            if not feature.is_video and key not in table.column_names
        ]
        columns = {
            key: numbers(table.column(key), feature)
            for key, feature in info.features.items()
            if feature.is_numeric and key in table.column_names
        }
    except (DatasetError, ValueError, TypeError) as error:
        name = 'unreadable-file' if file.is_file() else 'missing-file'
        meant = 'a parquet file with the columns of meta/info.json'
        examination.add([Finding(name, where, str(error), meant, repairs.delete(number))])
        totals.rows, totals.all_read = totals.rows + episode.length, False
        return None
    examination.add(
        Finding('missing-key', where, f'no column {key}',
                'every column that meta/info.json names', repairs.delete(number))
        for key in missing
    )  # fmt: skip
    count = table.num_rows
    if count != episode.length:
        examination.add([
            Finding('count-mismatch', where, f'{count} rows',
                    f'{episode.length}, as meta/episodes says', repairs.delete(number))
        ])  # fmt: skip
    first_index, totals.rows = totals.rows, totals.rows + count
    if not count or not set(DEFAULTS) <= set(columns):
        return columns
    examination.add(check_numbering(columns, where, first_index, repairs))
    examination.add(check_times(columns['timestamp'], info.fps, where, repairs))
    examination.add(check_tasks(columns['task_index'], len(episode.task_table), where, repairs))
    examination.add(check_finite(columns, where, repairs))
    if info.version != 'v2.0' and (root / layout.EPISODES_STATS_JSONL).is_file() | (
        info.version == 'v3.0'
    ):
        place = layout.EPISODES_FOLDER if info.version == 'v3.0' else layout.EPISODES_STATS_JSONL
        stated = episode.statistics
        lacks = lacking(stated, (*columns, *camera_keys(info.features)))
        if lacks:
            totals.lacking.setdefault(lacks, []).append(number)
        examination.add(check_statistics(stated, columns, Where(place, number), repairs))
    task = int(columns['task_index'][0])
    known = 0 <= task < len(episode.task_table)
    width = np.zeros((count, 0))
    examination.add_episode(
        EpisodeData(
            number=number,
            file=where.file,
            fps=info.fps,
            instruction=episode.task_table[task] if known else ' '.join(episode.tasks),
            timestamp_s=columns['timestamp'],
            state=columns.get(STATE, width).reshape(count, -1).astype(float),
            action=columns.get(ACTION, width).reshape(count, -1).astype(float),
            cameras=_pictures(info, episode, number, totals, root),
        ),
        check_ranges='so10' in (info.robot_type or '').lower() or _is_arm(info.features),
    )
    return columns


def _pictures(
    info: Info, episode: Episode, number: int, totals: Totals, root: Path
) -> dict[str, CameraPictures]:
    wanted, strip = wanted_rows(episode.length, info.fps)
    found = {}
    for key, span in episode.videos.items():
        pictures = found[key.removeprefix(CAMERA_PREFIX)] = CameraPictures(from_video=True)
        if not span.path.is_file():
            continue  # told once for the file
        try:
            take(images(span, info.fps, wanted), strip, pictures)
        except (DatasetError, OSError, ValueError) as error:
            name = relative(span.path, root)
            totals.undecoded.setdefault(name, ([], error))[0].append(number)
    return found


def _is_arm(features: Features) -> bool:
    names = features[STATE].names if STATE in features else None
    return isinstance(names, list) and any('shoulder_pan' in str(name) for name in names)


def relative(path: Path, root: Path) -> str:
    """Return a path as a finding names it."""
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
