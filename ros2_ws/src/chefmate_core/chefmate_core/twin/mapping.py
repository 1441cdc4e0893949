"""Between our joints and those of a simulator: names, signs, zeros, units, limits.

simulated = sign * ours + offset. A simulator's message is read by name, in any order, or refused.
"""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from chefmate_core.errors import ChefMateError, ConfigurationError
from chefmate_core.joints import (
    ISAAC_JOINT_NAMES,
    JOINT_COUNT,
    JOINT_NAMES,
    LOWER_LIMITS_RAD,
    UPPER_LIMITS_RAD,
)
from chefmate_core.listing import listed

UNITS = {'rad': 1.0, 'deg': math.pi / 180.0}  # rad in one of it
# No joint of the SO-101 gets half as far: such a number is in another unit, or garbage.
FARTHEST_RAD = 2.0 * math.pi


class Refusal(StrEnum):
    """Why a simulator's message is not used."""

    MALFORMED = 'refused_malformed'
    NOT_FINITE = 'refused_not_finite'
    DUPLICATE_NAME = 'refused_duplicate_name'
    UNKNOWN_NAME = 'refused_unknown_name'
    MISSING_NAME = 'refused_missing_name'
    IMPLAUSIBLE = 'refused_implausible'


class TwinMessageError(ChefMateError, ValueError):
    """A message between the bridge and its twin that cannot be used; `refusal` says why."""

    def __init__(self, refusal: Refusal, message: str) -> None:
        super().__init__(message)
        self.refusal = refusal


@dataclass(frozen=True)
class JointMapping:
    """One joint of a simulator; `sign` and `offset_rad` lead from ours to it."""

    name: str
    sign: int = 1
    offset_rad: float = 0.0
    unit: str = 'rad'  # of its positions on topics
    lower_rad: float = -math.inf  # the simulator's limits, in its own zero and sign
    upper_rad: float = math.inf

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ConfigurationError(f'the name of a twin joint is {self.name!r}; give its name')
        where = f'twin joint {self.name!r}'
        if self.sign not in (1, -1) or isinstance(self.sign, bool):
            raise ConfigurationError(f'{where}: sign is {self.sign!r}; give 1 or -1')
        if not _is_number(self.offset_rad) or not abs(self.offset_rad) <= FARTHEST_RAD:
            raise ConfigurationError(
                f'{where}: offset_rad is {self.offset_rad!r}; give radians, a turn (6.28) at most'
            )
        if not isinstance(self.unit, str) or self.unit not in UNITS:
            raise ConfigurationError(
                f'{where}: unit is {self.unit!r}; choose one of {", ".join(UNITS)}'
            )
        limits = (self.lower_rad, self.upper_rad)
        # Written so that NaN fails: a comparison with NaN is false.
        if not (all(map(_is_number, limits)) and self.lower_rad < self.upper_rad):
            raise ConfigurationError(
                f'{where}: lower_rad {self.lower_rad!r} must be below upper_rad {self.upper_rad!r}'
            )


class JointMap:
    """All six joints, both ways. Arrays of ours are in the order of JOINT_NAMES, rad, shape (6,).

    Args:
        joints: one for each of JOINT_NAMES, in that order.

    Attributes:
        counters: positions clamped to the simulator's limits, by our joint's name.
    """

    def __init__(self, joints: Sequence[JointMapping]) -> None:
        self.names = tuple(joint.name for joint in joints)
        if len(joints) != JOINT_COUNT:
            raise ConfigurationError(
                f'a twin has {JOINT_COUNT} joints, for {", ".join(JOINT_NAMES)}; '
                f'found {len(joints)}: {", ".join(self.names)}'
            )
        twice = [name for name, count in Counter(self.names).items() if count > 1]
        if twice:
            raise ConfigurationError(
                f'the twin joint {", ".join(twice)} is named twice; each of '
                f'{", ".join(JOINT_NAMES)} needs one of its own'
            )
        self.counters: Counter[str] = Counter()
        self._sign = np.array([joint.sign for joint in joints], dtype=float)
        self._offset_rad = np.array([joint.offset_rad for joint in joints])
        self._rad_per_unit = np.array([UNITS[joint.unit] for joint in joints])
        self._unit = tuple(joint.unit for joint in joints)
        ends = self._sign * np.stack([LOWER_LIMITS_RAD, UPPER_LIMITS_RAD]) + self._offset_rad
        self._lower_rad = np.maximum(ends.min(axis=0), [joint.lower_rad for joint in joints])
        self._upper_rad = np.minimum(ends.max(axis=0), [joint.upper_rad for joint in joints])
        empty = np.flatnonzero(~(self._lower_rad < self._upper_rad))
        if len(empty):
            raise ConfigurationError(
                f'twin joint {self.names[empty[0]]!r}: nothing of the range of '
                f'{JOINT_NAMES[empty[0]]} is within its limits; check sign, offset and limits'
            )
        self._index = {name: index for index, name in enumerate(self.names)}
        self._seen_names: tuple[str, ...] | None = (
            None  # of the last good message, and where each belongs
        )
        self._seen_order: np.ndarray = np.arange(0)

    @property
    def limits_rad(self) -> tuple[np.ndarray, np.ndarray]:
        """Our positions that the simulator can reach: (lower, upper)."""
        ends = self._sign * (np.stack([self._lower_rad, self._upper_rad]) - self._offset_rad)
        return ends.min(axis=0), ends.max(axis=0)

    def to_twin(self, position_rad: np.ndarray) -> np.ndarray:
        """Return the simulator's positions of ours, in its units; clamped to its limits.

        Raises TwinMessageError for a wrong shape, NaN or infinity.
        """
        position = np.asarray(position_rad, dtype=float)
        if position.shape != (JOINT_COUNT,) or not np.isfinite(position).all():
            raise TwinMessageError(
                Refusal.NOT_FINITE,
                f'expected {JOINT_COUNT} finite positions, found {position_rad}',
            )
        wanted = self._sign * position + self._offset_rad
        simulated = np.clip(wanted, self._lower_rad, self._upper_rad)
        # A servo's reading may lie a tick beyond its limit: that is no news.
        for index in np.flatnonzero(np.abs(simulated - wanted) > 0.01):
            self.counters[f'clamped_{JOINT_NAMES[index]}'] += 1
        return simulated / self._rad_per_unit

    def velocity_to_twin(self, velocity_rad_s: np.ndarray) -> np.ndarray:
        """Return the simulator's velocities of ours, shape (6,), in its units per second."""
        return self._sign * velocity_rad_s / self._rad_per_unit

    def from_twin(
        self, names: Sequence[str], values: Sequence[float], partial: bool = False
    ) -> np.ndarray:
        """Return our positions of a message's; with `partial`, joints not named are NaN.

        Raises TwinMessageError that names the joints which are wrong.
        """
        key = tuple(names)
        if len(values) != len(key):
            raise TwinMessageError(
                Refusal.MALFORMED, f'{len(key)} names, but {len(values)} positions'
            )
        order = self._seen_order if key == self._seen_names else self._order(key, partial)
        simulated = np.array(values, dtype=float) * self._rad_per_unit[order]
        if not np.isfinite(simulated).all():
            wrong = [key[place] for place in np.flatnonzero(~np.isfinite(simulated))]
            raise TwinMessageError(
                Refusal.NOT_FINITE, f'the position of {", ".join(wrong)} is not finite'
            )
        if np.max(np.abs(simulated), initial=0.0) > FARTHEST_RAD:
            raise self._implausible(key, order, simulated)
        position = np.full(JOINT_COUNT, np.nan)
        position[order] = self._sign[order] * (simulated - self._offset_rad[order])
        if not partial:
            self._seen_names, self._seen_order = key, order
        return position

    def _order(self, names: tuple[str, ...], partial: bool) -> np.ndarray:
        if len(names) > 2 * JOINT_COUNT:
            raise TwinMessageError(
                Refusal.MALFORMED, f'{len(names)} joints, but an SO-101 has {JOINT_COUNT}'
            )
        expected = f'expected {", ".join(self.names)}; found {listed(names) or "no names"}'
        twice = [name for name, count in Counter(names).items() if count > 1]
        if twice:
            raise TwinMessageError(
                Refusal.DUPLICATE_NAME, f'{listed(twice)} is named twice: {expected}'
            )
        unknown = [name for name in names if name not in self._index]
        if unknown:
            raise TwinMessageError(
                Refusal.UNKNOWN_NAME, f'{listed(unknown)} is unknown: {expected}'
            )
        missing = [name for name in self.names if name not in names]
        if missing and not (partial and names):
            raise TwinMessageError(
                Refusal.MISSING_NAME, f'{", ".join(missing)} is missing: {expected}'
            )
        return np.array([self._index[name] for name in names])

    def _implausible(
        self, names: tuple[str, ...], order: np.ndarray, simulated_rad: np.ndarray
    ) -> TwinMessageError:
        place = int(np.argmax(np.abs(simulated_rad)))
        hint = ''
        if self._unit[order[place]] == 'rad':
            hint = ': degrees by mistake? The mapping of the bridge has unit: deg for that'
        return TwinMessageError(
            Refusal.IMPLAUSIBLE,
            f'{names[place]} is at {simulated_rad[place]:.3g} rad, more than a turn{hint}',
        )


def joint_map(names: Sequence[str] = ISAAC_JOINT_NAMES) -> JointMap:
    """Return the map that differs in names alone."""
    return JointMap([JointMapping(name) for name in names])


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
