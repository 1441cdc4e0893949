"""Whether the frames of a stream arrive, and how old they are then."""

from chefmate_core.timing import Durations, Rate

# A frame later than this many usual periods after the one before it: something between is missing.
GAP_PERIODS = 1.6


class DeliveryMonitor:
    """Counts the frames of one stream. One thread writes, any thread reads."""

    def __init__(self) -> None:
        self._ages = Durations(kept=1800)
        self._rate = Rate(window_s=3.0)
        self._lost = 0
        self._lost_in_transport = 0
        self._last_stamp_s: float | None = None
        self._period_s: float | None = None

    def received(self, stamp_s: float, now_s: float) -> None:
        """Count a frame captured at `stamp_s`, received at `now_s` of the same clock."""
        self._ages.add(now_s - stamp_s)
        self._rate.tick()
        if self._last_stamp_s is not None:
            gap_s = stamp_s - self._last_stamp_s
            if self._period_s is None:
                self._period_s = gap_s
            elif gap_s > GAP_PERIODS * self._period_s:
                self._lost += round(gap_s / self._period_s) - 1
            elif gap_s > 0.0:
                self._period_s += 0.1 * (gap_s - self._period_s)
        self._last_stamp_s = stamp_s

    def lost_in_transport(self, count: int) -> None:
        """Count frames that the middleware says it lost."""
        self._lost_in_transport += count

    def summary(self) -> dict[str, float]:
        """Counts, rate and age percentiles, for diagnostics."""
        return {
            'received': self._ages.count,
            'rate_hz': self._rate.hz(),
            'missing_by_stamp': self._lost,  # lost on the way, or never captured
            'lost_in_transport': self._lost_in_transport,
            **self._ages.summary_ms('age'),
        }
