"""Looks through a data set of LeRobot v2.1, v3.0 or GR00T.

Everything that can be read is looked at, whatever else is damaged: a reader for training would
stop at the first error.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from chefmate_core.dataset import layout
from chefmate_core.dataset.errors import DatasetError
from chefmate_core.dataset.features import (
    ACTION,
    CAMERA_PREFIX,
    STATE,
    Feature,
    Features,
    camera_keys,
)
from chefmate_core.dataset.files import read_json, read_json_lines
from chefmate_core.dataset.info import Info, read_info
from chefmate_core.dataset.model import Episode, VideoSpan
from chefmate_core.dataset.reading import format_of
from chefmate_core.dataset.rows import read_parquet
from chefmate_core.dataset.v21_reader import read_episodes as read_v21
from chefmate_core.dataset.v30_reader import read_episodes as read_v30
from chefmate_core.dataset_checks.episode_examination import (
    Columns,
    Totals,
    examine_episode,
    relative,
)
from chefmate_core.dataset_checks.examination import Examination
from chefmate_core.dataset_checks.findings import Finding, Where
from chefmate_core.dataset_checks.modality_checks import check_modality
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
    totals, kept = Totals(), []
    for number, episode in enumerate(episodes):
        columns, first_index = None, totals.rows
        try:
            columns = examine_episode(info, episode, number, totals, path, examination)
        except _UNEXPECTED as error:
            totals.rows, totals.all_read = first_index + episode.length, False
            file = relative(Path(getattr(episode.rows, 'path', path)), path)
            found, meant = (
                f'{type(error).__name__}: {error}',
                'rows as meta/info.json describes them',
            )
            where = Where(file, number)
            examination.add([
                Finding('unreadable-file', where, found, meant, repairs.delete(number))
            ])  # fmt: skip
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
        name = relative(file, root)
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
    raw: Mapping[str, Any], totals: Totals, root: Path, examination: Examination
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
    info: Info, kept: list[Columns], root: Path, target: layout.Format, examination: Examination
) -> Iterator[Finding]:
    """Check meta/stats.json, or that v2.1 has its file of statistics."""
    path, repairs = root / layout.STATS, examination.repairs
    if target is layout.Format.LEROBOT_V21 and info.version == 'v2.1':
        path = root / layout.EPISODES_STATS_JSONL
    if not path.is_file():
        yield Finding(
            'missing-statistics', Where(relative(path, root)), 'no such file',
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
