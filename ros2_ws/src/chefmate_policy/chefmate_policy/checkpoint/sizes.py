"""The sizes in a `config.json`: read, checked, and turned into a model without weights."""

import dataclasses
import math
from pathlib import Path
from typing import Any

from chefmate_core.errors import ConfigurationError
from chefmate_policy.checkpoint.errors import CheckpointError
from chefmate_policy.checkpoint.jsonfile import read_json
from chefmate_policy.model.config import GrootConfig
from chefmate_policy.model.groot import Groot

MOST = 10_000_000  # of anything: above any real size, below what would fill a machine
MOST_LAYERS = 1000


def read_sizes(path: Path) -> GrootConfig:
    """Return the config that a file holds.

    Raises:
        CheckpointError: a part is missing, or is not the number that it must be.
    """
    content = read_json(path)
    try:
        config = GrootConfig.from_dict(content)
    except ConfigurationError as error:
        raise CheckpointError(f'{path}: {error}') from error
    except (TypeError, ValueError, OverflowError, AttributeError) as error:
        raise CheckpointError(f'{path}: a part is not what it must be: {error}') from error
    for part in (config.eagle, config.head):
        _check(path, part, type(part).__name__)
    return config


def skeleton(config: GrootConfig, where: str) -> Groot:
    """Return a model without weights.

    Raises:
        CheckpointError: sizes that are numbers, and no model (a width that heads do not divide).
    """
    try:
        return Groot.on_meta(config)
    except Exception as error:  # of torch and transformers, which have their own kinds
        raise CheckpointError(f'{where}: no model has these sizes: {error}') from error


def _check(path: Path, part: Any, name: str) -> None:
    """Hold every number against its kind, which the published preset's value has."""
    for item in dataclasses.fields(part):
        value, kind = getattr(part, item.name), item.type
        where = f'{path}: {name}.{item.name}'
        if dataclasses.is_dataclass(value):
            _check(path, value, item.name)
        elif kind is bool and not isinstance(value, bool):
            raise CheckpointError(f'{where}: expected true or false; found {value!r}')
        elif kind is float and not (_is_number(value) and value >= 0):
            raise CheckpointError(f'{where}: expected a number of 0 or more; found {value!r}')
        elif kind is int or (kind == int | None and value is not None):
            most = MOST_LAYERS if item.name.endswith('layers') else MOST
            if type(value) is not int or not 1 <= value <= most:
                raise CheckpointError(
                    f'{where}: expected a whole number from 1 to {most}; found {value!r}'
                )


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and type(value) is not bool and math.isfinite(value)
