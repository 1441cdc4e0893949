"""How long nothing was heard, for a listener that may be stopped itself."""

import math

_LONGEST_STEP_S = 0.02


class Silence:
    """Counts in the listener's own steps, s, each no longer than two of its cycles.

    While a listener was stopped, what was said meanwhile has queued up, and its timer may come
    before its messages: that is no silence of others.
    """

    def __init__(self) -> None:
        self.duration_s = math.inf  # nothing was ever heard
        self._stepped_s = -math.inf

    def end(self) -> None:
        """Something was heard."""
        self.duration_s = 0.0

    def step(self, now_s: float) -> None:
        """Let time pass; `now_s` is of a steady clock."""
        self.duration_s += min(max(now_s - self._stepped_s, 0.0), _LONGEST_STEP_S)
        self._stepped_s = now_s
