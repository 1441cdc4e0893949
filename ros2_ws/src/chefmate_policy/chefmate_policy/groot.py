"""The policy `groot`: GR00T N1.5 on this host, behind the policy protocol."""

from collections.abc import Callable
from functools import partial
from typing import Any

from chefmate_core.policy.engine_policy import EnginePolicy, load_engine_policy
from chefmate_core.policy.registry import PolicyContext

DEFAULT_MODEL = 'n1.5-3b'
_GB = 1e9


def make_policy(
    context: PolicyContext, model: str = DEFAULT_MODEL, **options: Any
) -> EnginePolicy:
    """Load `model`: a name of the manifest, the folder of a checkpoint, or a hub id.

    Options are `EnginePolicyOptions` and `EngineOptions`.

    Raises:
        ConfigurationError: an option or the model is wrong, or does not fit this arm.
        PolicyError: the model cannot be loaded.
    """
    context.tell('importing torch')
    from chefmate_policy.engine.load import load_engine

    load = partial(load_engine, progress=_progress(context.tell))
    if 'samples' in options:  # what each request asks for is also what is prepared for
        load = partial(load, samples=options['samples'])
    return load_engine_policy(load, model, context, options)


def _progress(tell: Callable[[str], None]) -> Callable[[str, int, int], None]:
    """Return what tells of every tenth of the bytes."""
    told = -1

    def progress(what: str, done: int, total: int) -> None:
        nonlocal told
        tenth = 10 * done // max(total, 1)
        if tenth != told:
            told = tenth
            tell(f'loading {what}: {done / _GB:.1f} of {total / _GB:.1f} GB')

    return progress
