"""How well a policy does: its times by part, its figures, what it could not see."""

from collections import deque

import numpy as np

from chefmate_core.policy.protocol import ActionChunk
from chefmate_core.timing import Durations, Rate

_RECENT = 30  # inferences by which the next one's duration is expected
_MOST_PARTS = 24  # a server may name as many as it likes


class PolicyStatistics:
    """Over all tasks of a policy. One thread adds, others read."""

    def __init__(self) -> None:
        self.inference = Durations()
        self.observation_age = Durations()
        self.unobservable = 0
        self.last_unobservable = ''
        self.unanswered = 0  # busy, or too late: asked again
        self.last_unanswered = ''
        self._chunks = Rate()
        self._parts: dict[str, Durations] = {}
        self._figures: dict[str, float] = {}
        self._recent_s: deque[float] = deque(maxlen=_RECENT)

    def add(self, chunk: ActionChunk, inference_s: float) -> None:
        """Take a chunk and how long the policy needed for it."""
        self._chunks.tick()
        self.inference.add(inference_s)
        self._recent_s.append(inference_s)
        for part, duration_s in chunk.timings_s.items():
            if part in self._parts or len(self._parts) < _MOST_PARTS:
                self._parts.setdefault(part, Durations()).add(float(duration_s))
        self._figures = dict(chunk.figures)

    def expected_inference_s(self) -> float:
        """Return what nine of ten of the recent inferences stayed below; 0 before the first."""
        return float(np.percentile(self._recent_s, 90)) if self._recent_s else 0.0

    def values(self) -> dict[str, object]:
        """Return everything for diagnostics: parts and figures under their own names."""
        values: dict[str, object] = {
            'chunk_rate_hz': self._chunks.hz(),
            'unobservable': self.unobservable,
            'last_unobservable': self.last_unobservable,
            'unanswered': self.unanswered,
            'last_unanswered': self.last_unanswered,
            **self.inference.summary_ms('inference'),
            **self.observation_age.summary_ms('observation_age'),
        }
        for part, durations in list(self._parts.items()):
            summary = durations.summary_ms(f'part_{part}')
            values |= {key: summary[key] for key in summary if key.endswith(('p50_ms', 'p99_ms'))}
        return values | {f'chunk_{name}': value for name, value in self._figures.items()}
