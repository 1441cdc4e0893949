"""What can be wrong with a launch file, said in one message."""

import inspect
from collections.abc import Mapping
from typing import Any

from chefmate_core.errors import ConfigurationError

ADVICE = 'use what it offers (docs/launching.md), or start the file with the real `ros2 launch`'


class LaunchFileError(ConfigurationError):
    """A launch file cannot be found, read or run; nothing was left running."""

    located = False  # whether the message begins with the file and its line


class UnsupportedLaunchFeatureError(LaunchFileError):
    """A launch file uses a part of the launch API that the built-in runner does not offer."""


def refuse_name(module: str, name: str, offered: list[str]) -> UnsupportedLaunchFeatureError:
    """Return the error for `from module import name`, for a name outside the offered ones."""
    return UnsupportedLaunchFeatureError(
        f'the built-in launch runner has no {module}.{name}; {module} offers here: '
        f'{", ".join(sorted(offered))}. Next: {ADVICE}'
    )


def refuse_keywords(owner: object, unknown: Mapping[str, Any]) -> None:
    """Raise UnsupportedLaunchFeatureError if an action was given keywords it does not know."""
    if not unknown:
        return
    known: set[str] = set()
    for base in type(owner).__mro__:
        if '__init__' in vars(base):
            parameters = inspect.signature(vars(base)['__init__']).parameters.values()
            known.update(
                p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
            )
    known.discard('self')
    raise UnsupportedLaunchFeatureError(
        f'the built-in launch runner does not know the keyword '
        f'{", ".join(sorted(unknown))} of {type(owner).__name__}(); known keywords: '
        f'{", ".join(sorted(known))}. Next: {ADVICE}'
    )
