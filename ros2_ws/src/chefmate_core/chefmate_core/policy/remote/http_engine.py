"""Engines behind an HTTP port that speak GR00T's protocol: `POST /act`."""

import time
from collections.abc import Mapping
from typing import Any

import urllib3

from chefmate_core.errors import PolicyError
from chefmate_core.policy.engine import (
    EngineTimeoutError,
    EngineUnreachableError,
    ModelInput,
    ModelOutput,
)
from chefmate_core.policy.modality import Modality
from chefmate_core.policy.remote.remote_engine import RemoteEngine, raise_error_of
from chefmate_core.policy.remote.settings import Address, RemoteSettings
from chefmate_core.policy.wire import json_codec, limits, protocol
from chefmate_core.policy.wire.observation import from_action, from_model_input

_CONNECT_S = 2.0
_CHUNK_BYTES = 1 << 16


class HttpEngine(RemoteEngine):
    """A server that speaks GR00T's HTTP protocol: `http://host:port`.

    The protocol carries neither committed rows nor samples nor seed, and servers other than
    ChefMate's do not tell their cameras: option `cameras`.
    """

    def __init__(self, address: Address, settings: RemoteSettings) -> None:
        super().__init__(address, settings)
        self._pool = urllib3.PoolManager(maxsize=1, retries=False)

    def close(self) -> None:
        """Close the connection."""
        self._pool.clear()

    def _describe(self) -> tuple[str, Modality]:
        status, body = self._request('GET', '/modality', None, self.settings.timeout_s)
        if status != 404:
            answer = self._checked(status, body)
            return protocol.decode_description(answer)
        if self.settings.cameras is None:
            raise PolicyError(
                f'{self.address.url} does not say which cameras its model sees. Next: give the '
                f'option cameras, for example cameras=front,wrist'
            )
        modality = Modality(
            self.settings.cameras,
            self.settings.groups,
            self.settings.groups,
            horizon=self.settings.horizon,
        )
        return 'GR00T', modality

    def _infer(self, request: ModelInput, modality: Modality, timeout_s: float) -> ModelOutput:
        self._warn_of(request)
        body = json_codec.dump({'observation': from_model_input(request, modality)})
        answer = self._checked(*self._request('POST', '/act', body, timeout_s))
        return ModelOutput(from_action(answer, modality))

    def _checked(self, status: int, body: bytes) -> Mapping[str, Any]:
        """Return the answer as a map; raise the error that it is."""
        try:
            answer = json_codec.load(body)
            if isinstance(answer, str):  # some servers encode twice
                answer = json_codec.load(answer.encode())
        except PolicyError as error:
            raise PolicyError(
                f'{self.address.url}: expected JSON; found status {status} and '
                f'{body[:60]!r}. Is it a GR00T server?'
            ) from error
        if isinstance(answer, dict):
            raise_error_of(answer, self.address.url)
        if status != 200 or not isinstance(answer, dict):
            raise PolicyError(f'{self.address.url}: status {status}: {str(answer)[:500]}')
        return answer

    def _request(
        self, method: str, path: str, body: bytes | None, timeout_s: float
    ) -> tuple[int, bytes]:
        """Return status and body.

        Raises:
            EngineTimeoutError: the whole answer was not there in time.
            EngineUnreachableError: nobody listens there, or who did has gone.
            PolicyError: it is no HTTP.
        """
        deadline_s = time.monotonic() + timeout_s
        url = self.address.url
        headers = {
            'Content-Type': 'application/json',
            json_codec.TIMEOUT_HEADER: f'{timeout_s:.3f}',
        }
        if self.settings.token is not None:
            headers['Authorization'] = f'Bearer {self.settings.token}'
        try:
            for attempt in (1, 2):
                left_s = deadline_s - time.monotonic()
                if left_s <= 0:
                    break
                try:
                    return self._attempt(
                        method, f'{url}{self.address.path}{path}', body, headers, deadline_s
                    )
                except urllib3.exceptions.ProtocolError:
                    if attempt == 2:  # the first time the server may have closed an idle line
                        raise
        except urllib3.exceptions.ConnectTimeoutError as error:
            raise EngineTimeoutError(
                f'{url}: the host does not answer. Next: check its name, that it is on, and its '
                f'firewall'
            ) from error
        except urllib3.exceptions.NewConnectionError as error:
            raise EngineUnreachableError(
                f'{url}: nobody listens there. Next: start the server on that host (chefmate '
                f'serve MODEL --host ... --token-file ...)'
            ) from error
        except (urllib3.exceptions.TimeoutError, TimeoutError):
            pass
        except urllib3.exceptions.ProtocolError as error:
            if isinstance(error.args[-1], OSError):  # reset: the server ended with our request
                raise EngineUnreachableError(f'{url}: {error}') from error
            raise PolicyError(f'{url}: {error}. Is it an HTTP server?') from error
        except urllib3.exceptions.HTTPError as error:
            raise PolicyError(f'{url}: {error}. Is it an HTTP server?') from error
        raise EngineTimeoutError(f'{url}: no complete answer within {timeout_s:g} s')

    def _attempt(
        self, method: str, url: str, body: bytes | None, headers: dict[str, str], deadline_s: float
    ) -> tuple[int, bytes]:
        left_s = max(0.001, deadline_s - time.monotonic())
        response = self._pool.request(
            method, url, body=body, headers=headers, redirect=False, preload_content=False,
            timeout=urllib3.Timeout(connect=min(left_s, _CONNECT_S), read=left_s),
        )  # fmt: skip
        found = bytearray()
        try:
            while chunk := response.read1(_CHUNK_BYTES):
                found += chunk
                if len(found) > limits.MESSAGE_BYTES:
                    raise PolicyError(f'{self.address.url}: an answer of more than 32 MiB')
                if time.monotonic() > deadline_s:
                    raise TimeoutError
        except BaseException:
            response.close()  # what is left of the answer shall not be the next one's beginning
            raise
        response.release_conn()
        return response.status, bytes(found)
