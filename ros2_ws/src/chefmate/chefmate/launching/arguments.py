"""The arguments of a launch file: declared ones, and those given as `name:=value`."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chefmate.launching.actions import DeclareLaunchArgument
from chefmate.launching.errors import LaunchFileError
from chefmate.launching.include import IncludeLaunchDescription
from chefmate.launching.substitutions import TextSubstitution, describe
from chefmate_core.errors import ConfigurationError


@dataclass(frozen=True)
class DeclaredArgument:
    """An argument that a launch file, or one that it includes, declares."""

    name: str
    description: str
    default: str | None  # for people; None: it must be given
    choices: tuple[str, ...]  # empty: any text
    conditional: bool  # only used if some condition holds


def parse_assignments(texts: Iterable[str]) -> dict[str, str]:
    """Return `name:=value` texts as a dictionary; of two for one name the last one counts.

    Raises:
        ConfigurationError: a text is not of that form.
    """
    values = {}
    for text in texts:
        name, separator, value = text.partition(':=')
        if not separator or not name:
            hint = text.replace('=', ':=', 1) if '=' in text and not separator else 'name:=value'
            raise ConfigurationError(
                f'malformed launch argument {text!r}; expected name:=value. Next: write {hint}'
            )
        values[name] = value
    return values


def declared_arguments(description: Any) -> list[DeclaredArgument]:
    """Return the arguments of a description made of the stand-ins; the first of a name counts."""
    found: dict[str, DeclaredArgument] = {}
    _collect(description, found, conditional=False)
    return list(found.values())


def _collect(action: Any, found: dict[str, DeclaredArgument], *, conditional: bool) -> None:
    conditional = conditional or getattr(action, 'condition', None) is not None
    if isinstance(action, DeclareLaunchArgument) and action.name not in found:
        found[action.name] = DeclaredArgument(
            name=action.name,
            description=action.description,
            default=_default_for_people(action),
            choices=tuple(action.choices or ()),
            conditional=conditional,
        )
    inner = found
    if isinstance(action, IncludeLaunchDescription):
        inner = {}  # what the including file sets itself is no argument of the whole
    for nested in action.nested() if hasattr(action, 'nested') else ():
        _collect(nested, inner, conditional=conditional)
    if inner is not found:
        for name in inner.keys() - found.keys() - set(action.argument_names()):
            found[name] = inner[name]


def _default_for_people(action: DeclareLaunchArgument) -> str | None:
    parts = action.default_value
    if parts is None:
        return None
    texts = [part.text for part in parts if isinstance(part, TextSubstitution)]
    return ''.join(texts) if len(texts) == len(parts) else describe(parts)


def check_arguments(
    given: Mapping[str, str], declared: Iterable[DeclaredArgument], path: Path
) -> None:
    """Refuse unknown names, values outside the choices and missing arguments, before any start.

    `ros2 launch` ignores unknown names; a mistyped `hardwear:=real` must not.

    Raises:
        LaunchFileError: one message that says what is allowed.
    """
    by_name = {argument.name: argument for argument in declared}
    for name, value in given.items():
        if name not in by_name:
            close = difflib.get_close_matches(name, by_name, n=1)
            hint = f'did you mean {close[0]}:={value}? ' if close else ''
            raise LaunchFileError(
                f'{path.name} has no launch argument {name!r}; {hint}Known arguments: '
                f'{", ".join(sorted(by_name)) or "none"}. Next: see them all with --show-args'
            )
        choices = by_name[name].choices
        if choices and value not in choices:
            close = difflib.get_close_matches(value, choices, n=1)
            hint = f' Did you mean {name}:={close[0]}?' if close else ''
            raise LaunchFileError(
                f'launch argument {name}:={value} is not valid; choices: {", ".join(choices)}.'
                f'{hint}'
            )
    for argument in by_name.values():
        if argument.default is None and not argument.conditional and argument.name not in given:
            raise LaunchFileError(
                f'{path.name} needs the launch argument {argument.name!r} '
                f'({argument.description or "no description"}). Next: add {argument.name}:=VALUE'
            )
