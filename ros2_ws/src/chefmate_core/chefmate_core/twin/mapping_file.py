"""The file that says how a simulator's joints differ from ours, read strictly."""

import dataclasses
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from chefmate_core.errors import ConfigurationError
from chefmate_core.joints import ISAAC_JOINT_NAMES, JOINT_COUNT, JOINT_NAMES
from chefmate_core.twin.mapping import JointMap, JointMapping


class _StrictLoader(yaml.SafeLoader):
    """YAML where no key is there twice; of two, PyYAML takes the last without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode)):
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    problem=f'{key.value} is there twice', problem_mark=key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def load_joint_map(path: str | Path, names: Sequence[str] = ISAAC_JOINT_NAMES) -> JointMap:
    """Read a mapping from a YAML file: for each of our joints the fields of `JointMapping`.

    Args:
        path: the file; all six joints are in it, what is not said of one is the default.
        names: the simulator's names in our order, where the file does not say them.

    Raises:
        ConfigurationError: unreadable, a joint or key unknown or missing, a value out of range.
    """
    try:
        content = yaml.load(Path(path).read_text(encoding='utf-8'), _StrictLoader)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ConfigurationError(f'{path}: no readable YAML file: {error}') from error
    if not isinstance(content, Mapping):
        raise ConfigurationError(
            f'{path}: expected a mapping with the keys {", ".join(JOINT_NAMES)}'
        )
    _expect_keys(content, JOINT_NAMES, f'{path}')
    missing = [name for name in JOINT_NAMES if name not in content]
    if missing:
        raise ConfigurationError(
            f'{path}: {", ".join(missing)} is missing; all of {", ".join(JOINT_NAMES)} are needed'
        )
    if len(names) != JOINT_COUNT:
        raise ConfigurationError(f'{JOINT_COUNT} names of twin joints are needed; found {names}')
    return JointMap(
        [
            _mapping(content[ours], theirs, f'{path}: {ours}')
            for ours, theirs in zip(JOINT_NAMES, names, strict=True)
        ]
    )


def _mapping(content: Any, name: str, where: str) -> JointMapping:
    if content is None:
        content = {}
    if not isinstance(content, Mapping):
        raise ConfigurationError(f'{where}: expected a mapping, found {content!r}')
    _expect_keys(content, [field.name for field in dataclasses.fields(JointMapping)], where)
    try:
        return JointMapping(**{'name': name, **content})
    except ConfigurationError as error:
        raise ConfigurationError(f'{where}: {error}') from error


def _expect_keys(content: Mapping[Any, Any], allowed: Sequence[str], where: str) -> None:
    unknown = [str(key) for key in content if key not in allowed]
    if unknown:
        raise ConfigurationError(
            f'{where}: unknown key {", ".join(unknown)}; expected: {", ".join(allowed)}'
        )
