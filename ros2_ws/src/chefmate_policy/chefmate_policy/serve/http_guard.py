"""Connections on the HTTP port: how many, and how long one may stand there without a request."""

import asyncio

from aiohttp import web

from chefmate_policy.serve.statistics import Statistics

_PROTOCOL = 'http'
_FULL = (
    b'HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nRetry-After: 1\r\n'
    b'Content-Type: application/json\r\n\r\n'
    b'{"error": "the server has as many connections as it takes", "code": "busy"}\n'
)


class ConnectionGuard:
    """Makes a protocol for each connection, as `create_server` wants it."""

    def __init__(
        self, server: web.Server, statistics: Statistics, most: int, patience_s: float
    ) -> None:
        """A connection must have sent the head of a request after `patience_s`."""
        self._server, self._statistics = server, statistics
        self._most, self._patience_s = most, patience_s
        self._silent: set[asyncio.Protocol] = set()

    def __call__(self) -> asyncio.Protocol:
        """Return the protocol of a new connection."""
        connections = len(self._server.connections)
        if connections >= self._most:
            self._statistics.refused_connections[_PROTOCOL] += 1
            return _Refusal()
        handler = self._server()
        self._silent.add(handler)
        asyncio.get_running_loop().call_later(self._patience_s, self._end_silent, handler)
        return handler

    def has_asked(self, handler: asyncio.Protocol) -> None:
        """Know that a request has come through a connection."""
        self._silent.discard(handler)

    def _end_silent(self, handler: web.RequestHandler) -> None:
        if handler in self._silent:
            self._silent.discard(handler)
            handler.force_close()


class _Refusal(asyncio.Protocol):
    """Says that there is no place, and closes."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(_FULL)
        transport.close()
