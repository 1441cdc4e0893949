"""Normalisation of state and action, and its inverse: what Isaac-GR00T does, mode by mode.

Source: NVIDIA/Isaac-GR00T at N1.5, `gr00t/data/transform/state_action.py`, `Normalizer`. There
`scale` has no inverse; here it has the one that follows from it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from chefmate_core.errors import ConfigurationError
from chefmate_core.policy.engine import EngineRequestError
from chefmate_core.policy.modality import JointGroup
from chefmate_policy.processing.profile import Mode
from chefmate_policy.processing.statistics import Statistics

Values = Mapping[str, Tensor]  # of statistics that a mode needs, each (D,)


def normalise(x: Tensor, mode: Mode, values: Values) -> Tensor:
    """Normalise numbers (..., D) with the statistics that `mode` needs, each (D,).

    | mode | value | where the statistics leave no range |
    |---|---|---|
    | min_max | 2 (x - min) / (max - min) - 1 | 0 |
    | q99 | 2 (x - q01) / (q99 - q01) - 1, clipped to -1..1 | x, clipped to -1..1 |
    | mean_std | (x - mean) / std | x |
    | scale | x / max(abs(min), abs(max)) | 0 |
    | binary | 1 where x > 0.5, else 0 | |
    """
    return _NORMALISE[mode](x, _like(values, x))


def denormalise(y: Tensor, mode: Mode, values: Values) -> Tensor:
    """Return what `normalise` made `y` (..., D) of; lost are only what was clipped or binary.

    Where the statistics leave no range, the result is the one value that they know.
    """
    return _DENORMALISE[mode](y, _like(values, y))


def _like(values: Values, x: Tensor) -> dict[str, Tensor]:
    return {name: value.to(x.device, x.dtype) for name, value in values.items()}


def _to_unit(x: Tensor, low: Tensor, high: Tensor, otherwise: Tensor) -> Tensor:
    """Map low..high to -1..1; `otherwise` where they are equal."""
    span = high - low
    unit = 2 * ((x - low) / torch.where(span == 0, 1, span)) - 1
    return torch.where(span == 0, otherwise, unit)


def _min_max(x: Tensor, values: Values) -> Tensor:
    return _to_unit(x, values['min'], values['max'], torch.zeros_like(x))


def _q99(x: Tensor, values: Values) -> Tensor:
    return _to_unit(x, values['q01'], values['q99'], x).clamp(-1, 1)


def _mean_std(x: Tensor, values: Values) -> Tensor:
    mean, std = values['mean'], values['std']
    return torch.where(std == 0, x, (x - mean) / torch.where(std == 0, 1, std))


def _largest(values: Values) -> Tensor:
    return torch.maximum(values['min'].abs(), values['max'].abs())


def _scale(x: Tensor, values: Values) -> Tensor:
    largest = _largest(values)
    return torch.where(largest == 0, 0, x / torch.where(largest == 0, 1, largest))


def _binary(x: Tensor, values: Values) -> Tensor:
    return (x > 0.5).to(x.dtype)


def _from_unit(y: Tensor, low: Tensor, high: Tensor) -> Tensor:
    return (y + 1) / 2 * (high - low) + low


_Function = Callable[[Tensor, Values], Tensor]
_NORMALISE: Mapping[Mode, _Function] = {
    Mode.MIN_MAX: _min_max,
    Mode.Q99: _q99,
    Mode.MEAN_STD: _mean_std,
    Mode.SCALE: _scale,
    Mode.BINARY: _binary,
}
_DENORMALISE: Mapping[Mode, _Function] = {
    Mode.MIN_MAX: lambda y, values: _from_unit(y, values['min'], values['max']),
    Mode.Q99: lambda y, values: _from_unit(y, values['q01'], values['q99']),
    Mode.MEAN_STD: lambda y, values: y * values['std'] + values['mean'],
    Mode.SCALE: lambda y, values: y * _largest(values),
    Mode.BINARY: _binary,
}


@dataclass(frozen=True)
class _Part:
    """One joint group: where it stands in the data set's vector and in the model's."""

    group: JointGroup
    mode: Mode
    values: Values
    packed: slice


class VectorNormaliser:
    """Between a data set's vector and the model's: joint groups in order, normalised, padded."""

    def __init__(
        self,
        name: str,
        groups: Sequence[tuple[JointGroup, Mode, Statistics]],
        padded_size: int,
    ) -> None:
        """Prepare for `groups` in the order in which the model sees them.

        Args:
            name: 'state' or 'action', for messages.
            groups: each with its mode and its statistics.
            padded_size: length of the model's vector; zeros after the last group.

        Raises:
            ConfigurationError: the groups do not fit, or lack statistics.
        """
        self.name = name
        self.padded_size = padded_size
        self.size = max((group.stop for group, _, _ in groups), default=0)  # of the data set's
        parts, start = [], 0
        for group, mode, statistics in groups:
            length = group.stop - group.start
            needed = statistics.need(mode, length)
            values = {key: torch.from_numpy(value) for key, value in needed.items()}
            parts.append(_Part(group, mode, values, slice(start, start + length)))
            start += length
        self._parts = tuple(parts)
        self.packed_size = start  # of the groups together, without the zeros
        if not 0 < start <= padded_size:
            raise ConfigurationError(
                f'{name}: expected joint groups of 1 to {padded_size} numbers together, what the '
                f'model has room for; found {start} in {[group.name for group, _, _ in groups]}'
            )

    def encode(self, vector: Tensor) -> Tensor:
        """Return the model's vector, (..., padded_size), of the data set's, (..., size).

        Raises:
            EngineRequestError: the length is another, or a number is not finite.
        """
        if vector.ndim < 1 or vector.shape[-1] != self.size:
            raise EngineRequestError(
                f'{self.name}: expected (..., {self.size}): '
                f'{", ".join(part.group.name for part in self._parts)}; '
                f'found shape {tuple(vector.shape)}'
            )
        if not bool(torch.isfinite(vector).all()):
            raise EngineRequestError(
                f'{self.name}: expected finite numbers; found {vector.tolist()}'
            )
        packed = vector.new_zeros((*vector.shape[:-1], self.padded_size))
        for part in self._parts:
            packed[..., part.packed] = normalise(
                vector[..., part.group.columns], part.mode, part.values
            )
        return packed

    def decode(self, packed: Tensor) -> Tensor:
        """Return the data set's vector, (..., size), of the model's, (..., padded_size).

        Columns of no group are zero.
        """
        vector = packed.new_zeros((*packed.shape[:-1], self.size))
        for part in self._parts:
            vector[..., part.group.columns] = denormalise(
                packed[..., part.packed], part.mode, part.values
            )
        return vector
