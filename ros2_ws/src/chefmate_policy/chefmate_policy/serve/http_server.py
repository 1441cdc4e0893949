"""The HTTP port: `POST /act` as GR00T's clients ask; health, metrics and modality to look at."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web

from chefmate_core.policy.engine import ModelInput
from chefmate_core.policy.wire import json_codec, limits
from chefmate_core.policy.wire.errors import Code, RequestError, bad_request, too_large
from chefmate_core.policy.wire.observation import has_batch_axis, to_action, to_model_input
from chefmate_core.policy.wire.protocol import encode_description
from chefmate_core.policy.wire.token import same_token
from chefmate_policy.serve import metrics
from chefmate_policy.serve.budget import ByteBudget
from chefmate_policy.serve.config import ServeConfig
from chefmate_policy.serve.http_guard import ConnectionGuard
from chefmate_policy.serve.service import InferenceService, State

_LOG = logging.getLogger(__name__)
_PROTOCOL = 'http'
_KEEP_ALIVE_S = 75.0
STATUS = {
    Code.BAD_REQUEST: 400,
    Code.UNAUTHORISED: 401,
    Code.BUSY: 503,
    Code.TIMEOUT: 504,
    Code.TOO_LARGE: 413,
    Code.INTERNAL: 500,
}
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class HttpServer:
    """Answers HTTP requests."""

    def __init__(self, service: InferenceService, budget: ByteBudget, config: ServeConfig) -> None:
        self._service, self._budget, self._config = service, budget, config
        self._statistics = service.statistics
        app = web.Application(middlewares=[self._middleware])
        app.router.add_post('/act', self._act)
        app.router.add_get('/health', self._health)
        app.router.add_get('/metrics', self._metrics)
        app.router.add_get('/modality', self._modality)
        self._runner = web.AppRunner(
            app,
            handle_signals=False,
            access_log=None,
            handler_cancellation=True,  # who has gone leaves the queue
            auto_decompress=False,  # a small body shall not become a large one
            keepalive_timeout=_KEEP_ALIVE_S,
            lingering_time=config.patience_s,  # for who sends on after an error
            shutdown_timeout=config.patience_s,
        )
        self._guard: ConnectionGuard | None = None
        self._server: asyncio.Server | None = None

    async def start(self, listening: socket.socket) -> None:
        """Serve on a socket that listens."""
        await self._runner.setup()
        assert self._runner.server is not None
        self._guard = ConnectionGuard(
            self._runner.server,
            self._statistics,
            self._config.connections,
            self._config.patience_s,
        )
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._guard, sock=listening)

    async def stop_listening(self) -> None:
        """Take no new connections."""
        if self._server is not None:
            self._server.close()

    async def close(self) -> None:
        """Send the answers that are ready, then end the connections."""
        await self._runner.cleanup()

    @web.middleware
    async def _middleware(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Turn every error into an answer; count; ask for the token."""
        if self._guard is not None and request.protocol is not None:
            self._guard.has_asked(request.protocol)
        resource = request.match_info.route.resource
        endpoint = (resource.canonical if resource else 'unknown').strip('/')
        try:
            with self._statistics.watch(_PROTOCOL, endpoint):
                if endpoint != 'health':
                    self._check_token(request)
                try:
                    return await handler(request)
                except web.HTTPException as error:  # 404, 405
                    raise bad_request(
                        f'{request.method} {request.path[:60]}: {error.reason}. Known: POST /act, '
                        f'GET /health, GET /metrics, GET /modality'
                    ) from error
        except RequestError as error:
            return _refusal(error, is_unknown=endpoint == 'unknown')
        except Exception as error:
            _LOG.exception('a request could not be answered')
            what = f'the server failed: {type(error).__name__}: {error}'
            return _refusal(RequestError(Code.INTERNAL, what), is_unknown=False)

    def _check_token(self, request: web.Request) -> None:
        if self._config.token is None:
            return
        kind, _, given = request.headers.get('Authorization', '').partition(' ')
        if kind.lower() != 'bearer' or not same_token(self._config.token, given.strip()):
            raise RequestError(
                Code.UNAUTHORISED, 'Unauthorized: expected the header Authorization: Bearer TOKEN'
            )

    async def _act(self, request: web.Request) -> web.Response:
        modality, speaks_numpy, batch_axis = self._service.modality, False, False
        async with self._body(request) as body:

            def decode() -> ModelInput:
                nonlocal speaks_numpy, batch_axis
                observation, speaks_numpy = json_codec.load_observation(bytes(body))
                seen = to_model_input(observation, modality)
                batch_axis = has_batch_axis(observation)
                return seen

            output = await self._service.infer(decode, _timeout_s(request))
        timings = ', '.join(
            f'{_header_token(name)};dur={value * 1e3:.3f}'
            for name, value in output.timings_s.items()
        )
        return web.Response(
            body=json_codec.dump(to_action(output, modality, batch_axis), arrays=speaks_numpy),
            content_type='application/json',
            headers={'Server-Timing': timings} if timings else None,
        )

    async def _health(self, request: web.Request) -> web.Response:
        service = self._service
        is_ready = service.state is State.READY
        return web.json_response(
            {
                'status': 'healthy' if is_ready else str(service.state),
                'model': service.engine.name if is_ready else '',
                'requests_admitted': service.admitted,
            },
            status=200 if is_ready else 503,
        )

    async def _metrics(self, request: web.Request) -> web.Response:
        service = self._service
        is_ready = service.state is State.READY
        gauges = {
            'ready': float(is_ready),
            'requests_admitted': service.admitted,
            'held_bytes': self._budget.held_bytes,
        }
        page = metrics.prometheus(
            self._statistics, gauges, service.engine.name if is_ready else ''
        )
        return web.Response(body=page.encode(), headers={'Content-Type': metrics.CONTENT_TYPE})

    async def _modality(self, request: web.Request) -> web.Response:
        engine = self._service.engine
        answer = encode_description(engine.name, engine.modality)
        return web.json_response({**answer, 'modality_config': engine.modality.to_dict()})

    @contextlib.asynccontextmanager
    async def _body(self, request: web.Request) -> AsyncIterator[bytearray]:
        """The body, its bytes taken from the budget for as long as they are held."""
        if request.headers.get('Content-Encoding', 'identity').lower() != 'identity':
            raise bad_request('a compressed body is not taken: send it as it is')
        if (request.content_length or 0) > limits.MESSAGE_BYTES:
            raise too_large(
                f'a request of {request.content_length} bytes is too large; allowed: '
                f'{limits.MESSAGE_BYTES}'
            )
        body = bytearray()
        try:
            try:
                async with asyncio.timeout(self._config.patience_s):
                    async for chunk in request.content.iter_any():
                        self._budget.take(len(chunk))
                        body += chunk
                        if len(body) > limits.MESSAGE_BYTES:
                            raise too_large(
                                f'a request is too large; allowed: {limits.MESSAGE_BYTES} bytes'
                            )
            except TimeoutError:
                raise RequestError(
                    Code.TIMEOUT,
                    f'the body did not arrive within {self._config.patience_s:g} s; '
                    f'{len(body)} bytes did',
                ) from None
            except (web.PayloadAccessError, OSError) as error:
                raise bad_request(f'the body ended early: {error}') from error
            yield body
        finally:
            self._budget.give(len(body))


def _timeout_s(request: web.Request) -> float | None:
    text = request.headers.get(json_codec.TIMEOUT_HEADER)
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not value > 0.0:
        raise bad_request(
            f'{json_codec.TIMEOUT_HEADER}: expected seconds above 0; found {text[:40]!r}'
        )
    return value


def _header_token(name: str) -> str:
    return ''.join(char if char.isalnum() and char.isascii() else '_' for char in name)


def _refusal(error: RequestError, is_unknown: bool) -> web.Response:
    headers = {
        Code.BUSY: {'Retry-After': '1'},
        Code.UNAUTHORISED: {'WWW-Authenticate': 'Bearer'},
    }.get(error.code)
    status = 404 if is_unknown else STATUS[error.code]
    response = web.json_response(
        {'error': str(error), 'code': str(error.code)}, status=status, headers=headers
    )
    if error.code in (Code.TOO_LARGE, Code.TIMEOUT, Code.BUSY):
        response.force_close()  # what is left of the body is not worth reading
    return response
