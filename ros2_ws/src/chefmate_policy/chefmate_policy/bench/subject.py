"""What is measured: a model with its processing, and one observation for it."""

from dataclasses import dataclass
from itertools import groupby

import numpy as np
import torch
from torch import Tensor

from chefmate_core.policy.engine import ModelInput
from chefmate_core.policy.modality import SO101_GROUPS, Modality
from chefmate_policy.bench.config import PolicyBench
from chefmate_policy.engine.groot_engine import EXPECTED_FRAME, EXPECTED_INSTRUCTION
from chefmate_policy.engine.options import EngineOptions
from chefmate_policy.model.config import GrootConfig
from chefmate_policy.model.groot import Groot
from chefmate_policy.model.random_weights import random_weight
from chefmate_policy.models import find_model
from chefmate_policy.processing.processor import Processor
from chefmate_policy.processing.profile import ISAAC
from chefmate_policy.processing.statistics import DatasetStatistics, Statistics
from chefmate_policy.processing.tokens import ByteTokenizer

CAMERAS = 2
SLOT = 31  # new_embodiment
BYTES = 256  # ids below are bytes of text
BYTES_PER_TOKEN = 4  # of English, by Qwen's tokenizer
RANGE = 100.0  # of each joint


@dataclass(frozen=True)
class Subject:
    """A model on its device, and what stands around it."""

    name: str
    model: Groot
    processor: Processor
    slot: int
    device: torch.device
    dtype: torch.dtype

    @property
    def chunk_shape(self) -> tuple[int, int]:
        """Rows and columns of the model's action."""
        return self.model.config.head.action_horizon, self.model.config.head.action_dim

    def request(self, seed: int) -> ModelInput:
        """Return frames and a state as a robot has them."""
        numbers = np.random.default_rng(seed)
        return ModelInput(
            images={
                name: numbers.integers(0, 256, EXPECTED_FRAME, np.uint8)
                for name in self.processor.cameras
            },
            state=np.zeros(self.processor.modality.state_size),
            instruction=EXPECTED_INSTRUCTION,
        )


def make_subject(bench: PolicyBench, options: EngineOptions) -> Subject:
    """Build or load the model on the device of `options`.

    Raises:
        ConfigurationError: the model is not there, or damaged.
    """
    device, dtype = options.torch_device, options.torch_dtype
    if bench.model is not None:
        checkpoint = find_model(bench.model).open()
        model = checkpoint.load(device=device, dtype=dtype)
        slot = checkpoint.embodiment.slot
        return Subject(
            bench.model, model, checkpoint.processor(options.profile), slot, device, dtype
        )
    preset = preset_on(bench, device)
    config = GrootConfig.preset(preset)
    processor = random_processor(config, CAMERAS if bench.cameras is None else bench.cameras)
    model = random_model(config, bench.seed, device, dtype)
    return Subject(f'{preset}, random weights', model, processor, SLOT, device, dtype)


def preset_on(bench: PolicyBench, device: torch.device) -> str:
    """Return the preset that was asked for, or the one that the device is fit for."""
    return bench.preset or ('n1.5-3b' if device.type == 'cuda' else 'tiny')


def random_model(
    config: GrootConfig, seed: int, device: torch.device, dtype: torch.dtype
) -> Groot:
    """Return a model whose random weights are made where and as they will be used."""
    model = Groot.on_meta(config)
    generator = torch.Generator(device).manual_seed(seed)

    state = {
        name: random_weight(name, like, generator, dtype)
        for name, like in model.state_dict().items()
    }
    return with_weights(model, state, device)


def twin(model: Groot, device: torch.device) -> Groot:
    """Return another model of the same weights: the tensors are shared, not copied."""
    return with_weights(Groot.on_meta(model.config), model.state_dict(), device)


def with_weights(model: Groot, state: dict[str, Tensor], device: torch.device) -> Groot:
    """Give a model from `Groot.on_meta` its weights, and put its buffers beside them."""
    model.load_state_dict(state, assign=True)
    return model.to(device).requires_grad_(False)


def random_processor(config: GrootConfig, cameras: int) -> Processor:
    """Return what encodes and decodes for an SO-101 with that many cameras."""
    table = {
        group.name: Statistics(
            group.name,
            {
                name: np.full(group.stop - group.start, limit)
                for name, limit in (('min', -RANGE), ('max', RANGE))
            },
        )
        for group in SO101_GROUPS
    }
    return Processor(
        profile=ISAAC,
        modality=Modality(
            tuple(f'camera_{number + 1}' for number in range(cameras)),
            horizon=config.head.action_horizon,
        ),
        statistics=DatasetStatistics(table, table),
        tokenizer=CoarseTokenizer(
            config.eagle.image_token_index, config.eagle.language.vocab_size
        ),
        config=config,
        slot=SLOT,
    )


class CoarseTokenizer(ByteTokenizer):
    """About as many tokens as the checkpoint's tokenizer makes: one for every four bytes of text.

    Which ones is of no consequence to random weights; how many is, to the time they take.
    """

    def encode(self, text: str) -> list[int]:
        """Return the ids of a text; special tokens in it are one id each."""
        ids: list[int] = []
        for is_text, run in groupby(super().encode(text), key=lambda index: index < BYTES):
            ids += list(run)[:: BYTES_PER_TOKEN if is_text else 1]
        return ids
