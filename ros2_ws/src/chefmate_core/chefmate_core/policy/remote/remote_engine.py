"""What the engines on other hosts have in common."""

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from chefmate_core.errors import PolicyError
from chefmate_core.policy.engine import (
    EngineBusyError,
    EngineTimeoutError,
    ModelInput,
    ModelOutput,
)
from chefmate_core.policy.modality import Modality
from chefmate_core.policy.remote.settings import Address, RemoteSettings
from chefmate_core.policy.wire.errors import Code, RequestError

_LOG = logging.getLogger(__name__)


class RemoteEngine(ABC):
    """An `Engine` whose model runs elsewhere; it is asked once what its model sees."""

    def __init__(self, address: Address, settings: RemoteSettings) -> None:
        self.address, self.settings = address, settings
        self._modality: Modality | None = None
        self._model = ''
        self._has_warned = False

    @property
    def name(self) -> str:
        """For people: model and where it runs."""
        return f'{self._model or "model"} at {self.address.url}'

    @property
    def modality(self) -> Modality:
        """What it sees and says; asks the server when it is not known yet.

        Raises:
            PolicyError: the server does not say.
        """
        if self._modality is None:
            self._model, self._modality = self._say_which(self._describe)
        return self._modality

    def warm_up(self) -> None:
        """Connect, and learn what the model sees."""
        _ = self.modality

    def infer(self, request: ModelInput) -> ModelOutput:
        """Return the next chunk; `timings_s` has the whole way as `round_trip`.

        Raises:
            EngineBusyError, EngineTimeoutError: ask again.
            PolicyError: the server refused; the message is its own.
        """
        modality = self.modality
        begun_s = time.monotonic()
        limit_s = request.timeout_s or self.settings.timeout_s
        output = self._say_which(lambda: self._infer(request, modality, limit_s))
        timings_s = {**output.timings_s, 'round_trip': time.monotonic() - begun_s}
        return ModelOutput(output.action, timings_s, output.spread)

    @abstractmethod
    def close(self) -> None:
        """Release what the engine holds."""

    @abstractmethod
    def _describe(self) -> tuple[str, Modality]:
        """Return the model's name and modality."""

    @abstractmethod
    def _infer(self, request: ModelInput, modality: Modality, timeout_s: float) -> ModelOutput:
        """Ask for one action."""

    def _say_which(self, ask):
        """Call `ask`; errors of the wire say where they come from."""
        try:
            return ask()
        except RequestError as error:
            raise PolicyError(f'{self.address.url}: {error}') from error

    def _warn_of(self, request: ModelInput) -> None:
        """Say once what GR00T's protocols cannot carry."""
        if not self._has_warned and (request.samples not in (None, 1) or request.seed is not None):
            self._has_warned = True
            _LOG.warning(
                '%s: the protocol knows neither samples nor seed; chefmate:// does',
                self.address.url,
            )


def raise_error_of(answer: Mapping[str, Any], url: str) -> None:
    """Raise the error that a server answered, if it did.

    Raises:
        EngineBusyError, EngineTimeoutError, PolicyError: by the code, where the server gave one.
    """
    if 'error' not in answer:
        return
    text, code = str(answer['error'])[:2000], answer.get('code')
    advice = ''
    if code == Code.UNAUTHORISED or text.startswith('Unauthorized'):
        advice = '. Next: give token_file, or set CHEFMATE_TOKEN_FILE'
    kind: type[PolicyError] = PolicyError
    if code == Code.BUSY:
        kind = EngineBusyError
    elif code == Code.TIMEOUT:
        kind = EngineTimeoutError
    raise kind(f'{url} answered: {text}{advice}')
