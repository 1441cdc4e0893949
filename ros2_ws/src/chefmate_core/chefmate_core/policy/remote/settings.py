"""What a remote engine has to be told: where the server is, and what that does not say."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from chefmate_core.errors import ConfigurationError
from chefmate_core.policy.modality import SO101_GROUPS, JointGroup, groups_from
from chefmate_core.policy.protocol import HORIZON
from chefmate_core.policy.wire.token import read_token

TOKEN, TOKEN_FILE = 'CHEFMATE_TOKEN', 'CHEFMATE_TOKEN_FILE'  # environment variables


@dataclass(frozen=True)
class Address:
    """A server's URL in parts."""

    scheme: str
    host: str
    port: int
    path: str = ''

    @property
    def url(self) -> str:
        """The URL without a path."""
        shown = f'[{self.host}]' if ':' in self.host else self.host
        return f'{self.scheme}://{shown}:{self.port}'


@dataclass(frozen=True)
class RemoteSettings:
    """Options of `make_engine`; validated once."""

    timeout_s: float = 5.0  # how long one request may take; a request's own limit wins
    token: str | None = None
    # What a server says itself wins. GR00T's HTTP servers say nothing, those on ZeroMQ no sizes.
    cameras: tuple[str, ...] | None = None
    groups: tuple[JointGroup, ...] = SO101_GROUPS  # of the state and of the action
    horizon: int = HORIZON  # rows of an action
    jpeg_quality: int | None = 90  # of frames on chefmate://; None: not compressed

    def __post_init__(self) -> None:
        if not self.timeout_s > 0:
            raise ConfigurationError(f'timeout_s: expected above 0; found {self.timeout_s}')
        if self.jpeg_quality is not None and not 1 <= self.jpeg_quality <= 100:
            raise ConfigurationError(f'jpeg_quality: expected 1 to 100; found {self.jpeg_quality}')

    @classmethod
    def from_options(
        cls,
        timeout_s: float = 5.0,
        token_file: str | None = None,
        cameras: object = None,
        groups: Mapping[str, Mapping[str, int]] | None = None,
        horizon: int = HORIZON,
        jpeg_quality: int | None = 90,
    ) -> 'RemoteSettings':
        """Return settings from plain values, as a file or a command line has them.

        The token is in `token_file`, else in the file that CHEFMATE_TOKEN_FILE names, else
        CHEFMATE_TOKEN itself. `groups`: name -> {start, end}, as in `meta/modality.json`.

        Raises:
            ConfigurationError: a value is out of range, or the token cannot be read.
        """
        file = token_file or os.environ.get(TOKEN_FILE)
        if isinstance(cameras, str):
            cameras = [name.strip() for name in cameras.split(',') if name.strip()]
        return cls(
            timeout_s=float(timeout_s),
            token=read_token(file) if file else os.environ.get(TOKEN) or None,
            cameras=None if cameras is None else tuple(str(name) for name in cameras),  # type: ignore[attr-defined]
            groups=SO101_GROUPS if groups is None else groups_from(groups),
            horizon=int(horizon),
            jpeg_quality=None if jpeg_quality is None else int(jpeg_quality),
        )


def parse_address(url: str, default_ports: Mapping[str, int]) -> Address:
    """Return the parts of a server's URL.

    Raises:
        ConfigurationError: it is no such URL; the message shows one.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit('')
    if parts.scheme not in default_ports or not host or parts.query or parts.fragment:
        raise ConfigurationError(
            f'{url!r} is no address of a policy server. Expected scheme://host:port with one of '
            f'{", ".join(default_ports)}, for example zmq://gpu-host:5555'
        )
    return Address(parts.scheme, host, port or default_ports[parts.scheme], parts.path.rstrip('/'))
