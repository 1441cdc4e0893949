"""What a bad day does to the packets on a servo bus: scripted, repeatable faults.

    bus.faults.add(Fault(FaultKind.DROP, servo_id=3, count=2))        # the next two of servo 3
    bus.faults.add(Fault(FaultKind.CORRUPT, probability=0.05, count=None))  # noise from now on
    bus.faults.add(Fault(FaultKind.DROP, traffic=Traffic.REQUESTS))   # the servos hear nothing
    bus.faults.kill(4); bus.faults.revive(4); bus.faults.clear()

A hang-up of the whole port is `VirtualServoBus.hang_up` and `plug_in`.
"""

import random
import threading
from dataclasses import dataclass
from enum import Enum


class FaultKind(Enum):
    """What happens to a packet."""

    DROP = 'drop'  # never arrives
    CORRUPT = 'corrupt'  # one bit flipped
    TRUNCATE = 'truncate'  # the end is missing
    LATE = 'late'  # arrives after `delay_s`
    DUPLICATE = 'duplicate'  # arrives twice
    NOISE = 'noise'  # rubbish in front of it


class Traffic(Enum):
    """Which way the packets go."""

    REPLIES = 'replies'  # what the driver hears
    REQUESTS = 'requests'  # what the servos hear


@dataclass(frozen=True)
class Fault:
    """One rule: which packets, how many, how likely.

    A reply is of one servo. A request with `servo_id` None is damaged on the wire, for all
    servos alike; with a `servo_id` it is damaged in that servo's ear alone, and only requests
    that mean this servo count.
    """

    kind: FaultKind
    servo_id: int | None = None  # None: any servo
    count: int | None = 1  # None: until cleared
    probability: float = 1.0
    delay_s: float = 0.02  # LATE only, real time
    traffic: Traffic = Traffic.REPLIES


class Faults:
    """The faults in force. Safe to change from any thread while the bus runs."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self.echo = False  # as an adapter that hears itself: every request comes back first
        self.done = dict.fromkeys(FaultKind, 0)  # how often each kind has struck
        self._random = random.Random(seed)
        self._lock = threading.Lock()
        self._rules: list[list] = []  # [fault, how often it may still strike]
        self._dead: set[int] = set()
        # Read without the lock: the bus's fast path.
        self.is_active = False
        self.strikes_requests = False

    def add(self, fault: Fault) -> None:
        """Put a fault in force."""
        with self._lock:
            self._rules.append([fault, fault.count])
            self._update()

    def kill(self, servo_id: int) -> None:
        """Make a servo neither hear nor answer."""
        with self._lock:
            self._dead.add(servo_id)
            self._update()

    def revive(self, servo_id: int) -> None:
        """Let a killed servo hear and answer again."""
        with self._lock:
            self._dead.discard(servo_id)
            self._update()

    def forget(self, kind: FaultKind) -> None:
        """End the rules of one kind."""
        with self._lock:
            self._rules = [rule for rule in self._rules if rule[0].kind is not kind]
            self._update()

    def clear(self) -> None:
        """End all faults of packets, and let the dead live."""
        with self._lock:
            self._rules.clear()
            self._dead.clear()
            self.echo = False
            self._update()

    def rules(self) -> list[tuple[Fault, int | None]]:
        """Return the rules in force and how often each may still strike (None: until cleared)."""
        with self._lock:
            return [(fault, left) for fault, left in self._rules]

    def dead(self) -> list[int]:
        """Return the ids of the servos that were killed."""
        with self._lock:
            return sorted(self._dead)

    def is_dead(self, servo_id: int) -> bool:
        """Return whether the servo was killed."""
        return self.is_active and servo_id in self._dead

    def apply(self, servo_id: int, reply: bytes) -> tuple[float, bytes]:
        """Return how long to wait before sending a reply, s, and what to send."""
        return self._strike(Traffic.REPLIES, servo_id, reply)

    def apply_to_wire(self, request: bytes) -> tuple[float, bytes]:
        """Return how long a request is on its way, s, and what all servos hear of it."""
        return self._strike(Traffic.REQUESTS, None, request)

    def apply_to_ear(self, servo_id: int, request: bytes) -> tuple[float, bytes]:
        """Return how long a request is on its way, s, and what this servo hears of it."""
        return self._strike(Traffic.REQUESTS, servo_id, request)

    def _strike(self, traffic: Traffic, servo_id: int | None, data: bytes) -> tuple[float, bytes]:
        delay_s = 0.0
        with self._lock:
            for rule in list(self._rules):
                fault, left = rule
                if not data or not _concerns(fault, traffic, servo_id):
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
                    data = self._damage(fault.kind, data)
        return delay_s, data

    def _damage(self, kind: FaultKind, data: bytes) -> bytes:
        if kind is FaultKind.DROP:
            return b''
        if kind is FaultKind.TRUNCATE:
            return data[: self._random.randrange(len(data))]
        if kind is FaultKind.DUPLICATE:
            return data + data
        if kind is FaultKind.NOISE:
            return self._random.randbytes(self._random.randrange(1, 8)) + data
        bit = self._random.randrange(8 * len(data))
        broken = bytearray(data)
        broken[bit // 8] ^= 1 << (bit % 8)
        return bytes(broken)

    def _update(self) -> None:
        self.is_active = bool(self._rules or self._dead)
        self.strikes_requests = any(fault.traffic is Traffic.REQUESTS for fault, _ in self._rules)


def _concerns(fault: Fault, traffic: Traffic, servo_id: int | None) -> bool:
    if fault.traffic is not traffic:
        return False
    if traffic is Traffic.REPLIES:
        return fault.servo_id in (None, servo_id)
    # The wire's faults strike once for all ears, an ear's only there.
    return fault.servo_id == servo_id
