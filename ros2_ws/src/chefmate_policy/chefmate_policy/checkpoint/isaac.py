"""Isaac-GR00T's layout: `config.json`, weights, `experiment_cfg/metadata.json`.

`metadata.json` has for each embodiment tag `statistics.{state,action}.<group>.<name>` and
`modalities.{video,state,action}`. Source: Isaac-GR00T n1.5, gr00t/data/schema.py.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chefmate_core.errors import PolicyError
from chefmate_core.policy.modality import JointGroup, Modality, groups_from
from chefmate_policy.checkpoint.errors import CheckpointError
from chefmate_policy.checkpoint.jsonfile import at, read_json, write_json
from chefmate_policy.processing.statistics import DatasetStatistics, Statistics

METADATA = Path('experiment_cfg') / 'metadata.json'
# A data set's own file; where a user put it beside the checkpoint, its order wins.
MODALITY_FILES = (Path('modality.json'), Path('experiment_cfg/modality.json'))
CAMERA = {'resolution': [640, 480], 'channels': 3, 'fps': 30.0}  # where nobody knows better


def read_metadata(folder: Path) -> dict[str, Any]:
    """Return tag -> entry; empty where there is no file (a model before any training)."""
    path = folder / METADATA
    if not path.is_file():
        return {}
    content = read_json(path)
    for tag, entry in content.items():
        if not isinstance(entry, Mapping):
            raise CheckpointError(f'{path}: {tag}: expected statistics and modalities')
    return content


def tags_with_statistics(metadata: Mapping[str, Any]) -> list[str]:
    """Return the tags whose entry has statistics of state and action."""
    return [
        tag
        for tag, entry in metadata.items()
        if isinstance(statistics := entry.get('statistics'), Mapping)
        and statistics.get('state')
        and statistics.get('action')
    ]


def read_modality(
    folder: Path, entry: Mapping[str, Any], statistics: DatasetStatistics, horizon: int
) -> Modality:
    """Return what one embodiment sees and says.

    Groups follow each other in the order of the statistics, unless a `modality.json` beside the
    checkpoint places them; so does it order the cameras.

    Raises:
        CheckpointError: cameras or groups are missing or contradict each other.
    """
    path = folder / METADATA
    cameras = tuple(at(path, entry, 'modalities', 'video', kind=dict))
    if not cameras:
        raise CheckpointError(f'{path}: expected cameras in modalities.video; found none')
    own_path = next((folder / f for f in MODALITY_FILES if (folder / f).is_file()), None)
    own = read_json(own_path) if own_path is not None else {}
    order = at(own_path, own, 'video', kind=dict) if own_path and 'video' in own else ()
    placed = [camera for camera in order if camera in cameras]
    return Modality(
        cameras=tuple(placed) + tuple(name for name in cameras if name not in placed),
        state=_groups(statistics.state, own.get('state'), own_path, 'state'),
        action=_groups(statistics.action, own.get('action'), own_path, 'action'),
        horizon=horizon,
        period_s=1.0 / _rate_hz(path, entry),
    )


def _rate_hz(path: Path, entry: Mapping[str, Any]) -> float:
    """The rate of the training data: what its cameras say, 30 Hz where they say nothing."""
    said: dict[str, Any] = {
        name: camera.get('fps', CAMERA['fps']) if isinstance(camera, Mapping) else CAMERA['fps']
        for name, camera in entry['modalities']['video'].items()
    }
    rates = set(said.values())
    if len(rates) != 1 or not all(
        isinstance(rate, int | float) and 0.1 <= rate <= 1000.0 for rate in rates
    ):
        raise CheckpointError(
            f'{path}: modalities.video: expected one fps of all cameras, 0.1 to 1000; found {said}'
        )
    return float(rates.pop())


def write_metadata(folder: Path, metadata: Mapping[str, Any]) -> None:
    """Write `experiment_cfg/metadata.json`."""
    write_json(folder / METADATA, dict(metadata))


def metadata_of(tag: str, modality: Modality, statistics: DatasetStatistics) -> dict[str, Any]:
    """Return a `metadata.json` for one embodiment."""
    parts = {'state': (modality.state, statistics.state)}
    parts['action'] = (modality.action, statistics.action)
    return {
        tag: {
            'statistics': {
                part: {group.name: as_lists(table[group.name]) for group in groups}
                for part, (groups, table) in parts.items()
            },
            'modalities': {
                'video': {
                    name: {**CAMERA, 'fps': round(1.0 / modality.period_s, 6)}
                    for name in modality.cameras
                },
                **{
                    part: {
                        group.name: {
                            'absolute': True,
                            'rotation_type': None,
                            'shape': [group.stop - group.start],
                            'continuous': True,
                        }
                        for group in groups
                    }
                    for part, (groups, _) in parts.items()
                },
            },
            'embodiment_tag': tag,
        }
    }


def as_lists(statistics: Statistics) -> dict[str, list[float]]:
    """Return statistics as JSON holds them."""
    return {name: values.tolist() for name, values in statistics.values.items()}


def _groups(
    statistics: Mapping[str, Statistics], own: Any, own_path: Path | None, part: str
) -> tuple[JointGroup, ...]:
    sizes = {name: len(next(iter(entry.values.values()))) for name, entry in statistics.items()}
    if own:
        try:
            placed = {group.name: group for group in groups_from(own)}
        except (PolicyError, AttributeError, OverflowError) as error:
            raise CheckpointError(f'{own_path}: {part}: {error}') from error
        found = {
            name: placed[name].stop - placed[name].start if name in placed else None
            for name in sizes
        }
        if found != sizes:
            raise CheckpointError(
                f'{own_path}: {part}: expected the groups and sizes of {METADATA}, {sizes}; '
                f'found {found}. Next: put the modality.json of the training data there'
            )
        return tuple(placed[name] for name in sizes)
    groups = []
    start = 0
    for name, size in sizes.items():
        groups.append(JointGroup(name, start, start + size))
        start += size
    return tuple(groups)
