"""Where an arm was lately."""

import numpy as np

from chefmate_core.joints import JOINT_COUNT


class History:
    """The newest positions with their times, in order; `at` interpolates between them.

    Args:
        kept: at least so many are kept, at most twice as many.
    """

    def __init__(self, kept: int = 1024) -> None:
        self._kept = kept
        self._times_s = np.zeros(2 * kept)
        self._positions_rad = np.zeros((2 * kept, JOINT_COUNT))
        self._count = 0

    def clear(self) -> None:
        """Forget everything."""
        self._count = 0

    def add(self, time_s: float, position_rad: np.ndarray) -> bool:
        """Take the position, shape (6,), of a time; False if it is not newer than the last."""
        if self._count and not time_s > self._times_s[self._count - 1]:
            return False
        if self._count == len(self._times_s):
            self._times_s[: self._kept] = self._times_s[self._kept :]
            self._positions_rad[: self._kept] = self._positions_rad[self._kept :]
            self._count = self._kept
        self._times_s[self._count] = time_s
        self._positions_rad[self._count] = position_rad
        self._count += 1
        return True

    def __len__(self) -> int:
        return self._count

    @property
    def times_s(self) -> np.ndarray:
        """Times, ascending, shape (n,); a view."""
        return self._times_s[: self._count]

    @property
    def positions_rad(self) -> np.ndarray:
        """Positions, shape (n, 6); a view."""
        return self._positions_rad[: self._count]

    def after(self, time_s: float) -> tuple[np.ndarray, np.ndarray]:
        """Return what is newer than `time_s`: times (n,), positions (n, 6)."""
        first = int(np.searchsorted(self.times_s, time_s, side='right'))
        return self.times_s[first:], self.positions_rad[first:]

    def at(self, times_s: np.ndarray) -> np.ndarray:
        """Return positions at times, shape (n, 6), interpolated; at the ends the nearest."""
        columns = [np.interp(times_s, self.times_s, column) for column in self.positions_rad.T]
        return np.stack(columns, axis=-1)

    def covers(self, times_s: np.ndarray, longest_gap_s: float) -> np.ndarray:
        """Return which times lie between two positions that are near enough to one another."""
        if self._count < 2:
            return np.zeros(len(times_s), dtype=bool)
        after = np.searchsorted(self.times_s, times_s)
        inside = (after > 0) & (after < self._count)
        after = np.clip(after, 1, self._count - 1)
        gap_s = self.times_s[after] - self.times_s[after - 1]
        return (inside & (gap_s <= longest_gap_s)) | (times_s == self.times_s[0])
