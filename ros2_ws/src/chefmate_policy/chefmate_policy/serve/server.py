"""The whole server: binds, loads, serves, and stops in order."""

import asyncio
import contextlib
import errno
import logging
import signal
import socket
from collections.abc import Callable, Mapping

from chefmate_core.errors import ConfigurationError
from chefmate_core.policy.engine import Engine
from chefmate_policy.serve.budget import ByteBudget
from chefmate_policy.serve.config import ServeConfig
from chefmate_policy.serve.endpoints import Endpoints
from chefmate_policy.serve.http_server import HttpServer
from chefmate_policy.serve.service import InferenceService, State
from chefmate_policy.serve.statistics import Statistics
from chefmate_policy.serve.zmq_server import ZmqServer

_LOG = logging.getLogger(__name__)
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class PolicyServer:
    """Serves one engine until it is told to stop."""

    def __init__(
        self,
        load_engine: Callable[[], Engine],
        config: ServeConfig,
        on_ready: Callable[[Engine], None] = lambda engine: None,
    ) -> None:
        """Bind the ports; `load_engine` is called later, in a thread, and `on_ready` after it.

        Raises:
            ConfigurationError: a port is taken, or the address is none of this machine.
        """
        self.config = config
        self.statistics = Statistics()
        self._load_engine, self._on_ready = load_engine, on_ready
        self._sockets: dict[str, socket.socket] = {}
        try:
            for scheme, option, port in (
                ('zmq', '--zmq-port', config.zmq_port),
                ('http', '--http-port', config.http_port),
            ):
                if port is not None:
                    self._sockets[scheme] = _listen(config.host, port, option)
        except ConfigurationError:
            self._close_sockets()
            raise
        self._stop: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop_asked = False

    @property
    def addresses(self) -> Mapping[str, str]:
        """Where it listens: scheme -> `scheme://host:port`."""
        shown = f'[{self.config.host}]' if ':' in self.config.host else self.config.host
        return {
            scheme: f'{scheme}://{shown}:{listening.getsockname()[1]}'
            for scheme, listening in self._sockets.items()
        }

    def run(self, handle_signals: bool = True) -> None:
        """Serve until SIGINT, SIGTERM or `stop`. Raises what loading the engine raises."""
        try:
            asyncio.run(self._run(handle_signals))
        finally:
            self._close_sockets()

    def stop(self) -> None:
        """Ask for the end, from any thread."""
        self._stop_asked = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended already
                self._loop.call_soon_threadsafe(self._set_stop)

    def _set_stop(self) -> None:
        if self._stop is not None:
            self._stop.set()

    async def _run(self, handle_signals: bool) -> None:
        config = self.config
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        if self._stop_asked:
            return
        service = InferenceService(config.waiting, config.timeout_s, self.statistics)
        budget = ByteBudget(config.unfinished_bytes)
        endpoints = Endpoints(service, config.token, self._set_stop if config.allow_kill else None)
        if handle_signals:
            for number in _SIGNALS:
                self._loop.add_signal_handler(number, self._signalled)
        servers: list[ZmqServer | HttpServer] = []
        try:
            if 'zmq' in self._sockets:
                zmq_server = ZmqServer(endpoints, self.statistics, budget, config)
                servers.append(zmq_server)
                await zmq_server.start(self._sockets['zmq'])
            if 'http' in self._sockets:
                http_server = HttpServer(service, budget, config)
                servers.append(http_server)
                await http_server.start(self._sockets['http'])
            await self._load_and_wait(service)
        finally:
            for server in servers:
                await server.stop_listening()
            try:
                async with asyncio.timeout(config.timeout_s):
                    await service.stop()
            except TimeoutError:
                _LOG.warning('the running inference did not end in %g s', config.timeout_s)
            for server in servers:
                await server.close()

    async def _load_and_wait(self, service: InferenceService) -> None:
        assert self._stop is not None
        stopped = asyncio.create_task(self._stop.wait())
        loaded = asyncio.create_task(service.load(self._load_engine))
        await asyncio.wait((stopped, loaded), return_when=asyncio.FIRST_COMPLETED)
        if not loaded.done():
            loaded.cancel()
            return
        try:
            loaded.result()
        except BaseException:
            stopped.cancel()
            raise
        if service.state is State.READY:
            self._on_ready(service.engine)
        await stopped

    def _signalled(self) -> None:
        _LOG.info('stopping; once more to stop at once')
        self._set_stop()
        assert self._loop is not None
        for number in _SIGNALS:  # the second one ends the process in the usual way
            self._loop.remove_signal_handler(number)

    def _close_sockets(self) -> None:
        for listening in self._sockets.values():
            listening.close()


def _listen(host: str, port: int, option: str) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigurationError(
            f'--host {host}: {error}. Next: give an address of this machine, as `ip addr` lists'
        ) from error
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(128)
        listening.setblocking(False)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise ConfigurationError(
                f'{option} {port}: another program listens on {host}:{port}. Next: end it (see '
                f'`ss -ltnp`), or give another port; `{option} off` does without'
            ) from error
        raise ConfigurationError(
            f'{option} {port}: cannot listen on {host}:{port}: {error}. Next: give another '
            f'port or --host'
        ) from error
    return listening
