"""Policies by name, through the entry-point group `chefmate.policies`.

An entry point names a factory `factory(**options) -> Policy`. Only the chosen one is imported, so
that torch is loaded only where a torch policy was chosen.
"""

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from chefmate_core.errors import ConfigurationError, PolicyError
from chefmate_core.policy.protocol import Policy

GROUP = 'chefmate.policies'


def available_policies() -> Mapping[str, EntryPoint]:
    """Return the installed policies by name, without importing any."""
    return {entry.name: entry for entry in sorted(entry_points(group=GROUP))}


def load_policy(name: str, **options: Any) -> Policy:
    """Import the policy `name` and build it with `options`.

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
    except ImportError as error:
        raise PolicyError(
            f'policy {name!r} cannot be imported: {error}. Install the requirements of its '
            f'package ({policies[name].value.split(":")[0].split(".")[0]}) and try again'
        ) from error
    policy = factory(**options)
    if not isinstance(policy, Policy):
        raise PolicyError(f'policy {name!r} does not implement the policy protocol')
    return policy
