"""Statistics of joint groups and of whole vectors: the same numbers, cut or joined."""

from collections.abc import Mapping

import numpy as np

from chefmate_core.policy.modality import JointGroup, Modality
from chefmate_policy.processing.statistics import NAMES, WHOLE, DatasetStatistics, Statistics

Table = Mapping[str, Statistics]
Groups = tuple[JointGroup, ...]


def by_groups(statistics: DatasetStatistics, modality: Modality) -> DatasetStatistics:
    """Return statistics by joint group, as the profile `isaac` wants them."""
    return DatasetStatistics(
        _cut(statistics.state, modality.state, 'state'),
        _cut(statistics.action, modality.action, 'action'),
    )


def by_vector(statistics: DatasetStatistics, modality: Modality) -> DatasetStatistics:
    """Return statistics of whole vectors, as the profile `lerobot` wants them.

    Statistics that some group lacks are left out; elements that no group has are 0.
    """
    return DatasetStatistics(
        _join(statistics.state, modality.state, 'state'),
        _join(statistics.action, modality.action, 'action'),
    )


def _cut(table: Table, groups: Groups, part: str) -> Table:
    if WHOLE not in table:
        return table
    return {
        group.name: Statistics(
            f'{part}.{group.name}',
            {name: values[group.columns] for name, values in table[WHOLE].values.items()},
        )
        for group in groups
    }


def _join(table: Table, groups: Groups, part: str) -> Table:
    if WHOLE in table:
        return table
    size = max(group.stop for group in groups)
    joined = {}
    for name in NAMES:
        if all(name in table[group.name].values for group in groups):
            joined[name] = np.zeros(size)
            for group in groups:
                joined[name][group.columns] = table[group.name].values[name]
    return {WHOLE: Statistics(part, joined)}
