"""Values of a launch file that are known only while it runs: a stand-in for launch.substitutions.

Each class means what its namesake in launch 3.4 (ROS 2 Jazzy) means; `test_launching_real.py`
compares the two where the real one is installed.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

import yaml

from chefmate.launching.context import LaunchContext
from chefmate.launching.errors import LaunchFileError
from chefmate.launching.expressions import evaluate_expression
from chefmate.launching.packages import package_share


class SubstitutionFailure(LaunchFileError):  # noqa: N818
    """A substitution has no value. The name is launch's own."""


class Substitution:
    """Text that is known only while the launch file runs."""

    def perform(self, context: LaunchContext) -> str:
        """Return the text."""
        raise NotImplementedError

    def describe(self) -> str:
        """Return what `--show-args` shows for it."""
        return f'{type(self).__name__}(...)'


SomeSubstitutions = str | Substitution | Iterable[str | Substitution]


def normalize(value: Any) -> list[Substitution]:
    """Return `value` (text, a substitution, or several of both) as a list of substitutions."""
    if isinstance(value, str):
        return [TextSubstitution(text=value)]
    if isinstance(value, Substitution):
        return [value]
    if isinstance(value, Iterable) and not isinstance(value, bytes | dict):
        return [part for item in value for part in _one(item)]
    raise LaunchFileError(
        f'expected text, a substitution or a list of both; found {value!r} '
        f'({type(value).__name__})'
    )


def _one(item: Any) -> list[Substitution]:
    if isinstance(item, str | Substitution):
        return normalize(item)
    raise LaunchFileError(
        f'expected text or a substitution inside a list; found {item!r} ({type(item).__name__})'
    )


def perform(context: LaunchContext, value: Any) -> str:
    """Return the text of `value`: its parts joined."""
    return ''.join(part.perform(context) for part in normalize(value))


def describe(value: Any) -> str:
    """Return a description for people."""
    return ' + '.join(part.describe() for part in normalize(value))


def perform_bool(context: LaunchContext, value: Any) -> bool:
    """Return a truth value by the rules of launch: 1, 0, or what YAML calls true or false."""
    text = perform(context, value)
    found = {'1': True, '0': False}.get(text)
    if found is None:
        with suppress(yaml.YAMLError):
            found = yaml.safe_load(text)
    if not isinstance(found, bool):
        raise SubstitutionFailure(f'expected true or false; found {text!r}')
    return found


class TextSubstitution(Substitution):
    """Plain text."""

    def __init__(self, *, text: str) -> None:
        if not isinstance(text, str):
            raise LaunchFileError(f'TextSubstitution(text=...) takes a string; found {text!r}')
        self.text = text

    def perform(self, context: LaunchContext) -> str:  # noqa: D102
        return self.text

    def describe(self) -> str:  # noqa: D102
        return repr(self.text)


class LaunchConfiguration(Substitution):
    """The value of an argument."""

    def __init__(self, variable_name: SomeSubstitutions, *, default: Any = None) -> None:
        self.variable_name = normalize(variable_name)
        if default is not None and not isinstance(default, str | Substitution | list | tuple):
            default = str(default)
        self.default = default

    def perform(self, context: LaunchContext) -> str:  # noqa: D102
        name = perform(context, self.variable_name)
        if name in context.launch_configurations:
            return context.launch_configurations[name]
        if self.default is not None:
            return perform(context, self.default)
        known = ', '.join(sorted(context.launch_configurations)) or 'none'
        raise SubstitutionFailure(
            f'launch configuration {name!r} does not exist; existing: {known}. Next: declare it '
            f'with DeclareLaunchArgument before it is used'
        )

    def describe(self) -> str:  # noqa: D102
        return f'LaunchConfig({describe(self.variable_name)})'


class PathJoinSubstitution(Substitution):
    """Parts of a path, joined."""

    def __init__(self, substitutions: Iterable[str | Substitution]) -> None:
        self.substitutions = normalize(substitutions)

    def perform(self, context: LaunchContext) -> str:  # noqa: D102
        return os.path.join(*(part.perform(context) for part in self.substitutions))

    def describe(self) -> str:  # noqa: D102
        return f'PathJoin({describe(self.substitutions)})'


class EnvironmentVariable(Substitution):
    """The value of an environment variable."""

    def __init__(
        self, name: SomeSubstitutions, *, default_value: SomeSubstitutions | None = None
    ) -> None:
        self.name = normalize(name)
        self.default_value = default_value

    def perform(self, context: LaunchContext) -> str:  # noqa: D102
        name = perform(context, self.name)
        if name in context.environment:
            return context.environment[name]
        if self.default_value is not None:
            return perform(context, self.default_value)
        raise SubstitutionFailure(f'environment variable {name!r} does not exist. Next: set it')

    def describe(self) -> str:  # noqa: D102
        return f'EnvVar({describe(self.name)})'


class PythonExpression(Substitution):
    """A Python expression over text; a safe part of the language (see expressions.py)."""

    def __init__(self, expression: SomeSubstitutions) -> None:
        self.expression = normalize(expression)

    def perform(self, context: LaunchContext) -> str:  # noqa: D102
        return str(evaluate_expression(perform(context, self.expression)))

    def describe(self) -> str:  # noqa: D102
        return f'PythonExpr({describe(self.expression)})'


class ThisLaunchFileDir(Substitution):
    """The folder of the launch file that is being run."""

    def perform(self, context: LaunchContext) -> str:  # noqa: D102
        return context.locals.current_launch_file_directory


class FindPackageShare(Substitution):
    """The share folder of an installed package."""

    def __init__(self, package: SomeSubstitutions) -> None:
        self.package = normalize(package)

    def perform(self, context: LaunchContext) -> str:  # noqa: D102
        return package_share(perform(context, self.package))

    def describe(self) -> str:  # noqa: D102
        return f'FindPackageShare(pkg={describe(self.package)})'
