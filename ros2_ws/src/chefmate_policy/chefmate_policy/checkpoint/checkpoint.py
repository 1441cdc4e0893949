"""A checkpoint: everything that a trained model is, whatever layout its files have."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from chefmate_core.policy.modality import Modality
from chefmate_policy.checkpoint.embodiment import Embodiment
from chefmate_policy.checkpoint.errors import CheckpointError
from chefmate_policy.checkpoint.grouping import by_vector
from chefmate_policy.checkpoint.loading import Progress
from chefmate_policy.checkpoint.weights import Weights
from chefmate_policy.model.config import GrootConfig
from chefmate_policy.model.groot import Groot
from chefmate_policy.processing.processor import Processor
from chefmate_policy.processing.profile import find_profile
from chefmate_policy.processing.statistics import WHOLE, DatasetStatistics
from chefmate_policy.processing.tokens import ByteTokenizer, Tokenizer, find_tokenizer

# What this project adds to config.json, and published readers leave alone.
BYTE_TOKENS = ('tokenizer', 'bytes')  # the weights never saw text
PROFILE = 'processing_profile'  # where it is not that of the files' layout


@dataclass(frozen=True)
class Checkpoint:
    """A model for one embodiment. `load` gives it weights; nothing else here needs them."""

    config: GrootConfig
    modality: Modality
    statistics: DatasetStatistics  # of the embodiment
    embodiment: Embodiment
    profile: str  # how its inputs were made: a name of chefmate_policy.processing.profile
    weights: Weights
    origin: str  # path or hub id, for people
    revision: str | None = None
    tokenizer_folders: tuple[Path, ...] = ()  # where to look for one, in this order
    byte_tokens: bool = False  # the model has no tokenizer: bytes are its tokens
    notes: tuple[str, ...] = ()  # what was decided without being asked, for the log

    def load(
        self,
        device: torch.device | str = 'cpu',
        dtype: torch.dtype | str | None = None,
        progress: Progress | None = None,
    ) -> Groot:
        """Return the model, for inference.

        Args:
            device: where the weights go.
            dtype: of the weights; None: as stored.
            progress: called with bytes done and bytes of all.

        Raises:
            CheckpointError: the files do not fit the model; every difference is listed.
        """
        return self.weights.build(self.config, device=device, dtype=dtype, progress=progress)

    def processor(self, profile: str | None = None) -> Processor:
        """Return what encodes observations and decodes actions for it, on the host.

        Args:
            profile: how its inputs are made; None: as the checkpoint's were.

        Raises:
            ConfigurationError: it has no tokenizer, or its parts do not fit one another.
        """
        eagle = self.config.eagle
        tokenizer: Tokenizer = (
            ByteTokenizer(eagle.image_token_index, eagle.language.vocab_size)
            if self.byte_tokens
            else find_tokenizer(self.tokenizer_folders)
        )
        return Processor(
            profile=replace(
                find_profile(profile or self.profile), image_size=eagle.vision.image_size
            ),
            modality=self.modality,
            statistics=self.statistics,
            tokenizer=tokenizer,
            config=self.config,
            slot=self.embodiment.slot,
        )

    def with_cameras(self, cameras: Sequence[str] | None) -> 'Checkpoint':
        """Return it with other cameras, or in another order: the files do not tell the order.

        Raises:
            CheckpointError: a camera is not among those that the model was trained with.
        """
        if cameras is None:
            return self
        unknown = [name for name in cameras if name not in self.modality.cameras]
        if unknown or not cameras or len(set(cameras)) != len(cameras):
            raise CheckpointError(
                f'{self.origin}: cameras: expected some of {", ".join(self.modality.cameras)}, '
                f'each once; found {", ".join(cameras) or "none"}'
            )
        return replace(self, modality=replace(self.modality, cameras=tuple(cameras)))

    def range_of(self, part: str) -> tuple[np.ndarray, np.ndarray]:
        """Return min and max of the state's or the action's vector, the data set's units.

        Args:
            part: 'state' or 'action'.
        """
        vectors = by_vector(self.statistics, self.modality)
        values = vectors.of(part, WHOLE).values
        return values['min'], values['max']
