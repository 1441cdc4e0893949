"""What goes wrong with a checkpoint's files."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chefmate_core.errors import ConfigurationError


class CheckpointError(ConfigurationError):
    """A checkpoint is missing, damaged, or not of this model; nothing is loaded."""


class EmbodimentError(CheckpointError):
    """An embodiment tag that the model or the checkpoint does not know."""


def at(path: Path, table: Mapping[str, Any], *keys: str) -> Any:
    """Return `table[keys[0]][keys[1]]...`, which stands in the file `path`.

    Raises:
        CheckpointError: a key is missing; the message says which, and what stands there instead.
    """
    value: Any = table
    for depth, key in enumerate(keys):
        if not isinstance(value, Mapping) or key not in value:
            there = ', '.join(map(repr, value)) if isinstance(value, Mapping) else repr(value)
            raise CheckpointError(
                f'{path}: expected {".".join(keys[: depth + 1])}; '
                f'found {there or "nothing"} in {".".join(keys[:depth]) or "the file"}'
            )
        value = value[key]
    return value
