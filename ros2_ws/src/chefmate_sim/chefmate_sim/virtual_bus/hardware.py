"""What a bad day does to the servos themselves: supply, heat, obstacles, encoders, EEPROM, ids.

    bus.hardware.add(Sag(to_v=4.5, for_s=3.0))
    bus.hardware.add(Stall(GRIPPER))
    bus.hardware.clear()

Times are those of the bus's clock. Joints are given by their index in `JOINT_NAMES`.
"""

import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from chefmate_core.servo import registers as reg
from chefmate_core.servo.registers import Area, Register
from chefmate_sim.virtual_bus.obstruction import ObstructedArm
from chefmate_sim.virtual_bus.servo import VirtualServo

EEPROM = tuple(register for register in reg.REGISTERS.values() if register.area is Area.EEPROM)


@dataclass(frozen=True)
class Plant:
    """What hardware faults act on."""

    servos: tuple[VirtualServo, ...]
    arm: ObstructedArm
    random: random.Random


class HardwareFault(Protocol):
    """One thing that is wrong with the servos, from `begin` to `end`."""

    def begin(self, plant: Plant) -> None:
        """Make it so."""
        ...

    def advance(self, plant: Plant, elapsed_s: float) -> bool:
        """Go on, `elapsed_s` after the beginning; return whether it is still in force."""
        ...

    def end(self, plant: Plant) -> None:
        """Undo it."""
        ...


class _Standing:
    """A fault that does not change by itself."""

    def advance(self, plant: Plant, elapsed_s: float) -> bool:
        """Stay in force."""
        return True


@dataclass
class Sag:
    """The supply of all servos falls to `to_v` within `over_s`, and is back after `for_s`."""

    to_v: float
    for_s: float | None = None  # None: until cleared
    over_s: float = 0.0

    def begin(self, plant: Plant) -> None:
        """Remember the voltages."""
        self._from_v = [servo.voltage_v for servo in plant.servos]

    def advance(self, plant: Plant, elapsed_s: float) -> bool:
        """Lower the voltages."""
        if self.for_s is not None and elapsed_s >= self.for_s:
            return False
        share = min(elapsed_s / self.over_s, 1.0) if self.over_s else 1.0
        for servo, from_v in zip(plant.servos, self._from_v, strict=True):
            servo.supply(from_v + share * (self.to_v - from_v))
        return True

    def end(self, plant: Plant) -> None:
        """Give the voltages back; servos that had too little restart."""
        for servo, from_v in zip(plant.servos, self._from_v, strict=True):
            servo.supply(from_v)


@dataclass
class Heat:
    """A servo warms up to `to_c` by `rate_c_s` degrees a second; it cools when cleared."""

    index: int
    to_c: float
    rate_c_s: float

    def begin(self, plant: Plant) -> None:
        """Remember the temperature."""
        self._from_c = plant.servos[self.index].temperature_c

    def advance(self, plant: Plant, elapsed_s: float) -> bool:
        """Warm the servo."""
        rise_c = min(self.rate_c_s * elapsed_s, max(self.to_c - self._from_c, 0.0))
        plant.servos[self.index].temperature_c = self._from_c + rise_c
        return True

    def end(self, plant: Plant) -> None:
        """Cool it."""
        plant.servos[self.index].temperature_c = self._from_c


@dataclass
class Stall(_Standing):
    """A joint stands still whatever its goal, as before an obstacle."""

    index: int

    def begin(self, plant: Plant) -> None:
        """Block the joint."""
        plant.arm.block(self.index)

    def end(self, plant: Plant) -> None:
        """Free the joint."""
        plant.arm.free(self.index)


@dataclass
class EncoderError(_Standing):
    """Measurements jump by `jump_ticks`, with the encoder's status bit set.

    The joint itself stays where it is: that the servo would regulate by its wrong measurement is
    not modelled.
    """

    index: int
    jump_ticks: int = 300
    probability: float = 1.0  # of each measurement

    def begin(self, plant: Plant) -> None:
        """Break the encoder."""
        chance = plant.random

        def jump() -> int:
            return self.jump_ticks if chance.random() < self.probability else 0

        plant.servos[self.index].encoder_jump = jump

    def end(self, plant: Plant) -> None:
        """Mend the encoder."""
        plant.servos[self.index].encoder_jump = None


@dataclass
class RefusedEeprom(_Standing):
    """Writes are acknowledged, but EEPROM keeps its value: one register, or all."""

    index: int
    register: Register | None = None

    def begin(self, plant: Plant) -> None:
        """Protect the bytes."""
        registers = EEPROM if self.register is None else (self.register,)
        plant.servos[self.index].memory.refused = frozenset(
            place
            for register in registers
            for place in range(register.address, register.address + register.size)
        )

    def end(self, plant: Plant) -> None:
        """Let them be written again."""
        plant.servos[self.index].memory.refused = frozenset()


@dataclass
class Twin(_Standing):
    """A servo has the id of another: both hear what is meant for it, and answer at once."""

    index: int
    of_id: int

    def begin(self, plant: Plant) -> None:
        """Change the id, for good as far as the servo knows."""
        memory = plant.servos[self.index].memory
        self._own_id = memory.get(reg.SERVO_ID)
        memory.set_lasting(reg.SERVO_ID, self.of_id)

    def end(self, plant: Plant) -> None:
        """Give it its own id back."""
        plant.servos[self.index].memory.set_lasting(reg.SERVO_ID, self._own_id)


class HardwareFaults:
    """The hardware faults in force. Safe to change from any thread while the bus runs.

    Args:
        plant: what they act on.
        clock: seconds.
        lock: held by the bus while it uses the plant.
        on_change: called when a fault was added, so that the bus begins to call `advance`.
    """

    def __init__(
        self,
        plant: Plant,
        clock: Callable[[], float],
        lock: threading.RLock,
        on_change: Callable[[], None],
    ) -> None:
        self._plant = plant
        self._clock = clock
        self._lock = lock
        self._on_change = on_change
        self._faults: list[tuple[HardwareFault, float]] = []  # and when it began
        self.is_active = False  # read without the lock: the bus's fast path

    def add(self, fault: HardwareFault) -> None:
        """Put a fault in force, instead of one of its kind on the same joint."""
        with self._lock:
            for other, _ in list(self._faults):
                if _place(other) == _place(fault):
                    self._end(other)
            fault.begin(self._plant)
            self._faults.append((fault, self._clock()))
            self.is_active = True
            self.advance()
        self._on_change()

    def clear(self, kind: type | None = None) -> None:
        """End all faults, or those of one kind."""
        with self._lock:
            for fault, _ in list(self._faults):
                if kind is None or isinstance(fault, kind):
                    self._end(fault)

    def in_force(self) -> list[HardwareFault]:
        """Return the faults in force, oldest first."""
        with self._lock:
            return [fault for fault, _ in self._faults]

    def advance(self) -> None:
        """Let the faults go on until now. The bus calls it before each request and between."""
        with self._lock:
            now_s = self._clock()
            for fault, began_s in list(self._faults):
                if not fault.advance(self._plant, now_s - began_s):
                    self._end(fault)

    def _end(self, fault: HardwareFault) -> None:
        self._faults = [entry for entry in self._faults if entry[0] is not fault]
        self.is_active = bool(self._faults)
        fault.end(self._plant)


def _place(fault: HardwareFault) -> tuple[type, int | None]:
    return type(fault), getattr(fault, 'index', None)
