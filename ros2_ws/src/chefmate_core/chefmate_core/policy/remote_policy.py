"""The policy `remote`: an engine on another host, behind the policy protocol."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from chefmate_core.errors import ConfigurationError
from chefmate_core.policy.engine import (
    Engine,
    EngineBusyError,
    EngineTimeoutError,
    EngineUnreachableError,
)
from chefmate_core.policy.engine_policy import EnginePolicy, load_engine_policy
from chefmate_core.policy.registry import PolicyContext

RETRY_S = 0.5


def make_policy(
    url: str,
    context: PolicyContext,
    wait_s: float = 300.0,
    absent_s: float = 20.0,
    **options: Any,
) -> EnginePolicy:
    """Connect to the server at `url`; wait while it comes up, and while it loads its model.

    Args:
        url: an address that `make_engine` takes.
        context: the arm and the cameras.
        wait_s: how long a server may load.
        absent_s: how long nobody may listen there: the server may be starting, too.
        **options: `EnginePolicyOptions`, and those of `make_engine`.

    Raises:
        ConfigurationError: an option or the address is wrong, or the model does not fit.
        PolicyError: no server answers there.
    """
    from chefmate_core.policy.remote import make_engine

    for name, seconds in (('wait_s', wait_s), ('absent_s', absent_s)):
        if not 0.0 <= seconds < float('inf'):
            raise ConfigurationError(f'option {name}: expected 0 s or more; found {seconds!r}')
    make = make_engine
    if isinstance(options.get('cameras'), Mapping):  # for servers that do not say theirs
        make = partial(make_engine, cameras=tuple(options['cameras']))

    def connect(url: str, **of_engine: Any) -> Engine:
        engine = make(url, **of_engine)
        _wait_for(engine, wait_s, absent_s, context.tell)
        return engine

    return load_engine_policy(connect, url, context, options)


def _wait_for(engine: Engine, wait_s: float, absent_s: float, tell: Callable[[str], None]) -> None:
    """Ask what the model sees until the server says; it may still start, or load its model."""
    begun_s = heard_s = time.monotonic()
    told = ''
    while True:
        try:
            _ = engine.modality
            return
        except (EngineBusyError, EngineTimeoutError, EngineUnreachableError) as error:
            now_s = time.monotonic()
            if not isinstance(error, EngineUnreachableError):
                heard_s = now_s
            if now_s - begun_s > wait_s or now_s - heard_s > absent_s:
                engine.close()
                raise
            if str(error) != told:
                told = str(error)
                tell(f'waiting for the server: {told}')
            time.sleep(RETRY_S)
        except BaseException:
            engine.close()
            raise
