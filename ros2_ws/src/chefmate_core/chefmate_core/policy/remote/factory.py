"""Engines by URL. Only the library that the scheme needs is imported."""

import inspect
from typing import Any

from chefmate_core.errors import ConfigurationError, PolicyError
from chefmate_core.policy.remote.remote_engine import RemoteEngine
from chefmate_core.policy.remote.settings import RemoteSettings, parse_address

SCHEMES = {'zmq': 5555, 'chefmate': 5555, 'http': 8000, 'https': 443}  # and their usual ports


def make_engine(url: str, **options: Any) -> RemoteEngine:
    """Return the engine at `url`; it connects when it is first asked.

    Args:
        url: `zmq://`, `chefmate://`, `http://` or `https://`, host, and port.
        **options: those of `RemoteSettings.from_options`.

    Raises:
        ConfigurationError: the URL or an option is wrong.
        PolicyError: a library is missing.
    """
    address = parse_address(url, SCHEMES)
    known = tuple(inspect.signature(RemoteSettings.from_options).parameters)
    unknown = sorted(set(options) - set(known))
    if unknown:
        raise ConfigurationError(
            f'{url}: unknown option {", ".join(unknown)}; known: {", ".join(known)}'
        )
    settings = RemoteSettings.from_options(**options)
    try:
        if address.scheme in ('http', 'https'):
            from chefmate_core.policy.remote.http_engine import HttpEngine

            return HttpEngine(address, settings)
        from chefmate_core.policy.remote.zmq_engine import ChefmateEngine, ZmqEngine
    except ModuleNotFoundError as error:
        raise PolicyError(
            f'{url} needs the Python module {error.name!r}, which is not found. Next: make setup'
        ) from error
    engine = ChefmateEngine if address.scheme == 'chefmate' else ZmqEngine
    return engine(address, settings)
