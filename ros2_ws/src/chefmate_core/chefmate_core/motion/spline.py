"""A C1 curve through equally spaced joint goals."""

import numpy as np


class JointSpline:
    """Cubic Hermite curve through rows of `positions_rad`, shape (T, 6), `period_s` apart.

    Velocities at the knots are central differences (one-sided at the ends), so that the curve
    follows a smooth motion sampled at 30 Hz without the velocity steps that straight pieces have.
    """

    def __init__(self, start_s: float, positions_rad: np.ndarray, period_s: float) -> None:
        self.start_s = start_s
        self.period_s = period_s
        self._positions = np.asarray(positions_rad, dtype=float)
        if len(self._positions) > 1:
            self._slopes = np.gradient(self._positions, period_s, axis=0)
        else:
            self._slopes = np.zeros_like(self._positions)

    @property
    def end_s(self) -> float:
        """Time of the last knot."""
        return self.start_s + (len(self._positions) - 1) * self.period_s

    def sample(self, time_s: float) -> tuple[np.ndarray, np.ndarray]:
        """Return position and velocity, shape (6,) each; outside the knots the nearest end's."""
        last = len(self._positions) - 1
        place = (time_s - self.start_s) / self.period_s
        if place <= 0.0 or last == 0:
            return self._positions[0], self._slopes[0]
        if place >= last:
            return self._positions[-1], self._slopes[-1]
        index = int(place)
        u = place - index
        p0, p1 = self._positions[index], self._positions[index + 1]
        m0, m1 = self._slopes[index] * self.period_s, self._slopes[index + 1] * self.period_s
        jump = p1 - p0
        # p0 + m0 u + (3 jump - 2 m0 - m1) u^2 + (m0 + m1 - 2 jump) u^3
        quadratic = 3.0 * jump - 2.0 * m0 - m1
        cubic = m0 + m1 - 2.0 * jump
        position = p0 + u * (m0 + u * (quadratic + u * cubic))
        velocity = (m0 + u * (2.0 * quadratic + u * 3.0 * cubic)) / self.period_s
        return position, velocity
