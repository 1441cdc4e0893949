"""Statistics of a data set's vectors, from the files that checkpoints carry."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from chefmate_core.errors import ConfigurationError
from chefmate_policy.processing.profile import Mode

NAMES = ('min', 'max', 'mean', 'std', 'q01', 'q99')
NEEDED: Mapping[Mode, tuple[str, ...]] = {
    Mode.MIN_MAX: ('min', 'max'),
    Mode.MEAN_STD: ('mean', 'std'),
    Mode.Q99: ('q01', 'q99'),
    Mode.SCALE: ('min', 'max'),
    Mode.BINARY: (),
}
# LeRobot's keys: it has no joint groups, one entry describes a whole vector.
LEROBOT_STATE, LEROBOT_ACTION = 'observation.state', 'action'
WHOLE = 'whole'  # name of the group that such an entry is


@dataclass(frozen=True)
class Statistics:
    """Of one joint group, or of a whole vector: float64 arrays of one length, D.

    Raises:
        ConfigurationError: one is NaN, infinite or of another shape, or a range is upside down.
    """

    name: str  # for messages: 'state.gripper'
    values: Mapping[str, np.ndarray]  # of NAMES, those that were found -> (D,)

    def __post_init__(self) -> None:
        lengths = {name: np.shape(array) for name, array in self.values.items()}
        if len(set(lengths.values())) > 1 or any(len(shape) != 1 for shape in lengths.values()):
            raise ConfigurationError(
                f'statistics of {self.name}: expected vectors of one length; found {lengths}'
            )
        for name, array in self.values.items():
            if not np.all(np.isfinite(array)):
                raise ConfigurationError(
                    f'statistics of {self.name}: {name}: expected finite numbers; found '
                    f'{array.tolist()}. Compute the statistics of the data set again'
                )
        for low, high in (('min', 'max'), ('q01', 'q99')):
            if {low, high} <= set(self.values) and np.any(self.values[low] > self.values[high]):
                raise ConfigurationError(
                    f'statistics of {self.name}: expected {low} <= {high}; found '
                    f'{self.values[low].tolist()} and {self.values[high].tolist()}'
                )
        if 'std' in self.values and np.any(self.values['std'] < 0):
            raise ConfigurationError(
                f'statistics of {self.name}: std: expected 0 or more; found '
                f'{self.values["std"].tolist()}'
            )

    @classmethod
    def read(cls, name: str, entry: Mapping[str, Any]) -> 'Statistics':
        """Read those of `NAMES` that are in `entry`: lists, arrays or tensors of numbers."""
        values = {}
        for key in NAMES:
            if entry.get(key) is None:
                continue
            try:
                values[key] = np.asarray(entry[key], np.float64).reshape(-1)
            except (TypeError, ValueError) as error:
                raise ConfigurationError(
                    f'statistics of {name}: {key}: expected numbers; found {entry[key]!r}'
                ) from error
        return cls(name, values)

    def need(self, mode: Mode, size: int) -> dict[str, np.ndarray]:
        """Return what `mode` needs, each of length `size`.

        Raises:
            ConfigurationError: it is not there, or of another length.
        """
        needed = NEEDED[mode]
        missing = [name for name in needed if name not in self.values]
        if missing:
            raise ConfigurationError(
                f'statistics of {self.name}: {mode} needs {", ".join(needed)}; missing: '
                f'{", ".join(missing)}; found: {", ".join(self.values) or "none"}'
            )
        for name in needed:
            if len(self.values[name]) != size:
                raise ConfigurationError(
                    f'statistics of {self.name}: {name}: expected {size} numbers, one for each '
                    f'joint of the group; found {len(self.values[name])}'
                )
        return {name: self.values[name] for name in needed}


@dataclass(frozen=True)
class DatasetStatistics:
    """Of state and action, by joint group; by `WHOLE` alone where there are no groups."""

    state: Mapping[str, Statistics]
    action: Mapping[str, Statistics]

    def of(self, part: str, group: str) -> Statistics:
        """Return those of a joint group of `part`, 'state' or 'action'.

        Raises:
            ConfigurationError: there are none; the message lists what there is.
        """
        table = self.state if part == 'state' else self.action
        if group not in table:
            raise ConfigurationError(
                f'no statistics of {part}.{group}; there are: {", ".join(table) or "none"}. '
                f'They come with the checkpoint: is it the right embodiment, the right profile?'
            )
        return table[group]


def isaac_statistics(metadata: Mapping[str, Any]) -> DatasetStatistics:
    """Read one embodiment's part of Isaac-GR00T's `experiment_cfg/metadata.json`.

    Args:
        metadata: what stands under the embodiment's tag: `statistics.{state,action}.<group>`.

    Raises:
        ConfigurationError: a key is missing, or numbers cannot be statistics.
    """
    statistics = _part(metadata, 'statistics', 'metadata.json of the embodiment')
    parts = {
        part: {
            group: Statistics.read(f'{part}.{group}', _part(table, group, f'statistics.{part}'))
            for group in table
        }
        for part in ('state', 'action')
        for table in [_part(statistics, part, 'metadata.json, statistics')]
    }
    return DatasetStatistics(parts['state'], parts['action'])


def lerobot_statistics(tensors: Mapping[str, Any]) -> DatasetStatistics:
    """Read a LeRobot processor step's state: flat keys, `observation.state.min`, `action.max`.

    Raises:
        ConfigurationError: state or action has none, or numbers cannot be statistics.
    """
    found = {}
    for vector in (LEROBOT_STATE, LEROBOT_ACTION):
        entry = {name: tensors[key] for name in NAMES if (key := f'{vector}.{name}') in tensors}
        if not entry:
            raise ConfigurationError(
                f'no statistics of {vector}: expected keys like {vector}.min, {vector}.max; '
                f'found: {_listed(tensors)}'
            )
        found[vector] = {WHOLE: Statistics.read(vector, entry)}
    return DatasetStatistics(found[LEROBOT_STATE], found[LEROBOT_ACTION])


def _part(table: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
    part = table.get(key)
    if not isinstance(part, Mapping):
        raise ConfigurationError(f'{where}: expected a table {key!r}; found: {_listed(table)}')
    return part


def _listed(names: Iterable[str]) -> str:
    return ', '.join(sorted(names)) or 'nothing'
