"""The policy `remote`: an engine on another host, behind the policy protocol."""

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

    return load_engine_policy(make_engine, url, context, options)
