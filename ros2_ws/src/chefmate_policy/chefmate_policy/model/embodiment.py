"""Layers that every embodiment has its own weights for: what enters and leaves the DiT.

A checkpoint holds `max_num_embodiments` slots; a robot uses one of them. B: batch, T: rows.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class CategorySpecificLinear(nn.Module):
    """A linear layer for each embodiment: `W` (slots, in, out), `b` (slots, out)."""

    def __init__(self, slots: int, width_in: int, width_out: int) -> None:
        super().__init__()
        self.W = nn.Parameter(0.02 * torch.randn(slots, width_in, width_out))
        self.b = nn.Parameter(torch.zeros(slots, width_out))

    def forward(self, x: Tensor, slot: Tensor) -> Tensor:
        """(B, T, in), (B,) -> (B, T, out)."""
        return torch.baddbmm(self.b[slot][:, None], x, self.W[slot])


class CategorySpecificMLP(nn.Module):
    """Linear, ReLU, linear: the state's encoder and the action's decoder."""

    def __init__(self, slots: int, width_in: int, width_hidden: int, width_out: int) -> None:
        super().__init__()
        self.layer1 = CategorySpecificLinear(slots, width_in, width_hidden)
        self.layer2 = CategorySpecificLinear(slots, width_hidden, width_out)

    def forward(self, x: Tensor, slot: Tensor) -> Tensor:
        """(B, T, in), (B,) -> (B, T, out)."""
        return self.layer2(F.relu(self.layer1(x, slot)), slot)


class ActionEncoder(nn.Module):
    """Noised actions and their time -> tokens of the DiT."""

    def __init__(self, slots: int, action_dim: int, width: int) -> None:
        super().__init__()
        self.W1 = CategorySpecificLinear(slots, action_dim, width)
        self.W2 = CategorySpecificLinear(slots, 2 * width, width)
        self.W3 = CategorySpecificLinear(slots, width, width)

    def forward(self, actions: Tensor, buckets: Tensor, slot: Tensor) -> Tensor:
        """(B, T, action_dim), (B,) time buckets, (B,) -> (B, T, width)."""
        x = self.W1(actions, slot)
        time = action_sinusoid(buckets, x.shape[-1]).to(x.dtype)[:, None].expand_as(x)
        x = F.silu(self.W2(torch.cat([x, time], dim=-1), slot))
        return self.W3(x, slot)


def action_sinusoid(buckets: Tensor, channels: int) -> Tensor:
    """(B,) -> (B, channels) in fp32: sines first, frequencies from 1 towards 1/10000.

    Not the DiT's sinusoid: order and spacing differ.
    """
    half = channels // 2
    exponent = torch.arange(half, dtype=torch.float32, device=buckets.device) / half
    angles = buckets[:, None].float() * torch.exp(-math.log(10000.0) * exponent)
    return torch.cat([angles.sin(), angles.cos()], dim=-1)
