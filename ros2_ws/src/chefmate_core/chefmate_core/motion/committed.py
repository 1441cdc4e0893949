"""What the executor will play, as it has told others: nobody can change that part any more."""

import threading
from collections import deque

import numpy as np

from chefmate_core.motion.spline import JointSpline

HORIZON_S = 0.6  # that is told: a chunk lasts 0.5 s
_KEPT = 4  # messages: an observation is older than the newest chunk
_ROUNDING_S = 1e-6  # of stamps: the last row of an announcement belongs to it


class CommittedMotion:
    """The newest announcements of the executor. Threads add while another asks.

    Times are of the clock of the announcements' stamps, s.
    """

    def __init__(self) -> None:
        self._pieces: deque[JointSpline] = deque(maxlen=_KEPT)
        self._lock = threading.Lock()

    def add(self, start_s: float, positions_rad: np.ndarray, period_s: float) -> None:
        """Take an announcement, shape (T, 6), of what is played from `start_s` on."""
        with self._lock:
            if self._pieces and start_s < self._pieces[-1].start_s:
                self._pieces.clear()  # the clock was set back
            self._pieces.append(JointSpline(start_s, positions_rad, period_s))

    def clear(self) -> None:
        """Take the announcement that nothing is played."""
        with self._lock:
            self._pieces.clear()

    def rows(self, from_s: float, count: int, step_s: float) -> np.ndarray | None:
        """Return the goals of `from_s + i * step_s`, shape (K, 6), K <= `count`, as far as told.

        None where nothing is known of `from_s` itself.
        """
        with self._lock:
            pieces = list(self._pieces)
        found = []
        for time_s in from_s + step_s * np.arange(count):
            # What was announced last before an instant is what was, or will be, played then.
            piece = next((one for one in reversed(pieces) if one.start_s <= time_s), None)
            if piece is None or time_s > piece.end_s + _ROUNDING_S:
                break
            found.append(piece.sample(time_s)[0])
        return np.array(found) if found else None
