"""The policy `remote`: an engine on another host, behind the policy protocol."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from chefmate_core.errors import ConfigurationError
from chefmate_core.policy.engine import Engine, EngineBusyError, EngineTimeoutError
from chefmate_core.policy.engine_policy import EnginePolicy, load_engine_policy
from chefmate_core.policy.registry import PolicyContext

RETRY_S = 0.5


def make_policy(
    url: str, context: PolicyContext, wait_s: float = 300.0, **options: Any
) -> EnginePolicy:
    """Connect to the server at `url`, and wait for as long as it still loads its model.

    Args:
        url: an address that `make_engine` takes.
        context: the arm and the cameras.
        wait_s: how long a server may load.
        **options: `EnginePolicyOptions`, and those of `make_engine`.

    Raises:
        ConfigurationError: an option or the address is wrong, or the model does not fit.
        PolicyError: no server answers there.
    """
    from chefmate_core.policy.remote import make_engine

    if not 0.0 <= wait_s < float('inf'):
        raise ConfigurationError(f'option wait_s: expected 0 s or more; found {wait_s!r}')
    make = make_engine
    if isinstance(options.get('cameras'), Mapping):  # for servers that do not say theirs
        make = partial(make_engine, cameras=tuple(options['cameras']))

    def connect(url: str, **of_engine: Any) -> Engine:
        engine = make(url, **of_engine)
        _wait_for(engine, wait_s, context.tell)
        return engine

    return load_engine_policy(connect, url, context, options)


def _wait_for(engine: Engine, wait_s: float, tell: Callable[[str], None]) -> None:
    """Ask what the model sees until the server says; it may still load its model."""
    give_up_s = time.monotonic() + wait_s
    told = ''
    while True:
        try:
            _ = engine.modality
            return
        except (EngineBusyError, EngineTimeoutError) as error:
            if time.monotonic() > give_up_s:
                engine.close()
                raise
            if str(error) != told:
                told = str(error)
                tell(f'waiting for the server: {told}')
            time.sleep(RETRY_S)
        except BaseException:
            engine.close()
            raise
