"""Node parameters: from what a launch file may write to what a node reads from a YAML file.

The rules are those of launch_ros 0.26 (ROS 2 Jazzy): text written in the launch file stays text;
the text of a substitution is read as YAML, so that `rate:=30` becomes a number, unless a
ParameterValue says which type is meant; lists hold values of one type.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args, get_origin

import yaml

from chefmate.launching.context import LaunchContext
from chefmate.launching.errors import (
    ADVICE,
    LaunchFileError,
    UnsupportedLaunchFeatureError,
    refuse_keywords,
)
from chefmate.launching.substitutions import Substitution, perform

_SCALARS = (bool, int, float, str)


class ParameterValue:
    """A parameter's value with its type: bool, int, float, str, or a List of one of them."""

    def __init__(self, value: Any, *, value_type: Any = None, **unknown: Any) -> None:
        refuse_keywords(self, unknown)
        element = get_args(value_type)[0] if get_origin(value_type) is list else value_type
        if element not in (None, *_SCALARS):
            raise LaunchFileError(
                f'ParameterValue(value_type=...) is bool, int, float, str or a List of one of '
                f'them; found {value_type!r}'
            )
        self.value = value
        self.value_type = value_type

    def evaluate(self, context: LaunchContext) -> Any:
        """Return the value, of the type that was asked for."""
        if isinstance(self.value, _SCALARS) and not isinstance(self.value, str):
            return self._checked(self.value)
        if isinstance(self.value, str):
            if self.value_type not in (None, str):
                raise LaunchFileError(
                    f'the text {self.value!r} is not of type {self.value_type!r}; write the value '
                    f'itself, or a substitution'
                )
            return self.value
        if isinstance(self.value, Substitution) or _is_joined_text(self.value):
            return self._from_text(perform(context, self.value))
        items = [
            item if isinstance(item, _SCALARS) else _from_yaml(perform(context, item), 'item')
            for item in self.value
        ]
        return self._checked(items)

    def _from_text(self, text: str) -> Any:
        if self.value_type is str:
            return text
        if self.value_type in (int, float):
            try:
                return self.value_type(text)
            except ValueError as error:
                raise LaunchFileError(
                    f'expected a value of type {self.value_type.__name__}; found {text!r}'
                ) from error
        if self.value_type is bool:
            text = {'1': 'true', '0': 'false'}.get(text, text)
        return self._checked(_from_yaml(text, 'value'))

    def _checked(self, value: Any) -> Any:
        wanted = self.value_type
        if wanted is None:
            return value
        if get_origin(wanted) is list:
            element = get_args(wanted)[0]
            good = isinstance(value, list) and all(type(item) is element for item in value)
        else:
            good = type(value) is wanted
        if not good:
            raise LaunchFileError(f'expected a value of type {wanted}; found {value!r}')
        return value


class ParameterFile:
    """A YAML file with parameters, passed to the node as it is."""

    def __init__(self, param_file: Any, *, allow_substs: bool = False, **unknown: Any) -> None:
        refuse_keywords(self, unknown)
        if allow_substs is not False:
            raise UnsupportedLaunchFeatureError(
                'the built-in launch runner has no ParameterFile(allow_substs=True); put the '
                f'values that vary into a dictionary after the file. Next: {ADVICE}'
            )
        self.param_file = param_file

    def evaluate(self, context: LaunchContext) -> Path | None:
        """Return the file's path; None for an empty one, which means no file.

        Raises:
            LaunchFileError: the file does not exist, or is not a parameter file.
        """
        if isinstance(self.param_file, os.PathLike):
            path = Path(self.param_file)
        else:
            text = perform(context, self.param_file)
            if not text:
                return None
            path = Path(text)
        if not path.is_file():
            raise LaunchFileError(f'parameter file {path} does not exist. Next: correct the path')
        check_parameter_file(path)
        return path


def check_parameter_file(path: Path) -> None:
    """Raise LaunchFileError unless `path` holds `NODE: {ros__parameters: {...}}`."""
    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
    except (OSError, UnicodeError, yaml.YAMLError) as error:
        raise LaunchFileError(f'parameter file {path} cannot be read: {error}') from error
    if not isinstance(content, Mapping) or 'ros__parameters' not in _keys(content):
        raise LaunchFileError(
            f'parameter file {path} holds no `ros__parameters`; expected `NODE: ros__parameters: '
            f'NAME: VALUE`, where NODE is a node name or /**'
        )


def _keys(tree: Any) -> set[str]:
    if not isinstance(tree, Mapping):
        return set()
    return {str(key) for key in tree}.union(*(_keys(branch) for branch in tree.values()))


def evaluate_parameters(context: LaunchContext, parameters: Any) -> list[dict[str, Any] | Path]:
    """Return dictionaries (values ready for YAML) and files, in the order they were written."""
    if isinstance(parameters, str) or not isinstance(parameters, Sequence):
        raise LaunchFileError(f'Node(parameters=...) takes a list; found {parameters!r}')
    evaluated: list[dict[str, Any] | Path] = []
    for item in parameters:
        if isinstance(item, Mapping):
            evaluated.append(dict(_flat(context, item, prefix='')))
            continue
        path = (item if isinstance(item, ParameterFile) else ParameterFile(item)).evaluate(context)
        if path is not None:
            evaluated.append(path)
    return evaluated


def _flat(context: LaunchContext, tree: Mapping, prefix: str) -> Iterable[tuple[str, Any]]:
    for key, value in tree.items():
        name = prefix + perform(context, key)
        if isinstance(value, Mapping):
            yield from _flat(context, value, prefix=f'{name}.')
            continue
        try:
            yield name, _evaluate(context, value)
        except LaunchFileError as error:
            raise LaunchFileError(f'parameter {name!r}: {error}') from error


def _evaluate(context: LaunchContext, value: Any) -> Any:
    if isinstance(value, ParameterValue):
        return value.evaluate(context)
    if isinstance(value, _SCALARS):
        return value
    if isinstance(value, Substitution) or _is_joined_text(value):
        return _from_yaml(perform(context, value), 'value')
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return _evaluate_list(context, value)
    raise LaunchFileError(f'unexpected value {value!r} of type {type(value).__name__}')


def _is_joined_text(value: Any) -> bool:
    """Whether a list is one text: it holds a substitution, and nothing but those and text."""
    return (
        isinstance(value, list | tuple)
        and any(isinstance(item, Substitution) for item in value)
        and all(isinstance(item, str | Substitution) for item in value)
    )


def _evaluate_list(context: LaunchContext, values: Sequence) -> list:
    types = {type(item) for item in values}
    if types == {int, float}:
        return [float(item) for item in values]
    return _uniform(
        [
            item if isinstance(item, _SCALARS) else _from_yaml(perform(context, item), 'item')
            for item in values
        ]
    )


def _uniform(values: list) -> list:
    types = {type(item) for item in values}
    if len(types) != 1 or not types <= set(_SCALARS):
        raise LaunchFileError(
            f'expected a list, not empty, with values of one type (bool, int, float, str); '
            f'found {values!r}'
        )
    return values


def _from_yaml(text: str, what: str) -> Any:
    """Return what YAML reads in `text`; empty text stays empty text."""
    try:
        value = yaml.safe_load(text) if text else ''
    except yaml.YAMLError as error:
        raise LaunchFileError(
            f'the {what} {text!r} is not YAML. Next: if text is meant, write '
            f'ParameterValue(..., value_type=str)'
        ) from error
    if isinstance(value, list):
        return _uniform(value)
    if not isinstance(value, _SCALARS):
        raise LaunchFileError(
            f'the {what} {text!r} reads as {type(value).__name__}; allowed are bool, int, float, '
            f'str and lists of them. Next: if text is meant, write '
            f'ParameterValue(..., value_type=str)'
        )
    return value
