"""The policy `remote`: an engine on another host, behind the policy protocol."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from chefmate_core.policy.engine_policy import EnginePolicy, load_engine_policy
from chefmate_core.policy.registry import PolicyContext


def make_policy(url: str, context: PolicyContext, **options: Any) -> EnginePolicy:
    """Connect to the server at `url`; options are `EnginePolicyOptions` and its client's.

    Raises:
        ConfigurationError: an option or the address is wrong, or the model does not fit.
        PolicyError: no server answers there.
    """
    from chefmate_core.policy.remote import make_engine

    make = make_engine
    if isinstance(options.get('cameras'), Mapping):  # for servers that do not say theirs
        make = partial(make_engine, cameras=tuple(options['cameras']))
    return load_engine_policy(make, url, context, options)
