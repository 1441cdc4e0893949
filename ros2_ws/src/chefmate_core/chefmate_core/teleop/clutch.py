"""The clutch between a hand and the arm: engaged, the arm follows; paused, it holds."""

from collections import Counter
from enum import StrEnum


class ClutchState(StrEnum):
    """Whether the arm is to follow."""

    ENGAGED = 'engaged'
    PAUSED = 'paused'  # by a person
    STOPPED = 'stopped'  # by the emergency stop; to be engaged again by a person


class Clutch:
    """Each time that following begins anew is an engagement with a name of its own.

    The safety gate approaches a new name at blend speed, however short the pause before it was.
    """

    def __init__(self, source: str, engaged: bool) -> None:
        self.state = ClutchState.ENGAGED if engaged else ClutchState.PAUSED
        self.counters: Counter[str] = Counter()
        self._source = source
        self._engagement = 1
        self._estopped = False

    @property
    def is_engaged(self) -> bool:
        """Whether the arm is to follow."""
        return self.state is ClutchState.ENGAGED

    @property
    def source(self) -> str:
        """The name of this engagement, for the safety gate."""
        return f'{self._source}#{self._engagement}'

    def begin_anew(self) -> None:
        """What comes next is a hand-over."""
        self._engagement += 1

    def set(self, engaged: bool) -> str:
        """Engage or pause; return what a person should know, or why it cannot be engaged.

        Whether it worked: `is_engaged`.
        """
        if engaged and self._estopped:
            self.counters['engage_refused_estop'] += 1
            return 'the emergency stop is latched: release it first (chefmate estop --release)'
        if engaged == self.is_engaged:
            return f'it is {self.state} already'
        if engaged:
            self.begin_anew()
            self.state = ClutchState.ENGAGED
            self.counters['engaged'] += 1
            return 'engaged: the arm goes to the leader at blend speed'
        self.state = ClutchState.PAUSED
        self.counters['paused'] += 1
        return 'paused: the arm holds'

    def estop(self, active: bool) -> None:
        """Take the state of the emergency stop: its release alone moves nothing."""
        self._estopped = active
        if active and self.is_engaged:
            self.state = ClutchState.STOPPED
            self.counters['stopped'] += 1
