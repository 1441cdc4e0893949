"""JSON and JSON lines of a data set: read with errors that name file and line, written whole."""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from chefmate_core.dataset.errors import DatasetError


def read_json(path: Path) -> dict[str, Any]:
    """Return the object in a JSON file.

    Raises:
        DatasetError: the file is missing, no JSON, or no object.
    """
    try:
        content = json.loads(_text(path))
    except ValueError as error:
        raise DatasetError(f'{path}: not a valid JSON file: {error}') from error
    if not isinstance(content, dict):
        raise DatasetError(f'{path}: found a {type(content).__name__}, expected an object')
    return content


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """Return the objects of a JSON lines file; empty lines are passed over.

    Raises:
        DatasetError: the file is missing, or a line is no JSON object.
    """
    return list(_lines(path))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(_text(path).split('\n'), start=1):
        if not line.strip():
            continue
        try:
            content = json.loads(line)
        except ValueError as error:
            raise DatasetError(f'{path}, line {number}: not valid JSON: {error}') from error
        if not isinstance(content, dict):
            raise DatasetError(
                f'{path}, line {number}: found a {type(content).__name__}, expected an object'
            )
        yield content


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding='utf-8')
    except FileNotFoundError:
        raise DatasetError(
            f'{path}: no such file. Next: `chefmate dataset check` lists everything that '
            f'is missing'
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f'{path}: cannot be read: {error}') from error


def write_json(path: Path, content: Any) -> None:
    """Write a JSON file; it is there whole or not at all."""
    _replace(path, json.dumps(content, indent=4, ensure_ascii=False) + '\n')


def write_json_lines(path: Path, rows: Iterable[Any]) -> None:
    """Write one JSON object a line; the file is there whole or not at all."""
    _replace(path, ''.join(json.dumps(row, ensure_ascii=False) + '\n' for row in rows))


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f'.{path.name}.partial')
    with partial.open('w', encoding='utf-8') as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)
