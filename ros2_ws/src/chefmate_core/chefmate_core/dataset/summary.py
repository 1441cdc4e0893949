"""The statistics that are written with an episode: numbers made anew, images as they are known."""

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from chefmate_core.dataset.features import Features
from chefmate_core.dataset.model import Episode
from chefmate_core.dataset.rows import numbers
from chefmate_core.dataset.statistics import number_statistics


def episode_statistics(
    table: pa.Table, episode: Episode, features: Features
) -> dict[str, Mapping[str, Any]]:
    """Return column -> figures. Those of the images are the episode's own, if it has them."""
    stated = episode.statistics or {}
    figures: dict[str, Mapping[str, Any]] = {}
    for key, feature in features.items():
        if feature.is_numeric:
            figures[key] = number_statistics(numbers(table.column(key), feature))
        elif key in stated:
            figures[key] = stated[key]
    return figures
