"""The whole model: backbone and action head, and ways to build one."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from chefmate_core.errors import PolicyError
from chefmate_policy.model.action_head import FlowMatchingHead
from chefmate_policy.model.config import GrootConfig
from chefmate_policy.model.eagle import EagleBackbone
from chefmate_policy.model.random_weights import random_weight


@dataclass(frozen=True)
class ModelTensors:
    """What the model takes. B: batch, N: images of all prompts, L: tokens of a prompt."""

    pixel_values: Tensor  # (N, 3, H, W), normalised
    input_ids: Tensor  # (B, L)
    attention_mask: Tensor  # (B, L)
    state: Tensor  # (B, 1, max_state_dim), normalised, zero-padded
    slot: Tensor  # (B,), the embodiment's


class Groot(nn.Module):
    """GR00T N1.5. The keys of its state dict are those of published checkpoints."""

    def __init__(self, config: GrootConfig) -> None:
        super().__init__()
        self.config = config
        self.backbone = EagleBackbone(config.eagle)
        self.action_head = FlowMatchingHead(config.head)

    @classmethod
    def on_meta(cls, config: GrootConfig) -> 'Groot':
        """Return a model without weights: `load_state_dict(..., assign=True)` gives it some."""
        with torch.device('meta'):
            model = cls(config).eval()
        _fill_buffers(model)
        return model

    @classmethod
    def random(cls, config: GrootConfig, seed: int) -> 'Groot':
        """Return a model with random weights: the same ones for the same seed and config."""
        model = cls.on_meta(config)
        generator = torch.Generator().manual_seed(seed)
        state = {
            name: random_weight(name, like, generator) for name, like in model.state_dict().items()
        }
        model.load_state_dict(state, assign=True)
        return model.requires_grad_(True)

    def _apply(self, fn: Any, recurse: bool = True) -> 'Groot':
        """Rotary frequencies stay fp32 whatever the weights become: positions need them exact."""
        super()._apply(fn, recurse)
        rotary: Any = self.backbone.eagle_model.language_model.model.rotary_emb
        if rotary.inv_freq.dtype != torch.float32:
            device = rotary.inv_freq.device
            exact = type(rotary)(config=self.backbone.eagle_model.language_model.config)
            self.backbone.eagle_model.language_model.model.rotary_emb = exact.to(device)
        return self

    def features(self, tensors: ModelTensors) -> Tensor:
        """Return the backbone's features, (B, L, C)."""
        return self.backbone(tensors.pixel_values, tensors.input_ids, tensors.attention_mask)

    def get_action(
        self, tensors: ModelTensors, noise: Tensor, committed: Tensor | None = None
    ) -> Tensor:
        """Return a chunk of normalised actions, (B, T, action_dim), from noise of that shape."""
        features = self.features(tensors)
        return self.action_head.sample(features, tensors.state, tensors.slot, noise, committed)

    def loss(
        self,
        tensors: ModelTensors,
        actions: Tensor,
        action_mask: Tensor,
        noise: Tensor | None = None,
        time: Tensor | None = None,
    ) -> Tensor:
        """Return the training loss; see `FlowMatchingHead.loss`."""
        return self.action_head.loss(
            self.features(tensors), tensors.state, actions, action_mask, tensors.slot, noise, time
        )

    def noise(self, count: int, generator: torch.Generator | None = None) -> Tensor:
        """Draw noise to start from, (count, T, action_dim), fp32, on the generator's device."""
        head = self.config.head
        device = generator.device if generator else torch.device('cpu')
        return torch.randn(
            (count, head.action_horizon, head.action_dim), generator=generator, device=device
        )


def _fill_buffers(model: Groot) -> None:
    """Give values to what is computed, not loaded: positions of patches, rotary frequencies."""
    embeddings = model.backbone.eagle_model.vision_model.vision_model.embeddings
    embeddings.position_ids = torch.arange(embeddings.num_positions)[None]
    language = model.backbone.eagle_model.language_model
    language.model.rotary_emb = type(language.model.rotary_emb)(config=language.config)
    empty = [name for name, buffer in model.named_buffers() if buffer.is_meta]
    if empty:
        raise PolicyError(f'this release of transformers has buffers unknown here: {empty}')
