"""The judge's part in a task: a learned policy never says that it is done; the judge sees it.

In simulation only: he reads the true poses. A policy that says itself when it is done is left to
say so; he then agrees or not.
"""

import math
from collections.abc import Mapping

ACHIEVED_S = 1.0  # so long it must stay achieved: a slice may still slide
LONGEST_GAP_S = 0.5  # between two of his verdicts: twice their period

Verdict = tuple[bool, str, Mapping[str, str]]


class Judging:
    """What the judge said, and what that means for the task. Times are of a steady clock, s."""

    def __init__(self, has_judge: bool) -> None:
        self._verdict: Verdict | None = (
            (False, 'the judge said nothing', {}) if has_judge else None
        )
        self._achieved_s = 0.0  # for how long, as far as he was heard
        self._heard_s = -math.inf
        self._ended = False

    @property
    def verdict(self) -> Verdict | None:
        """His newest words; None without a judge."""
        return self._verdict

    def hear(self, achieved: bool, message: str, values: Mapping[str, str], now_s: float) -> None:
        """Take a verdict."""
        if self._verdict is None:
            return
        was_achieved = self._verdict[0]
        gap_s, self._heard_s = now_s - self._heard_s, now_s
        seen_s = min(gap_s, LONGEST_GAP_S) if was_achieved else 0.0
        self._achieved_s = self._achieved_s + seen_s if achieved else 0.0
        self._verdict = (achieved, message, values)

    def ends_task(self, says_done: bool) -> bool:
        """Whether the running task shall be ended now, because nobody else will; once only.

        A judge who fell silent, or who stood still, has not seen that it stays.
        """
        if says_done or self._ended or not self._achieved_s >= ACHIEVED_S:
            return False
        self._ended = True
        return True

    def outcome(self, outcome: str, reason: str, says_done: bool) -> tuple[str, str]:
        """Return how the task ended, and why, with what the judge saw."""
        achieved = self._verdict is not None and self._verdict[0]
        is_end_of_time = outcome == 'TIMED_OUT' and not says_done
        if achieved and (is_end_of_time or (self._ended and outcome == 'CANCELED')):
            return 'SUCCEEDED', 'the judge saw it done'
        return outcome, reason
