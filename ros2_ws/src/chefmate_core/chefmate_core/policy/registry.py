"""Policies by name, through the entry-point group `chefmate.policies`.

An entry point names a factory `factory(**options) -> Policy`. Only the chosen one is imported, so
that torch is loaded only where a torch policy was chosen. A factory that has a parameter `context`
is told about the arm and the cameras that it will see.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from chefmate_core.errors import ConfigurationError, PolicyError
from chefmate_core.policy.protocol import Policy

GROUP = 'chefmate.policies'


def _tell_nobody(text: str) -> None:
    del text


@dataclass(frozen=True)
class PolicyContext:
    """Where a policy will run."""

    calibration_path: str = ''  # the follower's calibration, LeRobot's JSON
    cameras: tuple[str, ...] = ()  # names of the images that observations will hold
    tell: Callable[[str], None] = _tell_nobody  # what loading does now, a few words for people


def available_policies() -> Mapping[str, EntryPoint]:
    """Return the installed policies by name, without importing any."""
    return {entry.name: entry for entry in sorted(entry_points(group=GROUP))}


def load_policy(name: str, context: PolicyContext | None = None, **options: Any) -> Policy:
    """Import the policy `name` and build it with `options`; it may take minutes.

    Raises:
        ConfigurationError: no policy has that name; the message lists those that exist.
        PolicyError: its package is installed but what it imports is not.
    """
    policies = available_policies()
    if name not in policies:
        found = ', '.join(policies) or 'none (is the workspace sourced?)'
        raise ConfigurationError(f'unknown policy {name!r}; installed policies: {found}')
    try:
        factory = policies[name].load()
        if 'context' in inspect.signature(factory).parameters:
            options['context'] = context or PolicyContext()
        policy = factory(**options)
    except ImportError as error:
        raise PolicyError(
            f'policy {name!r} cannot be imported: {error}. Install the requirements of its '
            f'package ({policies[name].value.split(":")[0].split(".")[0]}) with `make setup` and '
            'try again'
        ) from error
    if not isinstance(policy, Policy):
        raise PolicyError(f'policy {name!r} does not implement the policy protocol')
    return policy
