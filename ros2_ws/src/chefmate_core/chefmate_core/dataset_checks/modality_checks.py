"""Checks of GR00T's `meta/modality.json` against the columns that there are.

Source: NVIDIA/Isaac-GR00T (N1.5), `getting_started/LeRobot_compatible_data_schema.md`: groups are
[start, end) of `observation.state` and `action`, or of their `original_key`; annotations are read
from the column that `original_key` names, or from `annotation.<name>`.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from chefmate_core.dataset.features import ACTION, STATE, Features, task_columns
from chefmate_core.dataset.layout import MODALITY
from chefmate_core.dataset_checks.findings import Finding, Repairs, Where
from chefmate_core.policy.modality import INSTRUCTION_KEY

_WHERE = Where(MODALITY)
_DEFAULT_COLUMNS = {'state': STATE, 'action': ACTION}
_ANNOTATION = INSTRUCTION_KEY.removeprefix('annotation.')
# The other spelling that servers and data configurations of this family use.
_ALSO_ANNOTATION = 'human.action.task_description'


def check_modality(
    content: Mapping[str, Any], features: Features, repairs: Repairs
) -> Iterator[Finding]:
    """Yield everything that keeps GR00T's loader from finding what training needs."""
    made_anew = f'remove {MODALITY} and let it be made: {repairs.rewrite()}'
    for part in ('state', 'action', 'video', 'annotation'):
        if not isinstance(content.get(part), Mapping) or not content[part]:
            yield Finding(
                'modality-missing',
                _WHERE,
                f'{part} is {content.get(part)!r}',
                f'an object with the entries of {part}',
                made_anew,
            )
    for part, column in _DEFAULT_COLUMNS.items():
        groups = content.get(part)
        if isinstance(groups, Mapping):
            yield from _check_groups(part, column, groups, features, made_anew)
    cameras, annotations = content.get('video'), content.get('annotation')
    if isinstance(cameras, Mapping):
        yield from _check_cameras(cameras, features, made_anew)
    if isinstance(annotations, Mapping) and annotations:
        yield from _check_annotations(annotations, features)


def _check_groups(
    part: str, default: str, groups: Mapping[str, Any], features: Features, repair: str
) -> Iterator[Finding]:
    taken: dict[str, dict[int, str]] = {}
    for name, entry in groups.items():
        entry = entry if isinstance(entry, Mapping) else {}
        column = entry.get('original_key') or default
        start, end = entry.get('start'), entry.get('end')
        what = f'{part}.{name}: start {start!r}, end {end!r} of {column}'
        if column not in features:
            yield Finding(
                'modality-range', _WHERE, what, f'a column of: {", ".join(features)}', repair
            )
            continue
        size = features[column].size
        if type(start) is not int or type(end) is not int or not 0 <= start < end <= size:
            yield Finding(
                'modality-range',
                _WHERE,
                what,
                f'0 <= start < end <= {size}: {column} has {size} numbers a row, and end is not '
                'one of them',
                repair,
            )
            continue
        owners = taken.setdefault(column, {})
        shared = sorted({owners[place] for place in range(start, end) if place in owners})
        if shared:
            yield Finding(
                'modality-overlap',
                _WHERE,
                f'{what} shares numbers with {", ".join(shared)}',
                'groups that share none',
                repair,
            )
        owners |= dict.fromkeys(range(start, end), name)
    for column, owners in taken.items():
        free = [place for place in range(features[column].size) if place not in owners]
        if free:
            yield Finding(
                'modality-gap',
                _WHERE,
                f'{part}: no group has {column} {free}',
                'all numbers in a group: the others are never trained',
                repair,
            )


def _check_cameras(
    cameras: Mapping[str, Any], features: Features, repair: str
) -> Iterator[Finding]:
    known = [key for key, feature in features.items() if feature.dtype in ('video', 'image')]
    for name, entry in cameras.items():
        entry = entry if isinstance(entry, Mapping) else {}
        key = entry.get('original_key') or f'observation.images.{name}'
        if key not in known:
            yield Finding(
                'modality-camera',
                _WHERE,
                f'video.{name}: original_key {key!r}',
                f'one of: {", ".join(known) or "no camera"}',
                repair,
            )


def _check_annotations(annotations: Mapping[str, Any], features: Features) -> Iterator[Finding]:
    columns = task_columns(features)
    if not {_ANNOTATION, _ALSO_ANNOTATION} & set(annotations):
        found = ', '.join(annotations)
        yield Finding(
            'wrong-annotation-key',
            _WHERE,
            f'annotation: {found}',
            f'{_ANNOTATION}: training and inference ask for {INSTRUCTION_KEY}',
            f'rename {found} to {_ANNOTATION} in {MODALITY}',
        )
    for name, entry in annotations.items():
        entry = entry if isinstance(entry, Mapping) else {}
        column = entry.get('original_key') or f'annotation.{name}'
        if column not in columns:
            yield Finding(
                'wrong-annotation-key',
                _WHERE,
                f'annotation.{name}: original_key {column!r}',
                f'a column that numbers the table of tasks: {", ".join(columns)}',
                f'set original_key of {name} to task_index in {MODALITY}',
            )
