"""Whether the policy still has our task: its process may die, and come back without it."""

import math

IDLE_S = 3.0  # it says for so long that it does nothing: our task is lost
SILENT_S = 60.0  # it says nothing at all for so long; what is started again says that it is idle
_LONGEST_STEP_S = 0.4  # two periods of the watch: while we were stopped, words have queued up


class TaskWatch:
    """Counts what the policy says, and its silence, since the task was given.

    A policy that stands still, or its listener that does, is no lost task: only its own word is.
    """

    def __init__(self) -> None:
        self._idle_since_s = math.inf
        self._idle_s = 0.0  # from the first to the newest word that it is idle
        self._silent_s = 0.0
        self._stepped_s = math.nan

    def heard(self, busy: bool, now_s: float) -> None:
        """Take the policy's word that it is busy, feedback of the task among it, or idle."""
        self._silent_s = 0.0
        self._idle_since_s = math.inf if busy else min(self._idle_since_s, now_s)
        self._idle_s = 0.0 if busy else now_s - self._idle_since_s

    def why_lost(self, now_s: float) -> str:
        """Return why nobody will end the task any more, or nothing. Called all the time."""
        elapsed_s = now_s - self._stepped_s if math.isfinite(self._stepped_s) else 0.0
        self._stepped_s = now_s
        self._silent_s += min(elapsed_s, _LONGEST_STEP_S)
        if self._idle_s >= IDLE_S:
            return 'the policy died or lost the task'
        if self._silent_s >= SILENT_S:
            return f'the policy has said nothing for {SILENT_S:g} s'
        return ''
