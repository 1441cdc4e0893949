"""SigLIP and the connector, packed: one GEMM for q, k and v, patches as a matrix product.

N: images, P: patches of an image.
"""

from dataclasses import dataclass
from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn

from chefmate_policy.engine.attention import Attend
from chefmate_policy.engine.linear import Linear, Packer
from chefmate_policy.model.eagle import EagleModel, pixel_shuffle


@dataclass(frozen=True)
class Norm:
    """A layer norm with its own gain and offset."""

    weight: Tensor
    bias: Tensor
    eps: float

    def __call__(self, x: Tensor) -> Tensor:
        """(..., D) -> (..., D)."""
        return F.layer_norm(x, self.weight.shape, self.weight, self.bias, self.eps)


def packed_norm(norm: Any, pack: Packer) -> Norm:
    """A layer norm on the device."""
    return Norm(pack.tensor(norm.weight), pack.tensor(norm.bias), norm.eps)


class PackedVision:
    """Pixel values -> image tokens in the language model's width."""

    def __init__(self, eagle: EagleModel, pack: Packer, attend: Attend) -> None:
        tower: Any = eagle.vision_model.vision_model
        self._config = eagle.config
        patch, position = tower.embeddings.patch_embedding, tower.embeddings.position_embedding
        self._patch_size = eagle.config.vision.patch_size
        self._patches = pack.linear(patch.weight.flatten(1))
        # The convolution's bias is the same for every patch: it goes with the positions.
        self._positions = pack.tensor(position.weight.float() + patch.bias.float())
        heads = eagle.config.vision.num_attention_heads
        self._layers = [_Layer(layer, heads, pack, attend) for layer in tower.encoder.layers]
        self._norm = packed_norm(tower.post_layernorm, pack)
        self._connector = _connector(eagle.mlp1, pack)

    def __call__(self, pixel_values: Tensor) -> Tensor:
        """(N, 3, S, S) -> (N, image tokens, C)."""
        x = self._patches(self._unfold(pixel_values)) + self._positions
        for layer in self._layers:
            x = layer(x)
        x = self._norm(x)
        if self._config.use_pixel_shuffle:
            x = pixel_shuffle(x, self._config.downsample_ratio)
        for part in self._connector:
            x = part(x)
        return x

    def _unfold(self, pixel_values: Tensor) -> Tensor:
        """(N, 3, S, S) -> (N, P, 3 * patch * patch), in the order of a convolution's weight."""
        size = self._patch_size
        x = pixel_values.unflatten(3, (-1, size)).unflatten(2, (-1, size))  # N 3 rows y columns x
        return x.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)


class _Layer:
    """A pre-norm encoder layer."""

    def __init__(self, layer: Any, heads: int, pack: Packer, attend: Attend) -> None:
        attention, mlp = layer.self_attn, layer.mlp
        self._heads, self._attend = heads, attend
        self._norm_1 = packed_norm(layer.layer_norm1, pack)
        self._norm_2 = packed_norm(layer.layer_norm2, pack)
        self._qkv = pack.fused([attention.q_proj, attention.k_proj, attention.v_proj])
        self._out = pack.fused([attention.out_proj])
        self._fc1, self._fc2 = pack.fused([mlp.fc1]), pack.fused([mlp.fc2])

    def __call__(self, x: Tensor) -> Tensor:
        qkv = self._qkv(self._norm_1(x)).unflatten(-1, (3, self._heads, -1))
        q, k, v = qkv.unbind(2)
        x = x + self._out(self._attend(q, k, v, False))
        return x + self._fc2(F.gelu(self._fc1(self._norm_2(x)), approximate='tanh'))


def _connector(mlp: nn.Sequential, pack: Packer) -> list:
    """Layers of the connector, packed."""
    parts: list[Linear | Norm | nn.Module] = []
    for layer in mlp:
        if isinstance(layer, nn.Linear):
            parts.append(pack.fused([layer]))
        elif isinstance(layer, nn.LayerNorm):
            parts.append(packed_norm(layer, pack))
        else:
            parts.append(layer)  # GELU
    return parts
