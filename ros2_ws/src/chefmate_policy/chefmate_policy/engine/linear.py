"""Linear layers packed for inference: fused where they share an input, optionally in fp8.

Layers that follow each other without anything between them are multiplied into one beforehand, in
fp32: that is exact, and rounds less often than the two would.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

FP8 = torch.float8_e4m3fn
FP8_MAX = torch.finfo(FP8).max
# cuBLAS multiplies fp8 matrices only where both inner sizes are multiples of this.
FP8_MULTIPLE = 16


class Linear(Protocol):
    """(..., in) -> (..., out)."""

    def __call__(self, x: Tensor) -> Tensor:
        """Apply it."""


@dataclass(frozen=True)
class DenseLinear:
    """A plain one. weight (out, in), bias (out,)."""

    weight: Tensor
    bias: Tensor | None

    def __call__(self, x: Tensor) -> Tensor:
        """(..., in) -> (..., out)."""
        return F.linear(x, self.weight, self.bias)


@dataclass(frozen=True)
class Fp8Linear:
    """Weights in fp8 with a scale for each row; inputs are quantised row by row as they come."""

    weight: Tensor  # (out, in), fp8
    scale: Tensor  # (1, out), fp32
    bias: Tensor | None

    def __call__(self, x: Tensor) -> Tensor:
        """(..., in) -> (..., out), of the input's type."""
        rows, scale = to_fp8_rows(x.reshape(-1, x.shape[-1]))
        out = torch._scaled_mm(
            rows, self.weight.t(), scale_a=scale, scale_b=self.scale, out_dtype=torch.bfloat16
        )
        out = out if self.bias is None else out + self.bias
        return out.to(x.dtype).unflatten(0, x.shape[:-1])


def to_fp8_rows(x: Tensor) -> tuple[Tensor, Tensor]:
    """(rows, size) -> fp8 of the same shape, and the scale of each row, (rows, 1) fp32."""
    scale = x.abs().amax(dim=-1, keepdim=True).float().clamp(min=1e-12) / FP8_MAX
    return (x.float() / scale).clamp(-FP8_MAX, FP8_MAX).to(FP8), scale


@dataclass(frozen=True)
class Packer:
    """Puts weights on the device in the engine's type."""

    device: torch.device
    dtype: torch.dtype
    fp8: bool = False

    def tensor(self, x: Tensor) -> Tensor:
        """A constant or a weight."""
        return x.detach().to(self.device, self.dtype).contiguous()

    def linear(self, weight: Tensor, bias: Tensor | None = None) -> Linear:
        """A layer of weight (out, in) and bias (out,), never in fp8: small, or near an end."""
        return DenseLinear(self.tensor(weight), None if bias is None else self.tensor(bias))

    def fused(self, layers: Sequence[Any]) -> Linear:
        """Several layers of one input as one: its output is theirs, one after the other."""
        weight = torch.cat([layer.weight.detach() for layer in layers])
        biases = [layer.bias.detach() for layer in layers if layer.bias is not None]
        bias = torch.cat(biases) if biases else None
        if not self.fp8 or any(size % FP8_MULTIPLE for size in weight.shape):
            return self.linear(weight, bias)
        rows, scale = to_fp8_rows(weight.to(self.device))
        return Fp8Linear(rows, scale.t().contiguous(), None if bias is None else self.tensor(bias))


def chained(first: tuple[Tensor, Tensor], second: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """One layer that does what two do one after the other: (weight (out, in), bias), fp32."""
    (weight_1, bias_1), (weight_2, bias_2) = (
        tuple(part.detach().float() for part in pair) for pair in (first, second)
    )
    return weight_2 @ weight_1, weight_2 @ bias_1 + bias_2


def slot_layer(layer: Any, slot: int) -> tuple[Tensor, Tensor]:
    """One embodiment's weight (out, in) and bias of a category-specific layer."""
    return layer.W[slot].detach().t(), layer.b[slot].detach()
