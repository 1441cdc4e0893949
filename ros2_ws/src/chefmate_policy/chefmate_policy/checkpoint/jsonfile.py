"""JSON files: read with a message that names the file, written the same way each time."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from chefmate_policy.checkpoint.errors import CheckpointError

MAX_BYTES = 64 << 20  # an index of thousands of keys is below 1 MB


def read_json(path: Path) -> dict[str, Any]:
    """Return the object that a JSON file holds.

    Raises:
        CheckpointError: the file is missing, too large, not JSON, or holds no object.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CheckpointError(f'{path}: expected at most {MAX_BYTES >> 20} MB of JSON')
        content = json.loads(path.read_text(encoding='utf-8'))
    except FileNotFoundError as error:
        raise CheckpointError(f'{path} is missing') from error
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise CheckpointError(
            f'{path}: expected JSON; {type(error).__name__}: {error}. '
            f'Next: copy or download the file again'
        ) from error
    if not isinstance(content, dict):
        raise CheckpointError(f'{path}: expected a JSON object; found {type(content).__name__}')
    return content


def at(path: Path, table: Any, *keys: str, kind: type | None = None) -> Any:
    """Return `table[keys[0]][keys[1]]...`, which stands in the file `path`.

    Args:
        path: the file, for messages.
        table: what it holds.
        keys: where to look.
        kind: what must stand there: `dict`, `list`, `str` or `int`; None: anything.

    Raises:
        CheckpointError: a key is missing, or something else stands there.
    """
    value = table
    for depth, key in enumerate(keys):
        if not isinstance(value, Mapping) or key not in value:
            there = ', '.join(map(repr, value)) if isinstance(value, Mapping) else repr(value)
            raise CheckpointError(
                f'{path}: expected {".".join(keys[: depth + 1])}; '
                f'found {there or "nothing"} in {".".join(keys[:depth]) or "the file"}'
            )
        value = value[key]
    if kind is not None and (not isinstance(value, kind) or isinstance(value, bool)):
        name = {dict: 'a table', list: 'a list', str: 'a text', int: 'a whole number'}[kind]
        raise CheckpointError(
            f'{path}: {".".join(keys) or "the file"}: expected {name}; found {value!r}'
        )
    return value


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write an object, keys in their order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + '\n', encoding='utf-8')
