"""Sync read and sync write requests, prepared once for the cycle that sends them."""

import struct
from collections.abc import Sequence

from chefmate_core.servo.protocol import (
    BROADCAST_ID,
    OVERHEAD_BYTES,
    Frame,
    Instruction,
    sync_read_packet,
)
from chefmate_core.servo.registers import Register

_CODES = {1: 'B', 2: 'H'}
# The sum of a whole good packet: header 2 * 0xFF, and everything else sums to 0xFF by definition.
_GOOD_SUM = (0xFF + 0xFF + 0xFF) & 0xFF

# Error byte, then one raw value (undecoded sign) for each register.
Row = tuple[int, ...]


class SyncRead:
    """One block of neighbouring registers of several servos: request, expected size, decoding."""

    def __init__(self, servo_ids: Sequence[int], registers: Sequence[Register]) -> None:
        self.servo_ids = tuple(servo_ids)
        self.registers = tuple(registers)
        address = registers[0].address
        layout = ''
        for register in registers:
            gap = register.address - address
            if gap < 0:
                raise ValueError(f'register {register.name} overlaps the one before it')
            layout += ('x' * gap) + _CODES[register.size]
            address = register.address + register.size
        size = address - registers[0].address
        self.reply_bytes = OVERHEAD_BYTES + size
        self.total_bytes = self.reply_bytes * len(self.servo_ids)
        self.request = sync_read_packet(registers[0].address, size, self.servo_ids)
        self._data_bytes = size
        # Header, id and length as one number, error byte, values, checksum skipped.
        self._reply = struct.Struct(f'<IB{layout}x')
        self._values = struct.Struct(f'<{layout}')
        self._heads = tuple(
            int.from_bytes(bytes((0xFF, 0xFF, servo_id, size + 2)), 'little')
            for servo_id in self.servo_ids
        )

    def decode_clean(self, data: bytes) -> list[Row | None] | None:
        """Return the rows of an answer without any flaw, or None: then `decode_frame` helps."""
        size = self.reply_bytes
        if len(data) != self.total_bytes:
            return None
        rows: list[Row | None] = []
        start = 0
        for head, values in zip(self._heads, self._reply.iter_unpack(data), strict=True):
            if values[0] != head or sum(data[start : start + size]) & 0xFF != _GOOD_SUM:
                return None
            rows.append(values[1:])
            start += size
        return rows

    def decode_frame(self, frame: Frame) -> Row | None:
        """Return one reply's row, or None if it has another size."""
        if len(frame.parameters) != self._data_bytes:
            return None
        return (frame.code, *self._values.unpack(frame.parameters))

    def only(self, servo_ids: Sequence[int]) -> 'SyncRead':
        """Return the same block for some of the servos."""
        return SyncRead(servo_ids, self.registers)


class SyncWrite:
    """One register of two bytes of several servos, with the packet kept between cycles."""

    def __init__(self, servo_ids: Sequence[int], register: Register) -> None:
        if register.size != 2:
            raise ValueError(f'register {register.name}: a sync write is for two bytes each')
        head = bytes((0xFF, 0xFF, BROADCAST_ID, 4 + 3 * len(servo_ids), Instruction.SYNC_WRITE))
        self._packet = bytearray(head + bytes((register.address, register.size)))
        self._fixed_sum = sum(self._packet[2:]) + sum(servo_ids)
        self._servo_ids = tuple(servo_ids)
        self._body = struct.Struct('<' + 'BH' * len(servo_ids) + 'B')
        self._start = len(self._packet)
        self._packet += bytes(self._body.size)

    def packet(self, raw_values: Sequence[int]) -> bytearray:
        """Return the packet for one raw value (0..65535) a servo; valid until the next call."""
        body: list[int] = []
        total = self._fixed_sum
        for servo_id, value in zip(self._servo_ids, raw_values, strict=True):
            body += (servo_id, value)
            total += (value & 0xFF) + (value >> 8)
        self._body.pack_into(self._packet, self._start, *body, ~total & 0xFF)
        return self._packet
