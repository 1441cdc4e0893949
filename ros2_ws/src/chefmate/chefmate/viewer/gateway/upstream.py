"""What lies behind the gateway: viser's own server, reached by its private address."""

import asyncio
import http.client
import socket
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import quote

from websockets.asyncio.client import ClientConnection, connect
from websockets.http11 import Response
from websockets.typing import Subprotocol

from chefmate.viewer.gateway.answers import answer, message_page, security_headers

_TIMEOUT_S = 5.0
_FRAMES_AHEAD = 2  # of one client, in this process; viser waits with the rest, and merges it
_PIPE_BYTES = 1 << 16
_SEGMENT_BYTES = 1448  # viser's kernel keeps a number of segments; loopback's have 64 kB
_PASSED_ON = ('content-type', 'content-encoding')
_HEAD_END = b'</head>'
_PATH = "/%:@!$&'()*+,;="  # RFC 3986, 3.3


@dataclass(frozen=True)
class Upstream:
    """viser's server.

    Attributes:
        host: its private address.
        port: its port.
        head_html: what is added at the end of the head of every page.
    """

    host: str
    port: int
    head_html: str = ''

    async def get(self, target: str, authority: str) -> Response:
        """Return viser's answer to a GET, with the gateway's headers."""
        try:
            status, headers, body = await asyncio.to_thread(self._get, target)
        except (http.client.HTTPException, OSError):
            return message_page(
                HTTPStatus.SERVICE_UNAVAILABLE, 'The page is not being served. Try again.'
            )
        kept = [(name, value) for name, value in headers if name.lower() in _PASSED_ON]
        is_page = any(value.startswith('text/html') for _, value in kept)
        if is_page and self.head_html:
            before, end, after = body.rpartition(_HEAD_END)
            body = before + (self.head_html.encode() if end else b'') + end + after
        return answer(HTTPStatus(status), [*kept, *security_headers(authority)], body)

    def _get(self, target: str) -> tuple[int, list[tuple[str, str]], bytes]:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=_TIMEOUT_S)
        try:
            path = quote(target, safe=_PATH, errors='surrogateescape')
            connection.request('GET', path, headers={'Accept-Encoding': 'identity'})
            response = connection.getresponse()
            return response.status, response.getheaders(), response.read()
        finally:
            connection.close()

    async def websocket(self, subprotocol: str | None) -> ClientConnection:
        """Open a websocket to viser.

        Raises:
            OSError: viser is not there.
            InvalidHandshake: it refuses.
        """
        return await connect(
            f'ws://{self.host}:{self.port}/',
            sock=await self._short_pipe(),
            subprotocols=[Subprotocol(subprotocol)] if subprotocol else None,
            compression=None,
            max_size=None,  # a scene holds meshes
            max_queue=_FRAMES_AHEAD,
            ping_interval=None,  # it is this process
            open_timeout=_TIMEOUT_S,
            close_timeout=0.3,
            proxy=None,
            user_agent_header=None,
        )

    async def _short_pipe(self) -> socket.socket:
        """Connect a socket that lets few bytes wait between viser and here."""
        pipe = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            pipe.setblocking(False)
            pipe.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _PIPE_BYTES)
            pipe.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, _SEGMENT_BYTES)
            async with asyncio.timeout(_TIMEOUT_S):
                await asyncio.get_running_loop().sock_connect(pipe, (self.host, self.port))
        except BaseException:
            pipe.close()
            raise
        return pipe
