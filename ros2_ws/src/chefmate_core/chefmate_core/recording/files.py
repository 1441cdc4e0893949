"""Writing so that a crash leaves either the old content or the new one, never half of it."""

import json
import os
from collections.abc import Mapping
from pathlib import Path


def sync(path: Path) -> None:
    """Make sure that a file's, or a folder's, content is on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_atomically(path: Path, text: str) -> None:
    """Replace a file's content at one stroke."""
    beside = path.with_name(f'.{path.name}.new')
    try:
        beside.write_text(text, encoding='utf-8')
        sync(beside)
        beside.rename(path)
    except OSError:
        beside.unlink(missing_ok=True)
        raise
    sync(path.parent)


def write_json(path: Path, content: Mapping[str, object]) -> None:
    """Write a JSON object at one stroke; NaN is refused, because JSON has none."""
    write_atomically(path, json.dumps(content, indent=2, allow_nan=False) + '\n')
