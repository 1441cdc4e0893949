"""When a simulator may become the arm: it speaks, and any other arm would be known by now."""

import time

from rclpy.impl.rcutils_logger import RcutilsLogger

from chefmate_core.errors import BusError
from chefmate_core.twin.arm import TwinArm

# So long the simulator has been heard before it is an arm: by then another one is known, too.
# A participant whose first announcements were lost announces itself again after 3 s.
DISCOVERY_S = 3.0
# So long it is waited in silence, and from one reminder to the next.
PATIENCE_S, REMINDER_S = 5.0, 30.0


class SimulatorWait:
    """Looks whenever it is asked; whoever has started no simulator is told what is missing."""

    def __init__(self, arm: TwinArm, log: RcutilsLogger) -> None:
        self._arm, self._log = arm, log
        self._heard_since_s: float | None = None
        self._remind_s = time.monotonic() + PATIENCE_S
        self.sentence = 'waiting for the simulator'

    def is_over(self) -> bool:
        """Return whether the simulator has spoken for long enough."""
        now_s = time.monotonic()
        try:
            self._arm.connect()
        except BusError as error:
            self._heard_since_s = None
            self.sentence = f'waiting for the simulator: {error}'
            if now_s >= self._remind_s:
                self._remind_s = now_s + REMINDER_S
                self._log.warning(f'{self.sentence} You start Isaac Sim: docs/isaac.md')
            return False
        if self._heard_since_s is None:
            self._heard_since_s = now_s
            self.sentence = 'the simulator speaks; looking for another arm'
        return now_s - self._heard_since_s >= DISCOVERY_S
