"""The last seconds of numbers, for plots."""

import numpy as np


class History:
    """Rows of numbers by time; the oldest make room."""

    def __init__(self, columns: int, rows: int) -> None:
        self._rows = np.full((rows, 1 + columns), np.nan)
        self._count = 0

    def add(self, time_s: float, values: np.ndarray) -> None:
        """Add a row of shape (columns,); NaN where nothing is known."""
        self._rows = np.roll(self._rows, -1, axis=0)
        self._rows[-1, 0], self._rows[-1, 1:] = time_s, values
        self._count = min(self._count + 1, len(self._rows))

    def clear(self) -> None:
        """Forget everything."""
        self._count = 0

    def before(self, now_s: float) -> tuple[np.ndarray, np.ndarray]:
        """Return times relative to now, shape (n,), s, and rows, shape (n, columns); n >= 1."""
        if self._count == 0:
            return np.zeros(1), np.full((1, self._rows.shape[1] - 1), np.nan)
        rows = self._rows[-self._count :]
        return rows[:, 0] - now_s, rows[:, 1:]
