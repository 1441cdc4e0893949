"""What an operator is told of a twin."""

from enum import StrEnum

from chefmate_core.diagnosis import Level


class TwinState(StrEnum):
    """What the operator is told; the first that applies."""

    NO_ARM = 'the arm is not heard'
    WAITING = 'waiting for the twin'
    REFUSED = 'the messages of the twin are refused'
    SILENT = 'the twin is silent'
    LATE = 'the twin is late'
    ALARM = 'the twin is far from the arm'
    DEVIATING = 'the twin deviates'
    FOREIGN_CLOCK = 'the stamps of the twin are of another clock'
    UNSTAMPED = 'the messages of the twin have no stamps'
    FOLLOWING = 'the twin follows'


LEVELS = {
    TwinState.WAITING: Level.WARN,
    TwinState.REFUSED: Level.ERROR,
    TwinState.ALARM: Level.ERROR,
    TwinState.FOLLOWING: Level.OK,
}
