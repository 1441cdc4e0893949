"""What a twin says on its way out: late, lost, out of order, as a test asks for it."""

import heapq
import random
from dataclasses import dataclass

import numpy as np

from chefmate_core.errors import ConfigurationError

STAMPS = ('ros', 'simulation', 'none')


@dataclass(frozen=True)
class OutletConfig:
    """Faults of a twin's messages; the default is none."""

    lag_s: float = 0.0  # from a state to its message
    drop_fraction: float = 0.0  # of the messages that never leave
    swap_fraction: float = 0.0  # of the messages that leave after the next one

    def __post_init__(self) -> None:
        if not 0.0 <= self.lag_s <= 10.0:
            raise ConfigurationError(f'lag_s is {self.lag_s}; expected 0 to 10')
        for name in ('drop_fraction', 'swap_fraction'):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ConfigurationError(f'{name} is {getattr(self, name)}; expected 0 to 1')


@dataclass(frozen=True)
class TwinMessage:
    """One state of the twin."""

    stamp_s: float
    position_rad: np.ndarray  # (6,)
    velocity_rad_s: np.ndarray  # (6,)


class Outlet:
    """Holds messages back, drops and swaps them; the same seed does the same."""

    def __init__(self, config: OutletConfig, seed: int = 0) -> None:
        self._config = config
        self._random = random.Random(seed)
        self._waiting: list[tuple[float, int, TwinMessage]] = []
        self._swapped: TwinMessage | None = None
        self._count = 0

    def put(self, message: TwinMessage, now_s: float) -> None:
        """A state was measured."""
        if self._random.random() < self._config.drop_fraction:
            return
        if self._swapped is None and self._random.random() < self._config.swap_fraction:
            self._swapped = message
            return
        self._push(message, now_s)
        if self._swapped is not None:
            self._push(self._swapped, now_s)
            self._swapped = None

    def due(self, now_s: float) -> list[TwinMessage]:
        """Return what leaves now, in the order in which it does."""
        leaving = []
        while self._waiting and self._waiting[0][0] <= now_s:
            leaving.append(heapq.heappop(self._waiting)[2])
        return leaving

    def _push(self, message: TwinMessage, now_s: float) -> None:
        heapq.heappush(self._waiting, (now_s + self._config.lag_s, self._count, message))
        self._count += 1
