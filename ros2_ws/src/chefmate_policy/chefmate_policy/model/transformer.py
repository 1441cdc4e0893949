"""Attention blocks of the action head: the DiT and the self-attention over VL features.

Names of parameters are those of published checkpoints. T: queries, S: keys, D: width of the stack.
Published code masks nothing here, neither in the VL self-attention nor in the DiT's
cross-attention: padding is attended to, and trained that way.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from chefmate_policy.model.config import DitConfig, TransformerConfig

TIME_CHANNELS = 256
OUT_NORM_EPS = 1e-6


class Attention(nn.Module):
    """Multi-head attention; keys and values come from `context` where there is one."""

    def __init__(self, config: TransformerConfig, context_size: int | None = None) -> None:
        super().__init__()
        width = config.inner_size
        self.heads = config.num_attention_heads
        self.to_q = nn.Linear(width, width)
        self.to_k = nn.Linear(context_size or width, width)
        self.to_v = nn.Linear(context_size or width, width)
        self.to_out = nn.ModuleList([nn.Linear(width, width), nn.Dropout(config.dropout)])

    def forward(self, x: Tensor, context: Tensor | None = None) -> Tensor:
        """(B, T, D), (B, S, C) -> (B, T, D)."""
        source = x if context is None else context
        out = attend(
            self.split(self.to_q(x)), self.split(self.to_k(source)), self.split(self.to_v(source))
        )
        for layer in self.to_out:
            out = layer(out)
        return out

    def split(self, x: Tensor) -> Tensor:
        """(B, T, D) -> (B, heads, T, D / heads)."""
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)


def attend(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Scaled dot-product attention without a mask: (B, H, T, d) -> (B, T, H * d)."""
    return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)


class FeedForward(nn.Module):
    """Linear, GELU (tanh), linear; four times as wide inside."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        width, dropout = config.inner_size, config.dropout
        layers = [GeluLinear(width, 4 * width), nn.Dropout(dropout), nn.Linear(4 * width, width)]
        if config.final_dropout:
            layers.append(nn.Dropout(dropout))
        self.net = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, D) -> (B, T, D)."""
        return self.net(x)


class GeluLinear(nn.Module):
    """A linear layer and its GELU, one module in published checkpoints."""

    def __init__(self, width_in: int, width_out: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width_in, width_out)

    def forward(self, x: Tensor) -> Tensor:
        """(..., width_in) -> (..., width_out)."""
        return F.gelu(self.proj(x), approximate='tanh')


class SelfAttentionBlock(nn.Module):
    """A pre-norm block over VL features."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(config.inner_size)
        self.attn1 = Attention(config)
        self.norm3 = nn.LayerNorm(config.inner_size)
        self.ff = FeedForward(config)
        self.final_dropout = nn.Dropout(config.dropout if config.final_dropout else 0.0)

    def forward(self, x: Tensor) -> Tensor:
        """(B, S, D) -> (B, S, D)."""
        x = x + self.final_dropout(self.attn1(self.norm1(x)))
        return x + self.ff(self.norm3(x))


class SelfAttentionTransformer(nn.Module):
    """The stack over VL features, before the DiT looks at them."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.transformer_blocks = nn.ModuleList(
            [SelfAttentionBlock(config) for _ in range(config.num_layers)]
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, S, D) -> (B, S, D)."""
        for block in self.transformer_blocks:
            x = block(x)
        return x


class AdaLayerNorm(nn.Module):
    """A layer norm whose scale and shift come from the time embedding, in this order."""

    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.linear = nn.Linear(width, 2 * width)
        self.norm = nn.LayerNorm(width, eps, elementwise_affine=False)

    def forward(self, x: Tensor, time_embedding: Tensor) -> Tensor:
        """(B, T, D), (B, D) -> (B, T, D)."""
        scale, shift = self.linear(F.silu(time_embedding)).chunk(2, dim=1)
        return self.norm(x) * (1 + scale[:, None]) + shift[:, None]


class DitBlock(nn.Module):
    """AdaLN, attention (to VL features, or to itself), norm, feed-forward."""

    def __init__(self, config: DitConfig, is_cross: bool) -> None:
        super().__init__()
        self.is_cross = is_cross
        # Published code leaves AdaLN's eps at its default, whatever norm_eps says.
        self.norm1 = AdaLayerNorm(config.inner_size, eps=1e-5)
        self.attn1 = Attention(config, config.cross_attention_dim if is_cross else None)
        self.norm3 = nn.LayerNorm(config.inner_size, config.norm_eps, elementwise_affine=False)
        self.ff = FeedForward(config)
        self.final_dropout = nn.Dropout(config.dropout if config.final_dropout else 0.0)

    def forward(self, x: Tensor, context: Tensor, time_embedding: Tensor) -> Tensor:
        """(B, T, D), (B, S, C), (B, D) -> (B, T, D)."""
        attended = self.attn1(self.norm1(x, time_embedding), context if self.is_cross else None)
        x = x + self.final_dropout(attended)
        return x + self.ff(self.norm3(x))


class TimestepEmbedding(nn.Module):
    """256 -> D -> D with SiLU."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.linear_1 = nn.Linear(TIME_CHANNELS, width)
        self.linear_2 = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(B, 256) -> (B, D)."""
        return self.linear_2(F.silu(self.linear_1(x)))


class TimestepEncoder(nn.Module):
    """Time bucket -> embedding, (B,) -> (B, D)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.timestep_embedder = TimestepEmbedding(width)

    def forward(self, buckets: Tensor) -> Tensor:
        """(B,) integers -> (B, D)."""
        dtype = self.timestep_embedder.linear_1.weight.dtype
        return self.timestep_embedder(timestep_sinusoid(buckets).to(dtype))


def timestep_sinusoid(buckets: Tensor, channels: int = TIME_CHANNELS) -> Tensor:
    """(B,) -> (B, channels) in fp32: cosines first, frequencies from 1 down to 1/10000."""
    half = channels // 2
    exponent = torch.arange(half, dtype=torch.float32, device=buckets.device) / (half - 1)
    angles = buckets[:, None].float() * torch.exp(-math.log(10000.0) * exponent)
    return torch.cat([angles.cos(), angles.sin()], dim=-1)


class Dit(nn.Module):
    """The diffusion transformer: even blocks look at the VL features, odd ones at themselves."""

    def __init__(self, config: DitConfig) -> None:
        super().__init__()
        width = config.inner_size
        self.timestep_encoder = TimestepEncoder(width)
        self.transformer_blocks = nn.ModuleList(
            [
                DitBlock(config, is_cross=not (config.interleave_self_attention and index % 2))
                for index in range(config.num_layers)
            ]
        )
        self.norm_out = nn.LayerNorm(width, OUT_NORM_EPS, elementwise_affine=False)
        self.proj_out_1 = nn.Linear(width, 2 * width)
        self.proj_out_2 = nn.Linear(width, config.output_dim)

    def forward(self, x: Tensor, context: Tensor, buckets: Tensor) -> Tensor:
        """(B, T, D), (B, S, C), (B,) -> (B, T, output_dim)."""
        time_embedding = self.timestep_encoder(buckets)
        for block in self.transformer_blocks:
            x = block(x, context, time_embedding)
        # Shift comes first here, unlike in AdaLayerNorm.
        shift, scale = self.proj_out_1(F.silu(time_embedding)).chunk(2, dim=1)
        x = self.norm_out(x) * (1 + scale[:, None]) + shift[:, None]
        return self.proj_out_2(x)
