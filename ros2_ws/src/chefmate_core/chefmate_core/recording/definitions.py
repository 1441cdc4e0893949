"""Definitions and hashes of message types, from the installed `.msg` and `.json` files.

A bag carries the text of every type in it, so that it can be read where the type is not installed.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from chefmate_core.errors import ConfigurationError

PREFIXES_VARIABLE = 'AMENT_PREFIX_PATH'
# Source: https://docs.ros.org/en/jazzy/Concepts/Basic/About-Interfaces.html, field types.
PRIMITIVES = {'bool', 'byte', 'char', 'string', 'wstring', 'float32', 'float64'} | {
    f'{sign}int{bits}' for sign in ('', 'u') for bits in (8, 16, 32, 64)
}
SEPARATOR = '=' * 80


@dataclass(frozen=True)
class MessageType:
    """One type: name `package/msg/Type`, definition with all it depends on, RIHS01 hash."""

    name: str
    definition: str
    type_hash: str


class MessageTypes:
    """Finds message types below the prefixes of a ROS installation."""

    def __init__(self, prefixes: Sequence[Path]) -> None:
        self._prefixes = tuple(prefixes)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> 'MessageTypes':
        """Look where the ROS environment says."""
        paths = environment.get(PREFIXES_VARIABLE, '').split(':')
        return cls([Path(path) for path in paths if path])

    def find(self, name: str) -> MessageType:
        """Return a type.

        Raises:
            ConfigurationError: it is not installed.
        """
        texts: dict[str, str] = {}
        self._collect(short_name(name), texts)
        root, *others = texts.items()
        parts = [root[1], *(f'{SEPARATOR}\nMSG: {key}\n{text}' for key, text in others)]
        return MessageType(name, '\n'.join(parts), self._hash(name))

    def _collect(self, key: str, texts: dict[str, str]) -> None:
        text = self._file(key, 'msg').read_text(encoding='utf-8')
        texts[key] = text
        for dependency in dependencies(text, key.split('/', maxsplit=1)[0]):
            if dependency not in texts:
                self._collect(dependency, texts)

    def _hash(self, name: str) -> str:
        described = json.loads(self._file(short_name(name), 'json').read_text(encoding='utf-8'))
        for entry in described['type_hashes']:
            if entry['type_name'] == name:
                return entry['hash_string']
        raise ConfigurationError(f'{name}: its installed description has no hash of itself')

    def _file(self, key: str, suffix: str) -> Path:
        package, name = key.split('/')
        for prefix in self._prefixes:
            path = prefix / 'share' / package / 'msg' / f'{name}.{suffix}'
            if path.is_file():
                return path
        raise ConfigurationError(
            f'message type {package}/msg/{name}: no {name}.{suffix} in share/{package}/msg of '
            f'{", ".join(map(str, self._prefixes)) or "(no prefix)"}. Next: read ros2_ws/env.sh '
            f'or a ROS 2 setup file first, which set {PREFIXES_VARIABLE}'
        )


def short_name(name: str) -> str:
    """Return `package/Type` of `package/msg/Type`."""
    package, *_, last = name.split('/')
    return f'{package}/{last}'


def dependencies(text: str, package: str) -> list[str]:
    """Return the types, `package/Type`, that a definition names, in its order."""
    found = []
    for line in text.splitlines():
        words = line.split('#', maxsplit=1)[0].split()
        if len(words) < 2:
            continue
        name = words[0].split('[')[0].split('<')[0]
        if name not in PRIMITIVES:
            found.append(short_name(name) if '/' in name else f'{package}/{name}')
    return found
