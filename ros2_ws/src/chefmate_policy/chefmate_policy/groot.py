"""The policy `groot`: GR00T N1.5 on this host, behind the policy protocol."""

from typing import Any

from chefmate_core.policy.engine_policy import EnginePolicy, load_engine_policy
from chefmate_core.policy.registry import PolicyContext

DEFAULT_MODEL = 'n1.5-3b'


def make_policy(
    context: PolicyContext, model: str = DEFAULT_MODEL, **options: Any
) -> EnginePolicy:
    """Load `model`: a name of the manifest, the folder of a checkpoint, or a hub id.

    Options are `EnginePolicyOptions` and those of `load_engine`.

    Raises:
        ConfigurationError: an option or the model is wrong, or does not fit this arm.
        PolicyError: the model cannot be loaded.
    """
    from chefmate_policy.engine.load import load_engine  # torch is imported here

    return load_engine_policy(load_engine, model, context, options)
