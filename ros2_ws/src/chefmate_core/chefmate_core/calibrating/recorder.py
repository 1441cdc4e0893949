"""The range of one joint, from the stream of its positions. Pure; no bus, no clock."""

from chefmate_core.calibration import MAX_HOMING_OFFSET, MAX_TICK, TICKS_PER_TURN

MIDDLE_TICK = MAX_TICK // 2
_HALF_TURN = TICKS_PER_TURN // 2
# A hand turns no joint half a turn in this time, so a jump across it is the encoder's end.
LONGEST_GAP_S = 1.0


def homing_offset(actual: int) -> int:
    """Return the offset by which the servo reports 2047 where its encoder reads `actual`, ticks.

    LeRobot's formula, raw - 2047. For raw 4095 that is 2048, which the register's 11 bits do not
    hold: the servo then reports 2048 there.
    """
    return min(actual % TICKS_PER_TURN - MIDDLE_TICK, MAX_HOMING_OFFSET)


def reported(actual: int, offset: int) -> int:
    """Return what the servo reports with a homing offset, ticks, 0..4095."""
    return (actual - offset) % TICKS_PER_TURN


class RangeRecorder:
    """Smallest and largest tick, and whether the joint passed the encoder's end between them."""

    def __init__(self) -> None:
        self.minimum: int | None = None
        self.maximum: int | None = None
        self.passed_end = False
        self.gaps = 0  # how often it was silent for so long that it had to begin anew
        self._last: int | None = None
        self._last_s = 0.0

    @property
    def span(self) -> int:
        """Ticks between the ends, 0 before the first position."""
        if self.minimum is None or self.maximum is None:
            return 0
        return self.maximum - self.minimum

    def add(self, tick: int, time_s: float) -> None:
        """Take the next position, ticks 0..4095, and when it was read, s."""
        if self._last is not None:
            if time_s - self._last_s > LONGEST_GAP_S:
                # Nobody saw whether it passed the end meanwhile: what was recorded proves nothing.
                self.gaps += 1
                self.minimum = self.maximum = None
            elif abs(tick - self._last) > _HALF_TURN:
                self.passed_end = True
        self._last, self._last_s = tick, time_s
        self.minimum = tick if self.minimum is None else min(self.minimum, tick)
        self.maximum = tick if self.maximum is None else max(self.maximum, tick)
