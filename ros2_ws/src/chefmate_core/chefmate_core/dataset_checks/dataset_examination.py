"""Looks through a data set of LeRobot v2.1, v3.0 or GR00T.

Everything that can be read is looked at, whatever else is damaged: a reader for training would
stop at the first error.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from chefmate_core.dataset import layout
from chefmate_core.dataset.errors import DatasetError
from chefmate_core.dataset.features import (
    ACTION,
    CAMERA_PREFIX,
    DEFAULTS,
    STATE,
    Feature,
    Features,
    camera_keys,
)
from chefmate_core.dataset.files import read_json, read_json_lines
from chefmate_core.dataset.info import Info, read_info
from chefmate_core.dataset.model import Episode, VideoSpan
from chefmate_core.dataset.reading import format_of
from chefmate_core.dataset.rows import numbers, read_parquet
from chefmate_core.dataset.v21_reader import read_episodes as read_v21
from chefmate_core.dataset.v30_reader import read_episodes as read_v30
from chefmate_core.dataset.video import images
from chefmate_core.dataset_checks.episode_data import EpisodeData
from chefmate_core.dataset_checks.examination import Examination
from chefmate_core.dataset_checks.findings import Finding, Repairs, Where
from chefmate_core.dataset_checks.modality_checks import check_modality
from chefmate_core.dataset_checks.pictures import CameraPictures, take, wanted_rows
from chefmate_core.dataset_checks.row_checks import (
    check_finite,
    check_numbering,
    check_tasks,
    check_times,
)
from chefmate_core.dataset_checks.statistics_checks import (
    check_statistics,
    lacking,
    missing_statistics,
)
from chefmate_core.dataset_checks.video_checks import check_video_file, of_episodes, unreadable

_META = 'copy meta/info.json again from where it was made, or write into it'
# Key of meta/info.json -> repair. No command reads a data set without them.
_INFO_KEYS = {
    'codebase_version': f'{_META} v2.1 (meta/episodes.jsonl is there) or v3.0 (meta/episodes/ is)',
    'fps': f'{_META} the rows of a second: 1 / (difference of two timestamps)',
    'features': f'{_META} dtype, shape and names of every column and camera',
    'total_episodes': f'{_META} how many episodes meta/episodes has',
    'total_frames': f'{_META} how many rows all parquet files have together',
    'data_path': f'{_META} the pattern of the parquet files, as in '
    'data/chunk-{episode_chunk:03d}/episode_{episode_index:06d}.parquet (v2.1)',
}
# What a file that is not what meta/info.json says may raise on its way through the checks.
_UNEXPECTED = (
    DatasetError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    AttributeError,
    RuntimeError,
)
# Findings of a video file that say already which episodes lack images.
_TELL_OF_IMAGES = ('missing-file', 'unreadable-video', 'count-mismatch')
_Columns = Mapping[str, np.ndarray]


@dataclass
class _Totals:
    """What is summed over the episodes."""

    rows: int = 0
    all_read: bool = True
    # Video file -> episodes that cannot be decoded, and why the first of them cannot.
    undecoded: dict[str, tuple[list[int], Exception]] = field(default_factory=dict)
    # Columns without statistics of an episode -> such episodes.
    lacking: dict[tuple[str, ...], list[int]] = field(default_factory=dict)


def examine_dataset(path: Path, examination: Examination) -> None:
    """Fill the examination from a data set's folder."""
    repairs = examination.repairs
    try:
        raw = read_json(path / layout.INFO)
        examination.add(
            Finding('missing-key', Where(layout.INFO), f'no key {key}', 'a value', _INFO_KEYS[key])
            for key in _INFO_KEYS
            if key not in raw
        )
        info = read_info(path)
    except DatasetError as error:
        # A missing key has been told already.
        if not examination.findings:
            examination.add([_unreadable(layout.INFO, error)])
        return
    target = format_of(info, path)
    examination.format, examination.fps = target.value, info.fps
    examination.robot_type = info.robot_type or ''
    examination.cameras = tuple(
        key.removeprefix(CAMERA_PREFIX) for key in camera_keys(info.features)
    )
    examination.add(_missing_features(info.features))
    names = info.features[STATE].names if STATE in info.features else None
    if isinstance(names, list):
        examination.joint_names = tuple(str(name) for name in names)
    examination.repairs = repairs = replace(repairs, format=target.value)
    if target is layout.Format.GROOT:
        try:
            content = read_json(path / layout.MODALITY)
            examination.add(check_modality(content, info.features, repairs))
        except DatasetError as error:
            examination.add([_unreadable(layout.MODALITY, error)])
    try:
        info = _with_true_count(info, path, examination)
        episodes = (read_v30 if info.version == 'v3.0' else read_v21)(info, path)
    except DatasetError as error:
        examination.add([_unreadable('meta', error)])
        return
    examination.repairs = repairs = replace(repairs, episodes=len(episodes))
    examination.add(_check_videos(info, episodes, target, path, examination))
    totals, kept = _Totals(), []
    for number, episode in enumerate(episodes):
        columns, first_index = None, totals.rows
        try:
            columns = _examine_episode(info, episode, number, totals, path, examination)
        except _UNEXPECTED as error:
            totals.rows, totals.all_read = first_index + episode.length, False
            file = _relative(Path(getattr(episode.rows, 'path', path)), path)
            examination.add([_unfit(Where(file, number), error, repairs)])
        if columns is not None:
            kept.append(columns)
    told = {f.where.file for f in examination.findings if f.name in _TELL_OF_IMAGES}
    examination.add(
        unreadable(file, numbers, error, repairs)
        for file, (numbers, error) in totals.undecoded.items()
        if file not in told
    )
    is_v30 = info.version == 'v3.0'
    place = layout.EPISODES_FOLDER if is_v30 else layout.EPISODES_STATS_JSONL
    for keys, those in totals.lacking.items():
        # Training on v3.0 takes the figures of meta/stats.json; on v2.1 it adds up these.
        where = of_episodes(place, those)
        examination.add(missing_statistics(keys, where, repairs, of_training=not is_v30))
    if totals.all_read:
        examination.add(_check_total(raw, totals, path, examination))
        examination.add(_check_global_statistics(info, kept, path, target, examination))


def _examine_episode(
    info: Info,
    episode: Episode,
    number: int,
    totals: _Totals,
    root: Path,
    examination: Examination,
) -> _Columns | None:
    repairs = examination.repairs
    file = Path(getattr(episode.rows, 'path', root))
    where = Where(_relative(file, root), number)
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


def _unfit(where: Where, error: Exception, repairs: Repairs) -> Finding:
    return Finding(
        'unreadable-file',
        where,
        f'{type(error).__name__}: {error}',
        'rows as meta/info.json describes them',
        repairs.delete(where.episode or 0),
    )


def _pictures(
    info: Info, episode: Episode, number: int, totals: _Totals, root: Path
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
            name = _relative(span.path, root)
            totals.undecoded.setdefault(name, ([], error))[0].append(number)
    return found


def _check_videos(
    info: Info,
    episodes: list[Episode],
    target: layout.Format,
    root: Path,
    examination: Examination,
) -> Iterator[Finding]:
    files: dict[tuple[str, Path], list[tuple[int, VideoSpan]]] = {}
    for number, source in enumerate(episodes):
        for key, span in source.videos.items():
            files.setdefault((key, span.path), []).append((number, span))
    for (key, file), parts in files.items():
        feature: Feature = info.features[key]
        name = _relative(file, root)
        yield from check_video_file(
            file, parts, feature, info.fps, target, name, examination.repairs
        )


def _missing_features(features: Features) -> Iterator[Finding]:
    for key in (STATE, ACTION):
        if key not in features:
            yield Finding(
                'missing-key',
                Where(layout.INFO),
                f'features without {key}: {", ".join(features)}',
                f'{key}, which every policy learns from',
                f'rename the column that holds it to {key}, in meta/info.json and in the data',
            )


def _with_true_count(info: Info, root: Path, examination: Examination) -> Info:
    """Tell if the number of episodes is not that of the table; go on with the table's."""
    if info.version == 'v3.0':
        files = sorted((root / layout.EPISODES_FOLDER).glob('*/*.parquet'))
        place, count = layout.EPISODES_FOLDER, sum(read_parquet(file).num_rows for file in files)
    else:
        place, count = layout.EPISODES_JSONL, len(read_json_lines(root / layout.EPISODES_JSONL))
    if count == info.total_episodes:
        return info
    examination.add([
        Finding(
            'count-mismatch', Where(layout.INFO), f'total_episodes {info.total_episodes}',
            f'{count}, as {place} has', f'set total_episodes to {count}',
        )
    ])  # fmt: skip
    return replace(info, total_episodes=count)


def _check_total(
    raw: Mapping[str, Any], totals: _Totals, root: Path, examination: Examination
) -> Iterator[Finding]:
    if raw.get('total_frames') != totals.rows:
        yield Finding(
            'count-mismatch',
            Where(layout.INFO),
            f'total_frames {raw.get("total_frames")}',
            f'{totals.rows} rows, as the parquet files have',
            f'set total_frames to {totals.rows}',
        )


def _check_global_statistics(
    info: Info, kept: list[_Columns], root: Path, target: layout.Format, examination: Examination
) -> Iterator[Finding]:
    """Check meta/stats.json, or that v2.1 has its file of statistics."""
    path, repairs = root / layout.STATS, examination.repairs
    if target is layout.Format.LEROBOT_V21 and info.version == 'v2.1':
        path = root / layout.EPISODES_STATS_JSONL
    if not path.is_file():
        yield Finding(
            'missing-statistics', Where(_relative(path, root)), 'no such file',
            'figures of every column: training normalises by them', repairs.rewrite(),
        )  # fmt: skip
        return
    if path.name != Path(layout.STATS).name or not kept:
        return
    try:
        stored = read_json(path)
    except DatasetError as error:
        yield _unreadable(layout.STATS, error)
        return
    together = {
        key: np.concatenate([columns[key] for columns in kept])
        for key in kept[0]
        if all(key in columns for columns in kept)
    }
    if target is layout.Format.GROOT:  # its loader looks at these alone
        together = {key: together[key] for key in (STATE, ACTION) if key in together}
    cameras = camera_keys(info.features) if target is not layout.Format.GROOT else ()
    keys = lacking(stored, (*together, *cameras))
    yield from missing_statistics(keys, Where(layout.STATS), repairs)
    yield from check_statistics(stored, together, Where(layout.STATS), repairs)


def _unreadable(file: str, error: Exception) -> Finding:
    missing = 'no such file' in str(error)
    return Finding(
        'missing-file' if missing else 'unreadable-file',
        Where(file),
        str(error),
        'a file as the format has it',
        'copy it again from where it was made',
    )


def _is_arm(features: Features) -> bool:
    names = features[STATE].names if STATE in features else None
    return isinstance(names, list) and any('shoulder_pan' in str(name) for name in names)


def _relative(path: Path, root: Path) -> str:
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)
