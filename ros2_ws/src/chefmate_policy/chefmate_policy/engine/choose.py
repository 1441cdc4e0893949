"""Which of several samples is played."""

import torch
from torch import Tensor


def medoid(samples: Tensor) -> int:
    """Return the index of the sample that is nearest to all others, of (B, T, A).

    The mean of several plausible motions may be none; the most central one of them is one.
    """
    flat = samples.flatten(1)
    return int(torch.cdist(flat, flat).sum(dim=1).argmin())


def spread(samples: Tensor) -> float:
    """Return the standard deviation over samples (B, T, A), mean of all elements; 0 for one."""
    return float(samples.std(dim=0).mean()) if len(samples) > 1 and samples.numel() else 0.0
