"""Where a model's weights come from: files, or a seed."""

from dataclasses import dataclass
from typing import Protocol

import torch

from chefmate_policy.checkpoint.loading import Progress, check, load_model, shapes, target_dtype
from chefmate_policy.checkpoint.sizes import skeleton
from chefmate_policy.checkpoint.tensors import TensorFiles
from chefmate_policy.model.config import GrootConfig
from chefmate_policy.model.groot import Groot


class Weights(Protocol):
    """Where a model's weights come from."""

    def build(
        self,
        config: GrootConfig,
        *,
        device: torch.device | str,
        dtype: torch.dtype | str | None,
        progress: Progress | None,
    ) -> Groot:
        """Return the model with its weights, for inference.

        Raises:
            CheckpointError: they are not this model's.
        """

    def check(self, config: GrootConfig) -> None:
        """Compare names and shapes with the model's; no weights are read.

        Raises:
            CheckpointError: they differ.
        """


@dataclass(frozen=True)
class FileWeights:
    """Weights in safetensors files."""

    files: TensorFiles
    where: str

    def build(
        self,
        config: GrootConfig,
        *,
        device: torch.device | str,
        dtype: torch.dtype | str | None,
        progress: Progress | None,
    ) -> Groot:
        """Load them; see `load_model`."""
        return load_model(
            config, self.files, self.where, device=device, dtype=dtype, progress=progress
        )

    def check(self, config: GrootConfig) -> None:
        """Compare names and shapes with the model's, from headers alone.

        Raises:
            CheckpointError: they differ.
        """
        check(self.files, shapes(skeleton(config, self.where)), self.where)


@dataclass(frozen=True)
class RandomWeights:
    """Weights that nobody trained, on purpose: the same ones for the same seed."""

    seed: int

    def build(
        self,
        config: GrootConfig,
        *,
        device: torch.device | str,
        dtype: torch.dtype | str | None,
        progress: Progress | None,
    ) -> Groot:
        """Draw them; fp32 unless told otherwise."""
        del progress
        model = Groot.random(config, self.seed).requires_grad_(False)
        return model.to(device=device, dtype=target_dtype(dtype))

    def check(self, config: GrootConfig) -> None:
        """Do nothing: random weights fit every config."""
