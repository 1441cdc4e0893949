"""The engine protocol: one object, `observation -> chunk + timings`, in the data set's units.

An engine runs a vision-language-action model, here or on another host. `EnginePolicy` puts it
behind the policy protocol: only there its numbers become radians.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

import numpy as np

from chefmate_core.errors import PolicyError
from chefmate_core.policy.modality import Modality


@dataclass(frozen=True)
class ModelInput:
    """What a model sees at one instant. D: length of its state's vector."""

    images: Mapping[str, np.ndarray]  # camera -> uint8 rgb (H, W, 3)
    state: np.ndarray  # (D,), the data set's units
    instruction: str
    # Rows of the action that will be played whatever the answer, from the observation's instant
    # on: the answer begins with them. (K, A), the data set's units.
    committed: np.ndarray | None = None
    samples: int | None = None  # noise samples of which the best is taken; None: the engine's
    seed: int | None = None  # of the noise; None: fresh noise
    timeout_s: float | None = None  # how long the caller will wait for the answer


@dataclass(frozen=True)
class ModelOutput:
    """What a model says. A: length of one row of the action."""

    action: np.ndarray  # (T, A), the data set's units
    timings_s: Mapping[str, float] = field(default_factory=dict)
    # Standard deviation over the samples, mean of all elements in normalised units; 0 for one.
    spread: float = 0.0


class EngineRequestError(PolicyError):
    """The request does not fit the model: the same one never will."""


class EngineBusyError(PolicyError):
    """The engine has as many requests as it takes; ask again later."""


class EngineTimeoutError(PolicyError):
    """There was no answer within the time that the caller would wait."""


class EngineUnreachableError(PolicyError):
    """Nobody listens where the engine should be: it may be starting again."""


@runtime_checkable
class Engine(Protocol):
    """Runs a model. One thread calls `infer` at a time."""

    @property
    def name(self) -> str:
        """For people: model and where it runs."""

    @property
    def modality(self) -> Modality:
        """What it sees and says."""

    def warm_up(self) -> None:
        """Do everything that only the first inference would need."""

    def infer(self, request: ModelInput) -> ModelOutput:
        """Return the next chunk.

        Raises:
            EngineRequestError: the request does not fit the model.
            PolicyError: there is no answer.
        """

    def close(self) -> None:
        """Release what the engine holds."""
