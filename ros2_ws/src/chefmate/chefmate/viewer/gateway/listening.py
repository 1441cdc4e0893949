"""Where the page is served: which port is free, and which address to print."""

import contextlib
import errno
import secrets
import socket

from chefmate_core.errors import ConfigurationError

PORTS_TRIED = 20
_ELSEWHERE = '192.0.2.1'  # RFC 5737: leads nowhere, but has a route
_ANY = ('', '0.0.0.0', '::')
_BACKLOG = 64


def private_host() -> str:
    """Return a loopback address that nobody can guess, for what only the gateway may reach.

    A page on the web can make a browser connect to 127.0.0.1 and try all ports. There are 2^24
    addresses in 127.0.0.0/8, all of which are this machine on Linux.
    """
    middle, last = secrets.randbelow(1 << 16), 1 + secrets.randbelow(254)
    return f'127.{middle >> 8}.{middle & 0xFF}.{last}'


def listen(host: str, port: int) -> tuple[list[socket.socket], int]:
    """Return listening sockets, one for each address of the host, and their port.

    Args:
        host: name or address of an interface; 'localhost' may have two addresses.
        port: the first to try; taken ones are passed over. 0: any.

    Raises:
        ConfigurationError: there is no such host here, or no port is to be had.
    """
    if not 0 <= port <= 65535:
        raise ConfigurationError(f'port of the viewer page: expected 0 to 65535, found {port}')
    addresses = _addresses(host)
    last = min(port + PORTS_TRIED - 1, 65535) if port else 0
    for candidate in range(port, last + 1):
        try:
            sockets = _listen_on_all(addresses, candidate)
        except PermissionError as error:
            raise ConfigurationError(
                f'port {candidate} is for the system only. Next: give one of 1024 or above'
            ) from error
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                continue
            raise ConfigurationError(
                f'the viewer page cannot be served at {host}: {error.strerror}. Next: give an '
                f'address of this machine, or localhost'
            ) from error
        return sockets, int(sockets[0].getsockname()[1])
    raise ConfigurationError(
        f'ports {port} to {last} at {host} are all taken. Next: give another port for the viewer '
        f'page, or end what uses these (ss -ltnp says what)'
    )


def printable_host(host: str) -> str:
    """Return what another machine may call the host by; an interface of all becomes an address."""
    if host in _ANY:
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
            way.connect((_ELSEWHERE, 9))  # sends nothing; it only picks the interface
            return str(way.getsockname()[0])
        return socket.gethostname()
    return f'[{host}]' if ':' in host else host


def _addresses(host: str) -> list[tuple[int, tuple]]:
    try:
        found = socket.getaddrinfo(
            host or None, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except (OSError, UnicodeError) as error:
        raise ConfigurationError(
            f'the viewer page cannot be served at {host!r}: no such host. Next: give an address '
            f'of this machine, or localhost'
        ) from error
    # IPv4 first: it is there on every machine, IPv6 need not be.
    found.sort(key=lambda entry: entry[0] != socket.AF_INET)
    return list(dict.fromkeys((int(family), address) for family, _, _, _, address in found))


def _listen_on_all(addresses: list[tuple[int, tuple]], port: int) -> list[socket.socket]:
    """Listen on the first address, and on those of the others that exist."""
    with contextlib.ExitStack() as opened:
        sockets: list[socket.socket] = []
        for family, address in addresses:
            try:
                listener = opened.enter_context(socket.socket(family, socket.SOCK_STREAM))
                listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                listener.bind((address[0], port, *address[2:]))
                listener.listen(_BACKLOG)
            except OSError as error:
                if sockets and error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                    continue
                raise
            port = int(listener.getsockname()[1])  # the others take the port that 0 became
            sockets.append(listener)
        opened.pop_all()
        return sockets
