"""Operations: a data set in, another out. Nothing is written; `convert.write` does that."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any

from chefmate_core.dataset.errors import DatasetRequestError
from chefmate_core.dataset.features import CAMERA_PREFIX, camera_keys, common_differences
from chefmate_core.dataset.model import Dataset, Episode


def subset(dataset: Dataset, episodes: Sequence[int]) -> Dataset:
    """Return only these episodes, in this order.

    Raises:
        DatasetRequestError: a number is not there or given twice, or none is left.
    """
    _check_numbers(dataset, episodes)
    return _part(dataset, episodes)


def _part(dataset: Dataset, episodes: Sequence[int]) -> Dataset:
    if not episodes:
        raise DatasetRequestError('no episode would be left')
    chosen = [replace(dataset.episodes[number], stated_index=None) for number in episodes]
    return replace(dataset, episodes=chosen, splits=None)


def delete(dataset: Dataset, episodes: Collection[int]) -> Dataset:
    """Return all but these episodes.

    Raises:
        DatasetRequestError: a number is not there or given twice, or none is left.
    """
    _check_numbers(dataset, list(episodes))
    return _part(
        dataset, [number for number in range(len(dataset.episodes)) if number not in episodes]
    )


def split(dataset: Dataset, shares: Mapping[str, float]) -> dict[str, Dataset]:
    """Return parts of consecutive episodes, as large as their shares ask for; each at least one.

    Raises:
        DatasetRequestError: shares are not positive, or there are too few episodes.
    """
    count, total = len(dataset.episodes), sum(shares.values())
    if not shares or any(share <= 0 for share in shares.values()):
        raise DatasetRequestError(f'shares must be positive; found {dict(shares)}')
    if count < len(shares):
        raise DatasetRequestError(f'{count} episodes cannot be split into {len(shares)} parts')
    edges, reached = [0], 0.0
    for position, share in enumerate(shares.values(), start=1):
        reached += share
        edge = round(count * reached / total)
        edges.append(min(max(edge, edges[-1] + 1), count - (len(shares) - position)))
    return {
        name: _part(dataset, range(start, stop))
        for name, (start, stop) in zip(shares, pairwise(edges), strict=True)
    }


def merge(datasets: Sequence[Dataset]) -> Dataset:
    """Return all episodes of several data sets, one after the other.

    Raises:
        DatasetRequestError: they differ in what must be equal; the message lists it.
    """
    if not datasets:
        raise DatasetRequestError('there is no data set to merge')
    first = datasets[0]
    for other in datasets[1:]:
        differences = common_differences(first.features, other.features)
        for part in ('fps', 'robot_type', 'modality'):
            one, two = getattr(first, part), getattr(other, part)
            if one != two:
                differences.append(f'{part}: {one} and {two}')
        if differences:
            raise DatasetRequestError(
                f'{first.root} and {other.root} cannot be merged: {"; ".join(differences)}. '
                f'Next: convert them to one format, or `chefmate dataset rename-camera`'
            )
    episodes = [
        replace(episode, stated_index=None)  # here numbered anew
        for dataset in datasets
        for episode in dataset.episodes
    ]
    return replace(first, episodes=episodes, splits=None)


def rename_cameras(
    dataset: Dataset, names: Mapping[str, str], episodes: Collection[int] | None = None
) -> Dataset:
    """Return the data set with other names for its cameras: old -> new, short or whole.

    Two names may change places: that repairs swapped cameras, in all episodes or in some.

    Raises:
        DatasetRequestError: a camera is not there, two would have one name, or some episodes would
            have other cameras than the rest.
    """
    cameras = camera_keys(dataset.features)
    renamed = {_camera(old, cameras): _whole_name(new) for old, new in names.items()}
    after = [renamed.get(key, key) for key in dataset.features]
    twice = sorted({key for key in after if after.count(key) > 1})
    if twice:
        raise DatasetRequestError(
            f'two cameras would be called {", ".join(twice)}; cameras: {", ".join(cameras)}. '
            f'Next: name both to let them change places'
        )
    if episodes is not None:
        return _swapped(dataset, renamed, episodes)
    return replace(
        dataset,
        features={renamed.get(key, key): value for key, value in dataset.features.items()},
        episodes=[_with_cameras(episode, renamed) for episode in dataset.episodes],
        modality=_modality(dataset.modality, renamed),
    )


def _swapped(dataset: Dataset, renamed: Mapping[str, str], episodes: Collection[int]) -> Dataset:
    """Return the data set with cameras that changed places in some episodes."""
    _check_numbers(dataset, list(episodes))
    differ = [
        f'{old} and {new}'
        for old, new in renamed.items()
        if dataset.features[old].shape != dataset.features.get(new, dataset.features[old]).shape
    ]
    if set(renamed) != set(renamed.values()) or differ:
        raise DatasetRequestError(
            'in some episodes only, cameras of one size can change places, as in wrist=scene '
            f'scene=wrist; found {dict(renamed)}' + (f'; sizes differ: {differ}' if differ else '')
        )
    return replace(
        dataset,
        episodes=[
            _with_cameras(episode, renamed) if number in episodes else episode
            for number, episode in enumerate(dataset.episodes)
        ],
    )


def relabel(
    dataset: Dataset,
    texts: Mapping[str, str] | None = None,
    episodes: Mapping[int, str] | None = None,
) -> Dataset:
    """Return the data set with other instructions: old text -> new, or episode -> text.

    Raises:
        DatasetRequestError: a text or an episode is not there, or a new text is empty.
    """
    texts, episodes = dict(texts or {}), dict(episodes or {})
    unknown = [text for text in texts if text not in dataset.tasks]
    if unknown:
        raise DatasetRequestError(
            f'no episode has the instruction {unknown[0]!r}; there are: '
            f'{", ".join(repr(text) for text in dataset.tasks)}'
        )
    if not all(text.strip() for text in (*texts.values(), *episodes.values())):
        raise DatasetRequestError('an instruction must not be empty')
    _check_numbers(dataset, list(episodes))
    changed = []
    for number, episode in enumerate(dataset.episodes):
        table = texts
        if number in episodes:  # its instructions, and not what annotations say besides
            table = dict.fromkeys(episode.tasks, episodes[number])
        changed.append(
            replace(
                episode,
                tasks=tuple(dict.fromkeys(table.get(text, text) for text in episode.tasks)),
                task_table=tuple(table.get(text, text) for text in episode.task_table),
            )
        )
    return replace(dataset, episodes=changed)


def _check_numbers(dataset: Dataset, episodes: Sequence[int]) -> None:
    stated = [episode.stated_index for episode in dataset.episodes]
    if episodes and any(
        index is not None and index != number for number, index in enumerate(stated)
    ):
        raise DatasetRequestError(
            f'{dataset.root}: its episodes are numbered {", ".join(map(str, stated))}, so it is '
            f'not certain which one is meant. Next: `chefmate dataset convert` numbers them 0 to '
            f'{len(stated) - 1} in that order'
        )
    last = len(dataset.episodes) - 1
    wrong = [number for number in episodes if not 0 <= number <= last]
    if wrong:
        raise DatasetRequestError(f'there is no episode {wrong[0]}; there are 0 to {last}')
    if len(set(episodes)) < len(episodes):
        raise DatasetRequestError(f'an episode is named twice: {list(episodes)}')


def _whole_name(name: str) -> str:
    return name if name.startswith(CAMERA_PREFIX) else f'{CAMERA_PREFIX}{name}'


def _camera(name: str, cameras: Sequence[str]) -> str:
    for candidate in (name, _whole_name(name)):
        if candidate in cameras:
            return candidate
    raise DatasetRequestError(f'there is no camera {name!r}; cameras: {", ".join(cameras)}')


def _with_cameras(episode: Episode, renamed: Mapping[str, str]) -> Episode:
    return replace(
        episode,
        videos={renamed.get(key, key): span for key, span in episode.videos.items()},
        statistics=episode.statistics
        and {renamed.get(key, key): figures for key, figures in episode.statistics.items()},
        column_names=_column_names(episode.column_names, renamed),
    )


def _column_names(names: Mapping[str, str], renamed: Mapping[str, str]) -> dict[str, str]:
    """Return column of the file -> its name here, after one more renaming."""
    chained = {file: renamed.get(here, here) for file, here in names.items()}
    here_before = set(names.values())
    return chained | {
        old: new for old, new in renamed.items() if old not in here_before and old not in names
    }


def _modality(modality: Mapping[str, Any] | None, renamed: Mapping[str, str]) -> Any:
    if modality is None:
        return None
    video = {}
    for name, entry in dict(modality.get('video', {})).items():
        old = (entry or {}).get('original_key') or name
        new = renamed.get(old, old)
        short = new.removeprefix(CAMERA_PREFIX)
        follows = name in (old, old.removeprefix(CAMERA_PREFIX))
        video[short if follows else name] = {**(entry or {}), 'original_key': new}
    return {**modality, 'video': video}
