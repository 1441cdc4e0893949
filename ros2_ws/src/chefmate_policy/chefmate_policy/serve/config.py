"""Where to listen, whom to admit, how long to wait."""

import ipaddress
from dataclasses import dataclass

from chefmate_core.errors import ConfigurationError

ZMQ_PORT = 5555
HTTP_PORT = 8000


@dataclass(frozen=True)
class ServeConfig:
    """The settings of a server; validated once."""

    host: str = '127.0.0.1'
    zmq_port: int | None = ZMQ_PORT  # None: not served; 0: any free port
    http_port: int | None = HTTP_PORT
    token: str | None = None
    insecure: bool = False  # other hosts may ask without a token
    allow_kill: bool = False  # a client may end the server
    waiting: int = 2  # requests that may wait while one runs
    timeout_s: float = 15.0  # how long a request may take that does not say
    patience_s: float = 10.0  # for a message that has begun to arrive, and for sending one
    connections: int = 64  # of each protocol
    unfinished_bytes: int = 128 << 20  # of all messages that have arrived and are not yet answered

    def __post_init__(self) -> None:
        if self.zmq_port is None and self.http_port is None:
            raise ConfigurationError('both protocols are off. Next: leave one of the ports on')
        for name, port in (('zmq_port', self.zmq_port), ('http_port', self.http_port)):
            if port is not None and not 0 <= port <= 65535:
                raise ConfigurationError(f'{name}: expected 0 to 65535; found {port}')
        if self.zmq_port == self.http_port != 0:
            raise ConfigurationError(f'both protocols are to listen on port {self.zmq_port}')
        for name, number, least in (
            ('waiting', self.waiting, 0),
            ('connections', self.connections, 1),
            ('timeout_s', self.timeout_s, 0.001),
            ('patience_s', self.patience_s, 0.001),
            ('unfinished_bytes', self.unfinished_bytes, 1 << 20),
        ):
            if not number >= least:
                raise ConfigurationError(f'{name}: expected at least {least}; found {number}')
        if not is_local(self.host) and self.token is None and not self.insecure:
            raise ConfigurationError(
                f'other hosts could reach {self.host} and nobody would have to know a token. '
                f'Next: give --token-file FILE, or --insecure where the network is trusted'
            )


def is_local(host: str) -> bool:
    """Whether only this machine reaches an address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == 'localhost'
