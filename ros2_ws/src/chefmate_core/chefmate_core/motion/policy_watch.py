"""Watches a policy's heartbeat: are the chunks in play still vouched for?"""

import math

from chefmate_core.errors import ConfigurationError
from chefmate_core.motion.silence import Silence


class PolicyWatch:
    """One thread calls it; times are of one steady clock, s.

    A policy that has never sent a heartbeat is not watched: its chunks are played to their ends.
    """

    def __init__(self, timeout_s: float) -> None:
        """Silence of `timeout_s` after a beat means that the policy is gone."""
        if not 0.0 < timeout_s < math.inf:  # False for NaN
            raise ConfigurationError(
                f'the heartbeat timeout must be above 0 s and finite; found {timeout_s}'
            )
        self._timeout_s = timeout_s
        self._silence = Silence()
        self._is_watched = False
        self._is_withdrawn = False

    @property
    def vouches(self) -> bool:
        """Whether the chunks in play may be played on, as of the last `step`."""
        return not self._is_watched or not (self._is_withdrawn or self.is_silent)

    @property
    def is_silent(self) -> bool:
        """Whether a heartbeat has ended without a word."""
        return self._is_watched and self._silence.duration_s > self._timeout_s

    def beat(self, alive: bool) -> None:
        """Take a heartbeat; False: the policy itself says that it is late, or that it gave up."""
        self._is_watched = True
        self._is_withdrawn = not alive
        self._silence.end()

    def chunk(self) -> None:
        """Take a chunk as a sign of life; after a silence perhaps of a policy without a heart."""
        if not self.vouches:
            self._is_watched = False
        self._silence.end()

    def step(self, now_s: float) -> None:
        """Let time pass."""
        self._silence.step(now_s)
