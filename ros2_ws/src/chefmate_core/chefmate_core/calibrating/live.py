"""Where the joints of a limp arm are, read again and again, also after a lost port."""

import time
from collections.abc import Callable

from chefmate_core.calibrating import eeprom
from chefmate_core.calibrating.connecting import turn_torque_off
from chefmate_core.calibrating.eeprom import ServoSettings
from chefmate_core.calibration import TICKS_PER_TURN
from chefmate_core.errors import BusError, CalibrationError
from chefmate_core.joints import JOINT_COUNT, JOINT_NAMES
from chefmate_core.servo import registers as reg
from chefmate_core.servo.bus import ServoBus
from chefmate_core.servo.registers import decode_sign_magnitude
from chefmate_core.servo.sync import SyncRead

# A position as old as this is not where the joint is.
STALE_S = 0.5
_REOPEN_EVERY_S = 0.3


class LivePositions:
    """Encoder positions of six servos, in the order of `JOINT_NAMES`; free of homing offsets."""

    def __init__(
        self, bus: ServoBus, ids: tuple[int, ...], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.ids = ids
        self.actual: list[int | None] = [None] * JOINT_COUNT  # ticks; None: never read
        self.read_at_s = [float('-inf')] * JOINT_COUNT
        self.problem = ''  # of the port, for people; empty when all is well
        self.is_limp = False  # whether torque is to be off, also after the port was lost
        self.settings: tuple[ServoSettings, ...] = ()  # what the servos hold
        self._bus = bus
        self._clock = clock
        self._block = SyncRead(ids, (reg.PRESENT_POSITION,))
        self._reopen_at_s = 0.0

    def learn(self) -> None:
        """Read what the servos hold; raise a BusError if one does not answer."""
        self.settings = self._read_settings()

    def read(self) -> list[int]:
        """Read all positions; return the indices of the joints that answered.

        A lost port is opened again, sooner or later. Raises CalibrationError if it is another
        arm's then.
        """
        if not self._bus.is_open and not self._reopen():
            return []
        try:
            rows = self._bus.sync_read(self._block)
        except BusError as error:
            self.problem = str(error)
            return []
        now_s = self._clock()
        fresh = []
        for index, row in enumerate(rows):
            if row is None or row[0] & reg.STATUS_ENCODER:
                continue
            position = decode_sign_magnitude(row[1], 15)
            offset = self.settings[index].homing_offset
            self.actual[index] = (position + offset) % TICKS_PER_TURN
            self.read_at_s[index] = now_s
            fresh.append(index)
        return fresh

    def ages_s(self) -> list[float]:
        """Return how long ago each joint answered, s."""
        now_s = self._clock()
        return [now_s - read_at_s for read_at_s in self.read_at_s]

    def stale(self) -> list[str]:
        """Return the joints whose position is not known now, with their ids."""
        return [
            f'{name} (id {servo_id})'
            for name, servo_id, age_s in zip(JOINT_NAMES, self.ids, self.ages_s(), strict=True)
            if age_s > STALE_S
        ]

    def _reopen(self) -> bool:
        """Open the port again, now and then; return whether it is there."""
        now_s = self._clock()
        if now_s < self._reopen_at_s:
            return False
        self._reopen_at_s = now_s + _REOPEN_EVERY_S
        try:
            self._bus.open()
            found = self._read_settings()
            if self.is_limp:
                turn_torque_off(self._bus, self.ids)
        except BusError as error:
            self._bus.close()
            self.problem = str(error)
            return False
        if found != self.settings:
            self._bus.close()
            raise CalibrationError(
                f'{self._bus.port}: another arm was plugged in, or another program wrote to this '
                'one: its EEPROM is not what it was. Nothing was written. Next: start again'
            )
        self.problem = ''
        return True

    def _read_settings(self) -> tuple[ServoSettings, ...]:
        return tuple(eeprom.read_settings(self._bus, servo_id) for servo_id in self.ids)
