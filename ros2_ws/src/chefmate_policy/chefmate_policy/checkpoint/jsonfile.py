"""JSON files: read with a message that names the file, written the same way each time."""

import json
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


def write_json(path: Path, content: dict[str, Any]) -> None:
    """Write an object, keys in their order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2) + '\n', encoding='utf-8')
