"""The gateway: one port for page and websocket, in a thread of its own."""

import asyncio
import contextlib
import errno
import logging
import socket
import threading
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from websockets.asyncio.server import Server, ServerConnection
from websockets.asyncio.server import serve as serve_websocket
from websockets.exceptions import InvalidHandshake
from websockets.http11 import Request, Response
from websockets.typing import Subprotocol

from chefmate.viewer.gateway.answers import message_page, redirect
from chefmate.viewer.gateway.browser_messages import MAX_BYTES
from chefmate.viewer.gateway.door import (
    TOKEN_PARAMETER,
    Door,
    Refusal,
    Welcome,
    checked_token,
    is_loopback,
)
from chefmate.viewer.gateway.listening import listen, printable_host
from chefmate.viewer.gateway.relay import relay
from chefmate.viewer.gateway.stop_line import ENDED, StopLine
from chefmate.viewer.gateway.stop_line import PATH as STOP_PATH
from chefmate.viewer.gateway.upstream import Upstream
from chefmate_core.errors import ConfigurationError

MAX_CLIENTS = 32
_KEPT_UNSENT_BYTES = 1 << 16  # per client; what waits longer is stale when it arrives
_PING_S = 10.0  # a browser that has gone without a word is found out within two of these
_OPEN_S = 10.0  # who connects and says nothing is not waited for; a busy browser is
_STOP_TIMEOUT_S = 5.0

_log = logging.getLogger(__name__)
_log.addFilter(lambda record: record.getMessage() != 'opening handshake failed')  # a port scan


class Gateway:
    """A served page.

    Attributes:
        address: what to open in a browser; it holds the token.
    """

    def __init__(
        self,
        upstream: Upstream,
        door: Door,
        sockets: list[socket.socket],
        address: str,
        stop_line: StopLine | None = None,
    ) -> None:
        self.address = address
        self._upstream, self._door, self._stop_line = upstream, door, stop_line
        self._refusals: Counter[str] = Counter()
        self._viewers: set[ServerConnection] = set()
        self._loop = asyncio.new_event_loop()
        self._loop.set_exception_handler(self._on_loop_error)
        self._servers: list[Server] = []
        self._loop.run_until_complete(self._start(sockets))
        self._thread = threading.Thread(
            target=self._loop.run_forever, name='viewer_gateway', daemon=True
        )
        self._thread.start()

    @property
    def clients(self) -> int:
        """How many browsers have the page open."""
        return len(self._viewers)

    @property
    def refused(self) -> int:
        """How many requests and messages were refused."""
        return sum(self.refusals.values())

    @property
    def refusals(self) -> Mapping[str, int]:
        """The same by reason."""
        return dict(self._refusals)

    def tell_stop(self, state: str) -> None:
        """Tell all browsers how the emergency stop is, past viser; from any thread."""
        if self._stop_line is not None:
            self._loop.call_soon_threadsafe(self._stop_line.tell, state)

    def close(self) -> None:
        """Say good-bye to the browsers and free the port. A second time does nothing."""
        if self._loop.is_closed():
            return
        self.tell_stop(ENDED)
        stopping = asyncio.run_coroutine_threadsafe(self._stop(), self._loop)
        with contextlib.suppress(TimeoutError):
            stopping.result(_STOP_TIMEOUT_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_STOP_TIMEOUT_S)
        if not self._thread.is_alive():
            self._loop.close()

    def _on_loop_error(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Count connections for which the system has no room; a flood of them is no news."""
        error = context.get('exception')
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            self._refusals['too many connections'] += 1
        else:
            loop.default_exception_handler(context)

    async def _start(self, sockets: list[socket.socket]) -> None:
        for listener in sockets:
            server = await serve_websocket(
                self._serve,
                sock=listener,
                process_request=self._answer,
                select_subprotocol=_first,
                compression=None,  # viser has compressed it
                max_size=MAX_BYTES,
                max_queue=16,
                write_limit=_KEPT_UNSENT_BYTES,
                open_timeout=_OPEN_S,
                ping_interval=_PING_S,
                ping_timeout=_PING_S,
                close_timeout=0.3,
                server_header=None,
                logger=_log,
            )
            self._servers.append(server)

    async def _stop(self) -> None:
        for server in self._servers:
            server.close()
        await asyncio.gather(*(server.wait_closed() for server in self._servers))

    async def _answer(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer what is no websocket, and refuse what may not enter; None lets it enter."""
        headers: dict[str, list[str]] = {}
        for name, value in request.headers.raw_items():
            headers.setdefault(name.lower(), []).append(value)
        websocket = any('websocket' in value.lower() for value in headers.get('upgrade', []))
        decision = self._door.decide(request.path, headers, websocket)
        if isinstance(decision, Refusal):
            self._refusals[decision.reason] += 1
            return message_page(HTTPStatus.FORBIDDEN, decision.message)
        if isinstance(decision, Welcome):
            return redirect(decision.location, decision.cookie)
        if not websocket:
            return await self._upstream.get(request.path.partition('?')[0], headers['host'][0])
        if self._is_for_the_stop(request):
            full = self._stop_line is not None and self._stop_line.full
        else:
            full = len(self._viewers) >= MAX_CLIENTS
        if full:
            self._refusals['too many viewers'] += 1
            return message_page(
                HTTPStatus.SERVICE_UNAVAILABLE, f'{MAX_CLIENTS} browsers are watching already.'
            )
        return None

    def _is_for_the_stop(self, request: Request | None) -> bool:
        path = '' if request is None else request.path.partition('?')[0]
        return self._stop_line is not None and path.endswith(STOP_PATH)

    async def _serve(self, browser: ServerConnection) -> None:
        if self._stop_line is not None and self._is_for_the_stop(browser.request):
            await self._stop_line.serve(browser, self._count_message)
        else:
            await self._serve_viewer(browser)

    async def _serve_viewer(self, browser: ServerConnection) -> None:
        _keep_little_unsent(browser)
        self._viewers.add(browser)
        try:
            async with await self._upstream.websocket(browser.subprotocol) as viser:
                await relay(browser, viser, self._count_message)
        except (OSError, InvalidHandshake):  # viser has gone; the browser tries again by itself
            await browser.close(1013, 'the page is not being served')
        finally:
            self._viewers.discard(browser)

    def _count_message(self) -> None:
        self._refusals['message'] += 1


def serve(
    upstream_port: int,
    host: str = 'localhost',
    port: int = 8080,
    token: str | None = None,
    allowed_hosts: Collection[str] = (),
    *,
    upstream_host: str = '127.0.0.1',
    head_html: str = '',
    stop_line: StopLine | None = None,
) -> Gateway:
    """Serve viser's page to browsers; returns when the port is open.

    Args:
        upstream_port: viser's port.
        host: the interface to serve at: 'localhost', or with a token another; '0.0.0.0' is all.
        port: the first to try; the next free one of twenty is taken.
        token: what browsers must bring; None: nothing, on this machine alone.
        allowed_hosts: more names under which the page may be opened without a token.
        upstream_host: viser's address; see `private_host`.
        head_html: added to the head of the page.
        stop_line: takes the websockets at `stop_line.PATH`; None: there is no such path.

    Raises:
        ConfigurationError: no port is free, there is no such host, another machine could reach
            the page without a token, or the token is not worth its name.
    """
    if checked_token(token) is None and not is_loopback(host):
        raise ConfigurationError(
            f'viewer page at {host}: other machines could stop and move the robot, so a token is '
            f'needed. Next: give a token, or serve at localhost and reach it with '
            f'ssh -L {port}:localhost:{port}'
        )
    sockets, bound = listen(host, port)
    address = f'http://{printable_host(host)}:{bound}/'
    if token is not None:
        address += f'?{TOKEN_PARAMETER}={token}'
    door = Door(token, f'chefmate_viewer_{bound}', allowed_hosts)
    upstream = Upstream(upstream_host, upstream_port, head_html)
    return Gateway(upstream, door, sockets, address, stop_line)


def _first(_: ServerConnection, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """Choose the first: viser's client offers its version, and viser says whether it fits."""
    return offered[0] if offered else None


def _keep_little_unsent(browser: ServerConnection) -> None:
    """Keep the kernel from storing seconds of pictures for a slow browser."""
    opened = browser.transport.get_extra_info('socket')
    if opened is not None and hasattr(socket, 'TCP_NOTSENT_LOWAT'):
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, _KEPT_UNSENT_BYTES)
