"""What a bad day does to a servo bus: scripted, repeatable faults in the replies.

    bus.faults.add(Fault(FaultKind.DROP, servo_id=3, count=2))        # the next two of servo 3
    bus.faults.add(Fault(FaultKind.CORRUPT, probability=0.05, count=None))  # noise from now on
    bus.faults.kill(4); bus.faults.revive(4); bus.faults.clear()

A hang-up of the whole port is `VirtualServoBus.hang_up` and `plug_in`.
"""

import random
import threading
from dataclasses import dataclass
from enum import Enum


class FaultKind(Enum):
    """What happens to a reply."""

    DROP = 'drop'  # never sent
    CORRUPT = 'corrupt'  # one bit flipped
    TRUNCATE = 'truncate'  # the end is missing
    LATE = 'late'  # sent after `delay_s`
    DUPLICATE = 'duplicate'  # sent twice
    NOISE = 'noise'  # rubbish in front of it


@dataclass(frozen=True)
class Fault:
    """One rule: which replies, how many, how likely."""

    kind: FaultKind
    servo_id: int | None = None  # None: any servo
    count: int | None = 1  # None: until cleared
    probability: float = 1.0
    delay_s: float = 0.02  # LATE only


class Faults:
    """The faults in force. Safe to change from any thread while the bus runs."""

    def __init__(self, seed: int = 0) -> None:
        self.echo = False  # as an adapter that hears itself: every request comes back first
        self.done = dict.fromkeys(FaultKind, 0)  # how often each kind has struck
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._rules: list[list] = []  # [fault, how often it may still strike]
        self._dead: set[int] = set()
        self.is_active = False  # read without the lock: the bus's fast path

    def add(self, fault: Fault) -> None:
        """Put a fault in force."""
        with self._lock:
            self._rules.append([fault, fault.count])
            self.is_active = True

    def kill(self, servo_id: int) -> None:
        """Make a servo neither hear nor answer."""
        with self._lock:
            self._dead.add(servo_id)
            self.is_active = True

    def revive(self, servo_id: int) -> None:
        """Let a killed servo hear and answer again."""
        with self._lock:
            self._dead.discard(servo_id)
            self._update()

    def clear(self) -> None:
        """End all faults."""
        with self._lock:
            self._rules.clear()
            self._dead.clear()
            self.echo = False
            self._update()

    def is_dead(self, servo_id: int) -> bool:
        """Return whether the servo was killed."""
        return self.is_active and servo_id in self._dead

    def apply(self, servo_id: int, reply: bytes) -> tuple[float, bytes]:
        """Return how long to wait before sending, s, and what to send."""
        delay_s = 0.0
        with self._lock:
            for rule in list(self._rules):
                fault, left = rule
                if fault.servo_id not in (None, servo_id) or not reply:
                    continue
                if self._random.random() >= fault.probability:
                    continue
                self.done[fault.kind] += 1
                if left is not None:
                    rule[1] = left - 1
                    if rule[1] <= 0:
                        self._rules.remove(rule)
                        self._update()
                if fault.kind is FaultKind.LATE:
                    delay_s = max(delay_s, fault.delay_s)
                else:
                    reply = self._damage(fault.kind, reply)
        return delay_s, reply

    def _damage(self, kind: FaultKind, reply: bytes) -> bytes:
        if kind is FaultKind.DROP:
            return b''
        if kind is FaultKind.TRUNCATE:
            return reply[: self._random.randrange(len(reply))]
        if kind is FaultKind.DUPLICATE:
            return reply + reply
        if kind is FaultKind.NOISE:
            return self._random.randbytes(self._random.randrange(1, 8)) + reply
        bit = self._random.randrange(8 * len(reply))
        broken = bytearray(reply)
        broken[bit // 8] ^= 1 << (bit % 8)
        return bytes(broken)

    def _update(self) -> None:
        self.is_active = bool(self._rules or self._dead)
