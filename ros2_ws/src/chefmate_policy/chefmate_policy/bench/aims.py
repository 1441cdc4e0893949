"""What the engine should reach on an H200, and whether it does."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

DEVICE = 'H200'
PRESET = 'n1.5-3b'
# Ways that compute exactly what the checkpoint says, fastest of which counts.
CANDIDATES = ('graph', 'graph-compiled')
GB = 1e9


class Aim(NamedTuple):
    """One of them. `found` is NaN where it was not measured."""

    name: str
    unit: str
    limit: float
    at_most: bool  # or at least
    found: float

    @property
    def is_met(self) -> bool:
        """NaN is not."""
        return self.found <= self.limit if self.at_most else self.found >= self.limit


def aims(settings: Mapping[str, Any], results: Mapping[str, Mapping[str, Any]]) -> list[Aim]:
    """Return the aims, for the fastest candidate; none where they are not of this measurement."""
    applies = (
        DEVICE in settings['device']
        and settings['model'].startswith(PRESET)
        and (settings['cameras'], settings['samples']) == (2, 1)
    )
    rows = [results[name] for name in CANDIDATES if results.get(name, {}).get('times')]
    if not applies or not rows:
        return []
    best = min(rows, key=lambda row: row['times']['whole']['run_p50_ms'])
    whole, model = best['times']['whole'], best['times']['model']
    return [
        Aim('model only, p50', 'ms', 6.0, True, model['run_p50_ms']),
        Aim('raw frames to action, p50', 'ms', 8.0, True, whole['run_p50_ms']),
        Aim('of the speed of the eager reference', 'x', 8.0, False,
            whole.get('times_eager', math.nan)),
        Aim('memory', 'GB', 6.5, True, best['memory']['total_bytes'] / GB),
    ]  # fmt: skip
