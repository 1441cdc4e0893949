"""Connections on the ZeroMQ port: how many, how long, how much at once."""

import asyncio
import contextlib
import socket

from chefmate_core.policy.wire import limits
from chefmate_policy.serve.budget import ByteBudget
from chefmate_policy.serve.config import ServeConfig
from chefmate_policy.serve.endpoints import Endpoints, refusal
from chefmate_policy.serve.statistics import Statistics
from chefmate_policy.serve.zmtp import Message, ProtocolError, ZmtpConnection

_PROTOCOL = 'zmq'
_AT_ONCE = 4  # requests of one connection; then it is not read until one is answered


class ZmqServer:
    """Hands requests to the endpoints and their answers back."""

    def __init__(
        self, endpoints: Endpoints, statistics: Statistics, budget: ByteBudget, config: ServeConfig
    ) -> None:
        self._endpoints, self._statistics = endpoints, statistics
        self._budget, self._config = budget, config
        self._server: asyncio.Server | None = None
        self._connections: set[asyncio.Task] = set()
        self._answering: set[asyncio.Task] = set()

    async def start(self, listening: socket.socket) -> None:
        """Serve on a socket that listens."""
        self._server = await asyncio.start_server(self._connected, sock=listening)

    async def stop_listening(self) -> None:
        """Take no new connections."""
        if self._server is not None:
            self._server.close()

    async def close(self) -> None:
        """Send the answers that are ready, then end the connections."""
        if self._answering:
            await asyncio.wait(self._answering, timeout=self._config.patience_s)
        for task in tuple(self._connections):
            task.cancel()
        if self._connections:
            await asyncio.wait(self._connections, timeout=self._config.patience_s)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        if len(self._connections) >= self._config.connections:
            self._statistics.refused_connections[_PROTOCOL] += 1
            writer.transport.abort()
            return
        self._connections.add(task)
        self._statistics.connections[_PROTOCOL] += 1
        try:
            _keep_alive(writer)
            await self._serve(reader, writer)
        except (ProtocolError, TimeoutError, EOFError, OSError):
            pass  # nobody there, or nobody who can be answered
        except asyncio.CancelledError:
            pass  # the server ends
        finally:
            self._connections.discard(task)
            self._statistics.connections[_PROTOCOL] -= 1
            await _close(writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        config = self._config
        connection = ZmtpConnection(
            reader, writer, self._budget, limits.MESSAGE_BYTES, config.patience_s
        )
        await connection.greet()
        places = asyncio.Semaphore(_AT_ONCE)
        tasks: set[asyncio.Task] = set()
        try:
            while True:
                await places.acquire()
                message = await connection.receive()
                task = asyncio.create_task(self._answer(connection, message, places, writer))
                for of in (tasks, self._answering):
                    of.add(task)
                    task.add_done_callback(of.discard)
        finally:
            for task in tuple(tasks):
                task.cancel()

    async def _answer(
        self,
        connection: ZmtpConnection,
        message: Message,
        places: asyncio.Semaphore,
        writer: asyncio.StreamWriter,
    ) -> None:
        size = len(message.body)
        try:
            if message.refused is not None:
                self._statistics.refused(_PROTOCOL, message.refused.code)
                body = refusal(message.refused)
            else:
                body = await self._endpoints.answer(message.body)
            await connection.send(message.envelope, body)
        except (TimeoutError, OSError):
            writer.transport.abort()  # it does not read what it asked for
        finally:
            self._budget.give(size)
            places.release()


def _keep_alive(writer: asyncio.StreamWriter) -> None:
    """Let the system find out about peers that vanished without a word."""
    connection = writer.get_extra_info('socket')
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (('TCP_KEEPIDLE', 30), ('TCP_KEEPINTVL', 10), ('TCP_KEEPCNT', 3)):
        if hasattr(socket, name):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(1.0):
            await writer.wait_closed()
