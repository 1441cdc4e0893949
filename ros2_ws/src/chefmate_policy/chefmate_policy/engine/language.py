"""Qwen3's first layers, packed: q, k, v in one GEMM, gate and up in one, no language head.

One prompt at a time: what depends on its words alone is computed once. L: tokens of the prompt.
"""

from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from chefmate_core.errors import PolicyError
from chefmate_policy.engine.attention import Attend
from chefmate_policy.engine.linear import Packer
from chefmate_policy.model.config import LanguageConfig
from chefmate_policy.model.eagle import EagleModel


@dataclass(frozen=True)
class Prompt:
    """What a prompt's words alone decide."""

    embeds: Tensor  # (1, L, C), anything where images go
    image_index: Tensor  # where the image tokens go
    cos: Tensor  # (L, 1, head_dim)
    sin: Tensor  # (L, 1, head_dim)


class PackedLanguage:
    """Prompt and image tokens -> features."""

    def __init__(self, eagle: EagleModel, pack: Packer, attend: Attend) -> None:
        config = eagle.config.language
        model: Any = eagle.language_model.model
        self._config, self._image_token = config, eagle.config.image_token_index
        self._embeds = pack.tensor(model.embed_tokens.weight)
        self._layers = [_Layer(layer, config, pack, attend) for layer in model.layers]
        self._norm = pack.tensor(model.norm.weight)

    def prompt(self, input_ids: Tensor, images: int, tokens_per_image: int) -> Prompt:
        """Prepare a prompt, input_ids (L,).

        Raises:
            PolicyError: it has room for another number of images.
        """
        ids = input_ids.to(self._embeds.device)
        index = (ids == self._image_token).nonzero().flatten()
        if len(index) != images * tokens_per_image:
            raise PolicyError(
                f'the prompt has room for {len(index)} image tokens ({tokens_per_image} each '
                f'image); found {images} images'
            )
        cos, sin = rotary(len(ids), self._config, self._embeds)
        return Prompt(self.embed(ids), index, cos, sin)

    def embed(self, input_ids: Tensor) -> Tensor:
        """Words as vectors: (L,) -> (1, L, C)."""
        return F.embedding(input_ids, self._embeds)[None]

    def __call__(self, prompt: Prompt, images: Tensor) -> Tensor:
        """(N, P, C) image tokens -> (1, L, C) features, after the final norm."""
        x = prompt.embeds.index_copy(1, prompt.image_index, images.flatten(0, 1)[None])
        for layer in self._layers:
            x = layer(x, prompt)
        return F.rms_norm(x, self._norm.shape, self._norm, self._config.rms_norm_eps)


class _Layer:
    """A pre-norm decoder layer with grouped queries and normalised q and k."""

    def __init__(self, layer: Any, config: LanguageConfig, pack: Packer, attend: Attend) -> None:
        attention, mlp = layer.self_attn, layer.mlp
        self._config, self._attend = config, attend
        self._norm_1 = pack.tensor(layer.input_layernorm.weight)
        self._norm_2 = pack.tensor(layer.post_attention_layernorm.weight)
        self._norm_q = pack.tensor(attention.q_norm.weight)
        self._norm_k = pack.tensor(attention.k_norm.weight)
        self._qkv = pack.fused([attention.q_proj, attention.k_proj, attention.v_proj])
        self._out = pack.fused([attention.o_proj])
        self._gate_up = pack.fused([mlp.gate_proj, mlp.up_proj])
        self._down = pack.fused([mlp.down_proj])

    def __call__(self, x: Tensor, prompt: Prompt) -> Tensor:
        config = self._config
        queries, keys = config.num_attention_heads, config.num_key_value_heads
        qkv = self._qkv(self._norm(x, self._norm_1)).unflatten(-1, (-1, config.head_dim))
        q, k, v = qkv.split([queries, keys, keys], dim=2)
        q = rotate(self._norm(q, self._norm_q), prompt)
        k = rotate(self._norm(k, self._norm_k), prompt)
        x = x + self._out(self._attend(q, k, v, True))
        gate, up = self._gate_up(self._norm(x, self._norm_2)).chunk(2, dim=-1)
        return x + self._down(F.silu(gate) * up)

    def _norm(self, x: Tensor, weight: Tensor) -> Tensor:
        return F.rms_norm(x, weight.shape, weight, self._config.rms_norm_eps)


def rotary(length: int, config: LanguageConfig, like: Tensor) -> tuple[Tensor, Tensor]:
    """Cosines and sines of the rotary positions 0 to length - 1, (length, 1, head_dim) each."""
    exponent = torch.arange(0, config.head_dim, 2, dtype=torch.float32) / config.head_dim
    angles = torch.arange(length, dtype=torch.float32)[:, None] / config.rope_theta**exponent
    angles = torch.cat([angles, angles], dim=-1)[:, None]
    return angles.cos().to(like), angles.sin().to(like)


def rotate(x: Tensor, prompt: Prompt) -> Tensor:
    """Turn heads by their positions: (1, L, H, d) -> (1, L, H, d)."""
    first, second = x.chunk(2, dim=-1)
    return x * prompt.cos + torch.cat([-second, first], dim=-1) * prompt.sin
