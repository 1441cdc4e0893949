"""How many frames arrived, how regularly and how late: from their stamps alone."""

import math
from collections import deque
from dataclasses import dataclass

import numpy as np

from chefmate_core.errors import ConfigurationError

CLOCK_SET_S = 1.0  # no frame is overtaken by one of so much later


@dataclass(frozen=True)
class DeliveryReport:
    """What a window of frames says. Values that need more frames than there are, are NaN.

    Attributes:
        arrived: frames in the window.
        missing: frames that the gaps between stamps have room for.
        delivery_ratio: arrived / (arrived + missing).
        rate_hz: frames per second of stamps.
        max_gap_s: longest time between two stamps in a row.
        latency_p50_s: median of arrival minus stamp.
        latency_p99_s: its 99th percentile.
        latency_max_s: its maximum.
        out_of_order: frames ever refused because their stamp did not grow.
        bad_stamps: frames ever refused because a time was NaN or infinite.
    """

    arrived: int
    missing: int
    delivery_ratio: float
    rate_hz: float
    max_gap_s: float
    latency_p50_s: float
    latency_p99_s: float
    latency_max_s: float
    out_of_order: int
    bad_stamps: int


class DeliveryMeter:
    """Collects the stamps of one stream, over the last `window` frames. One thread at a time.

    Args:
        period_s: time between two frames as the source intends it.
        window: frames that the report looks back; 0 for all.
    """

    def __init__(self, period_s: float, window: int = 0) -> None:
        if not (math.isfinite(period_s) and period_s > 0):
            raise ConfigurationError(f'period_s is {period_s}; a finite time above 0 s')
        if window < 0:
            raise ConfigurationError(f'window is {window} frames; 0 for all, or more')
        self._period_s = period_s
        self._frames: deque[tuple[float, float]] = deque(maxlen=window or None)
        self._out_of_order = 0
        self._bad_stamps = 0

    def add(self, stamp_s: float, arrival_s: float) -> bool:
        """Take one frame; return whether it counts. Both times are of one clock.

        After that clock was set back a window begins anew; where all frames are looked at, those
        from then on are left out.
        """
        if not (math.isfinite(stamp_s) and math.isfinite(arrival_s)):
            self._bad_stamps += 1
            return False
        if self._frames and stamp_s <= self._frames[-1][0]:
            self._out_of_order += 1
            was_set_back = self._frames[-1][0] - stamp_s >= CLOCK_SET_S
            if not was_set_back or self._frames.maxlen is None:
                return False
            self._frames.clear()  # the old stamps say nothing any more
        self._frames.append((stamp_s, arrival_s))
        return True

    def report(self) -> DeliveryReport:
        """Return what the window says."""
        frames = np.array(self._frames, dtype=float).reshape(-1, 2)
        arrived = len(frames)
        gaps_s = np.diff(frames[:, 0])
        latencies_s = frames[:, 1] - frames[:, 0]
        # A gap of 1.5 periods or more has room for another frame; jitter below that is none.
        missing = int(np.sum(np.maximum(np.floor(gaps_s / self._period_s + 0.5) - 1, 0)))
        quantiles = np.quantile(latencies_s, [0.5, 0.99, 1.0]) if arrived else [math.nan] * 3
        return DeliveryReport(
            arrived=arrived,
            missing=missing,
            delivery_ratio=arrived / (arrived + missing) if arrived else math.nan,
            rate_hz=(arrived - 1) / float(gaps_s.sum()) if arrived > 1 else math.nan,
            max_gap_s=float(gaps_s.max()) if arrived > 1 else math.nan,
            latency_p50_s=float(quantiles[0]),
            latency_p99_s=float(quantiles[1]),
            latency_max_s=float(quantiles[2]),
            out_of_order=self._out_of_order,
            bad_stamps=self._bad_stamps,
        )
