"""The register file of one virtual STS3215: bytes, what survives power-off, what is read-only."""

from collections.abc import Iterable

from chefmate_core.servo.registers import (
    LOCK,
    MAX_TORQUE_LIMIT,
    MEMORY_SIZE,
    REGISTERS,
    TORQUE_LIMIT,
    Area,
    Register,
)

_READ_ONLY = frozenset(
    address
    for register in REGISTERS.values()
    if register.read_only
    for address in range(register.address, register.address + register.size)
)
_LASTING = frozenset(
    address
    for register in REGISTERS.values()
    if register.area is not Area.RAM
    for address in range(register.address, register.address + register.size)
)


class ServoMemory:
    """Registers by address, as the bus sees them."""

    def __init__(self) -> None:
        self.live = bytearray(MEMORY_SIZE)
        self.refused: frozenset[int] = frozenset()  # addresses that keep their value when written
        for register in REGISTERS.values():
            self.set(register, register.factory)
        self._lasting = bytes(self.live)

    def get(self, register: Register) -> int:
        """Return a register's value."""
        return register.decode(self.live[register.address : register.address + register.size])

    def set(self, register: Register, value: int) -> None:
        """Set a register from inside the servo: read-only ones too."""
        self.live[register.address : register.address + register.size] = register.encode(value)

    def set_lasting(self, register: Register, value: int) -> None:
        """Set a register from inside the servo so that it survives power-off."""
        self.set(register, value)
        self._keep(range(register.address, register.address + register.size))

    def read(self, address: int, size: int) -> bytes:
        """Return a block; what lies behind the last register reads as zero."""
        return bytes(self.live[address : address + size]).ljust(size, b'\0')

    def write(self, address: int, data: bytes) -> None:
        """Write a block as the bus does: read-only bytes ignore it.

        EEPROM takes the value at once, but keeps it over power-off only while `lock` is 0.
        """
        written = [
            (place, value)
            for place, value in enumerate(data, address)
            if place < MEMORY_SIZE and place not in _READ_ONLY and place not in self.refused
        ]
        for place, value in written:
            self.live[place] = value
        if not self.get(LOCK):
            self._keep(place for place, _ in written if place in _LASTING)

    def power_cycle(self) -> None:
        """Forget what power-off forgets."""
        self.live[:] = self._lasting
        for register in REGISTERS.values():
            if register.area is Area.RAM:
                self.set(register, register.factory)
        self.set(TORQUE_LIMIT, self.get(MAX_TORQUE_LIMIT))
        self.set(LOCK, 1)

    def _keep(self, places: Iterable[int]) -> None:
        lasting = bytearray(self._lasting)
        for place in places:
            lasting[place] = self.live[place]
        self._lasting = bytes(lasting)
