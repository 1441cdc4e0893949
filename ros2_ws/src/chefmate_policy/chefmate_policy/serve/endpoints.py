"""What a message on the ZeroMQ port asks for, and its answer; two protocols share the port."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from chefmate_core.policy.wire import protocol
from chefmate_core.policy.wire.errors import Code, RequestError, bad_request
from chefmate_core.policy.wire.msgpack_codec import pack, pack_modality, unpack
from chefmate_core.policy.wire.observation import has_batch_axis, to_action, to_model_input
from chefmate_core.policy.wire.token import same_token
from chefmate_policy.serve.service import InferenceService

_LOG = logging.getLogger(__name__)
_Handler = Callable[[Mapping[str, Any]], Awaitable[bytes]]


class Endpoints:
    """Answers the bodies of requests; every one gets an answer, whatever it holds."""

    def __init__(
        self, service: InferenceService, token: str | None, kill: Callable[[], None] | None
    ) -> None:
        """`kill` ends the server; None: nobody may."""
        self._service, self._token, self._kill = service, token, kill
        self._groot: dict[str, _Handler] = {
            'ping': self._ping,
            'get_action': self._get_action,
            'get_modality_config': self._get_modality_config,
            'kill': self._end,
        }
        self._own: dict[str, _Handler] = {
            'ping': self._ping,
            'describe': self._describe,
            'infer': self._infer,
        }

    async def answer(self, body: bytes | bytearray) -> bytes:
        """Return the answer to a request."""
        is_own = False
        try:
            message = _read(body, self._service)
            is_own = protocol.MARK in message
            name = 'zmq-chefmate' if is_own else 'zmq'
            handlers = self._own if is_own else self._groot
            endpoint = message.get('endpoint', 'get_action')
            known = isinstance(endpoint, str) and endpoint in handlers
            with self._service.statistics.watch(name, endpoint if known else 'unknown'):
                self._check_token(message)
                if is_own:
                    protocol.check_version(message)
                if not known:
                    raise bad_request(
                        f'unknown endpoint {str(endpoint)[:60]!r}; known: {", ".join(handlers)}'
                    )
                return await handlers[endpoint](message)
        except RequestError as error:
            return refusal(error, is_own)
        except Exception as error:
            _LOG.exception('a request could not be answered')
            what = f'the server failed: {type(error).__name__}: {error}'
            return refusal(RequestError(Code.INTERNAL, what), is_own)

    def _check_token(self, message: Mapping[str, Any]) -> None:
        if self._token is not None and not same_token(self._token, message.get('api_token')):
            raise RequestError(
                Code.UNAUTHORISED, "Unauthorized: 'api_token' is missing or not the server's"
            )

    async def _ping(self, message: Mapping[str, Any]) -> bytes:
        name = self._service.engine.name
        answer = {'status': 'ok', 'message': 'Server is running', 'model': name}
        return pack(
            {**answer, protocol.MARK: protocol.VERSION} if protocol.MARK in message else answer
        )

    async def _get_modality_config(self, message: Mapping[str, Any]) -> bytes:
        return pack_modality(self._service.modality.to_dict())

    async def _get_action(self, message: Mapping[str, Any]) -> bytes:
        observation, modality = message.get('data'), self._service.modality
        if not isinstance(observation, dict):
            raise bad_request(
                f"'data' must be the observation, a map; found {type(observation).__name__}"
            )
        output = await self._service.infer(lambda: to_model_input(observation, modality))
        return pack(to_action(output, modality, has_batch_axis(observation)))

    async def _describe(self, message: Mapping[str, Any]) -> bytes:
        engine = self._service.engine
        return pack(protocol.encode_description(engine.name, engine.modality))

    async def _infer(self, message: Mapping[str, Any]) -> bytes:
        modality = self._service.modality
        output = await self._service.infer(
            lambda: protocol.decode_request(message, modality), protocol.timeout(message)
        )
        return pack(protocol.encode_output(output))

    async def _end(self, message: Mapping[str, Any]) -> bytes:
        if self._kill is None:
            raise RequestError(
                Code.UNAUTHORISED, "'kill' is off: end the server at its host, or --allow-kill"
            )
        self._kill()
        return pack({'status': 'ok', 'message': 'Server is stopping'})


def refusal(error: RequestError, is_own: bool = False) -> bytes:
    """Return an error as an answer; GR00T's clients read `error`, ours `code` too."""
    answer = {'error': str(error), 'code': str(error.code)}
    return pack({**answer, protocol.MARK: protocol.VERSION} if is_own else answer)


def _read(body: bytes | bytearray, service: InferenceService) -> dict[str, Any]:
    try:
        message = unpack(body)
        if not isinstance(message, dict):
            raise bad_request(f'a request is a map; found {type(message).__name__}')
    except RequestError as error:
        service.statistics.refused('zmq', error.code)
        raise
    return message
