"""The accuracy gate: a faster way of computing is taken only if it says the same.

Both ways answer the same observations from the same noise; the cosine of what they make of it
decides: of the action less the noise, which both have in common.
Random images and words are not what a model was trained on, but every layer is in play.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from chefmate_core.errors import PolicyError

LEAST_COSINE = 0.999
OBSERVATIONS = 8


@dataclass(frozen=True)
class Agreement:
    """How far two ways of computing agree."""

    least_cosine: float
    mean_cosine: float

    def __str__(self) -> str:
        return f'cosine {self.least_cosine:.6f} at worst, {self.mean_cosine:.6f} in the mean'


def agreement(first: Callable[[int], Tensor], second: Callable[[int], Tensor]) -> Agreement:
    """Compare two functions: an observation's number -> action less noise, (B, T, A)."""
    cosines = []
    for number in range(OBSERVATIONS):
        a, b = (way(number).double().flatten() for way in (first, second))
        cosines.append(float(torch.cosine_similarity(a, b, dim=0)))
    return Agreement(min(cosines), sum(cosines) / len(cosines))


def require(found: Agreement, what: str) -> None:
    """Refuse a way of computing that does not agree.

    Raises:
        PolicyError: it does not; NaN does not either.
    """
    if not found.least_cosine >= LEAST_COSINE:
        raise PolicyError(
            f'{what} is refused: against the unquantised engine its actions agree to {found}; '
            f'expected at least {LEAST_COSINE}. Next: leave fp8 out'
        )
