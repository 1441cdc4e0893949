"""Engines behind a ZeroMQ port: GR00T's protocol, and ChefMate's own."""

from collections.abc import Mapping
from typing import Any

from chefmate_core.errors import PolicyError
from chefmate_core.policy.engine import ModelInput, ModelOutput
from chefmate_core.policy.modality import Modality
from chefmate_core.policy.remote.groot_modality import modality_from
from chefmate_core.policy.remote.remote_engine import RemoteEngine, raise_error_of
from chefmate_core.policy.remote.settings import Address, RemoteSettings
from chefmate_core.policy.remote.zmq_requester import ZmqRequester
from chefmate_core.policy.wire import protocol
from chefmate_core.policy.wire.msgpack_codec import pack, unpack
from chefmate_core.policy.wire.observation import from_action, from_model_input


class _OverZmq(RemoteEngine):
    """Sends maps and takes maps."""

    def __init__(self, address: Address, settings: RemoteSettings) -> None:
        super().__init__(address, settings)
        self._requester = ZmqRequester(address)

    def close(self) -> None:
        """Close the connection."""
        self._requester.close()

    def _ask(self, message: Mapping[str, Any], timeout_s: float) -> dict[str, Any]:
        if self.settings.token is not None:
            message = {**message, 'api_token': self.settings.token}
        answer = unpack(self._requester.ask(pack(message), timeout_s))
        if not isinstance(answer, dict):
            raise PolicyError(
                f'{self.address.url}: expected a map; found {type(answer).__name__}. Is it a '
                f'server of GR00T N1.5?'
            )
        raise_error_of(answer, self.address.url)
        return answer


class ZmqEngine(_OverZmq):
    """A server that speaks GR00T's ZeroMQ protocol: `zmq://host:port`.

    The protocol carries neither committed rows nor samples nor seed.
    """

    def _describe(self) -> tuple[str, Modality]:
        answer = self._ask({'endpoint': 'get_modality_config'}, self.settings.timeout_s)
        return 'GR00T', modality_from(answer, self.settings)

    def _infer(self, request: ModelInput, modality: Modality, timeout_s: float) -> ModelOutput:
        self._warn_of(request)
        observation = from_model_input(request, modality)
        answer = self._ask({'endpoint': 'get_action', 'data': observation}, timeout_s)
        return ModelOutput(from_action(answer, modality))


class ChefmateEngine(_OverZmq):
    """A ChefMate server: `chefmate://host:port`, the server's ZeroMQ port."""

    def _describe(self) -> tuple[str, Modality]:
        message = {protocol.MARK: protocol.VERSION, 'endpoint': 'describe'}
        return protocol.decode_description(self._ask(message, self.settings.timeout_s))

    def _infer(self, request: ModelInput, modality: Modality, timeout_s: float) -> ModelOutput:
        from_model_input(request, modality)  # says what does not fit
        message = protocol.encode_request(request, modality, self.settings.jpeg_quality)
        answer = self._ask({**message, 'timeout_s': timeout_s}, timeout_s)
        return protocol.decode_output(answer, modality)
