"""What the campaign sees on the wire, in front of the faults: which goals were sent and lost."""

import contextlib
from collections.abc import Callable, Iterator

from chefmate_core.joints import JOINT_COUNT
from chefmate_core.servo.protocol import Frame, Instruction, PacketParser
from chefmate_core.servo.registers import GOAL_POSITION
from chefmate_sim.virtual_bus import VirtualServoBus
from chefmate_sim.virtual_bus.monitor import BusMonitor

_EPSILON_S = 1e-6


class WatchedParser(PacketParser):
    """The parser of a virtual bus that watches the requests, and counts the bytes acted on.

    `sight` returns how long ago the joint that has been silent longest was last read, s, and how
    long it may be; `breach` says when goals were written to an arm for all that.
    """

    def __init__(self, bus: VirtualServoBus, monitor: BusMonitor) -> None:
        super().__init__()
        self.done_bytes = 0
        self.breach = ''
        self.sight: Callable[[], tuple[float, float]] = lambda: (0.0, 0.0)
        self._bus = bus
        self._monitor = monitor

    def feed(self, data):
        """Take the next bytes; yield the packets, each to be acted on before the next."""
        for frame in super().feed(data):
            with self._watch(frame):
                yield frame
        self.done_bytes += len(data)

    @contextlib.contextmanager
    def _watch(self, frame: Frame) -> Iterator[None]:
        """See which goals of a sync write are damaged on the way to servos that live."""
        parameters = frame.parameters
        is_goals = frame.code == Instruction.SYNC_WRITE and parameters[0] == GOAL_POSITION.address
        ids = parameters[2 :: 1 + GOAL_POSITION.size] if is_goals else ()
        servos = [servo for servo in self._bus.servos if servo.servo_id in ids]
        before = [servo.goals_written for servo in servos]
        if len(servos) == JOINT_COUNT:
            self._check_sight()
        yield
        for servo, count in zip(servos, before, strict=True):
            is_deaf = self._bus.faults.is_dead(servo.servo_id) or not servo.is_powered
            if servo.goals_written == count and not is_deaf:
                self._monitor.goal_lost(servo.index)

    def _check_sight(self) -> None:
        """Goals go to the whole arm only while every joint answers, or was silent for a moment."""
        age_s, allowed_s = self.sight()
        if age_s > allowed_s + _EPSILON_S:
            self.breach = f'goals were written to an arm with a joint silent for {age_s:.3f} s'
