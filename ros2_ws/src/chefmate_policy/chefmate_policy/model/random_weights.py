"""Random weights that let every part of a model have its say."""

import torch
from torch import Tensor

BIAS_STD = 0.02


def random_weight(
    name: str, like: Tensor, generator: torch.Generator, dtype: torch.dtype = torch.float32
) -> Tensor:
    """Return a weight of a state dict, drawn on the generator's device.

    Gains of norms are 1. All else is such that signals keep their size from layer to layer: a
    standard deviation of 0.022 for the 2048 inputs of the 3B. With smaller weights a model hardly
    changes the noise that it is given, and any two models agree.
    """
    tensor = torch.empty(like.shape, device=generator.device, dtype=dtype)
    if tensor.ndim == 1 and name.endswith('weight'):
        return tensor.fill_(1.0)
    return tensor.normal_(0.0, _std(name, like.shape), generator=generator)


def _std(name: str, shape: torch.Size) -> float:
    if len(shape) == 1 or name.endswith('.b'):
        return BIAS_STD
    # A slot's W is (slots, in, out); weights are (out, in), a convolution's (out, in, y, x).
    inputs = shape[1] if name.endswith('.W') else shape[1:].numel()
    return inputs**-0.5
