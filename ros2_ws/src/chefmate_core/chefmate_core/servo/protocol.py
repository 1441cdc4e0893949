"""The STS packet: encode, decode, and find packets in a dirty stream. Pure functions of bytes.

Source: Feetech, "Bus servo communication protocol" (FT-SCS protocol manual).

    FF FF | id | length = parameters + 2 | instruction or error | parameters | checksum

The checksum is the inverted low byte of the sum of everything between the header and itself.
Instruction packets and status packets have the same frame; only the fifth byte's meaning differs.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

HEADER = b'\xff\xff'
BROADCAST_ID = 0xFE
OVERHEAD_BYTES = 6  # header, id, length, instruction or error, checksum
# Largest `length` byte that is believed. The largest real one on this bus is a sync write.
MAX_LENGTH = 250
# A start bit, 8 data bits, a stop bit.
BITS_PER_BYTE = 10


class Instruction(IntEnum):
    """What a packet to the servos asks for."""

    PING = 0x01
    READ = 0x02
    WRITE = 0x03
    REG_WRITE = 0x04
    ACTION = 0x05
    SYNC_READ = 0x82
    SYNC_WRITE = 0x83


@dataclass(frozen=True, slots=True)
class Frame:
    """One packet with a right checksum. `code` is the instruction, or a reply's error byte."""

    servo_id: int
    code: int
    parameters: bytes


def checksum(body: bytes | bytearray) -> int:
    """Return the checksum of everything between the header and the checksum."""
    return ~sum(body) & 0xFF


def packet(servo_id: int, code: int, parameters: bytes = b'') -> bytes:
    """Return a whole packet: an instruction to a servo, or a reply (`code` = error byte)."""
    length = len(parameters) + 2
    if not 0 <= servo_id <= BROADCAST_ID or not 0 <= code <= 0xFF or length > MAX_LENGTH:
        raise ValueError(
            f'no such packet: id {servo_id} (0..254), code {code} (0..255), '
            f'{len(parameters)} parameters (at most {MAX_LENGTH - 2})'
        )
    body = bytes((servo_id, length, code)) + parameters
    return HEADER + body + bytes((checksum(body),))


def ping_packet(servo_id: int) -> bytes:
    """Return a ping; the servo replies without parameters."""
    return packet(servo_id, Instruction.PING)


def read_packet(servo_id: int, address: int, size: int) -> bytes:
    """Return a request for `size` bytes from `address`."""
    return packet(servo_id, Instruction.READ, bytes((address, size)))


def write_packet(servo_id: int, address: int, data: bytes) -> bytes:
    """Return a write of `data` to `address`."""
    return packet(servo_id, Instruction.WRITE, bytes((address,)) + data)


def sync_read_packet(address: int, size: int, servo_ids: Iterable[int]) -> bytes:
    """Return one request for the same block of several servos; they reply in this order."""
    return packet(BROADCAST_ID, Instruction.SYNC_READ, bytes((address, size, *servo_ids)))


def sync_write_packet(
    address: int, size: int, servo_ids: Sequence[int], data: Sequence[bytes]
) -> bytes:
    """Return one write of the same block, with data of its own for each servo; no replies."""
    parameters = bytearray((address, size))
    for servo_id, block in zip(servo_ids, data, strict=True):
        if len(block) != size:
            raise ValueError(f'servo {servo_id}: {len(block)} bytes for a block of {size}')
        parameters.append(servo_id)
        parameters += block
    return packet(BROADCAST_ID, Instruction.SYNC_WRITE, bytes(parameters))


def wire_time_s(byte_count: int, baud_rate: int) -> float:
    """Return how long the bytes are on the wire."""
    return byte_count * BITS_PER_BYTE / baud_rate


class PacketParser:
    """Finds packets in a stream, wherever it was cut and whatever is between them.

    After a wrong checksum only one byte is given up, so a packet that begins inside a broken one
    (a truncated reply followed by the next servo's) is found. Counters only grow.
    """

    def __init__(self) -> None:
        self.checksum_errors = 0
        self.garbage_bytes = 0
        self._buffer = bytearray()

    @property
    def pending_bytes(self) -> int:
        """Bytes kept because they may be the beginning of a packet."""
        return len(self._buffer)

    def feed(self, data: bytes) -> list[Frame]:
        """Take the next bytes; return the packets that are complete by now."""
        self._buffer += data
        return self._scan(is_final=False)

    def finish(self) -> list[Frame]:
        """No more bytes will come: return what is whole behind an incomplete packet."""
        return self._scan(is_final=True)

    def reset(self) -> None:
        """Forget a packet that has begun."""
        self._buffer.clear()

    def _scan(self, is_final: bool) -> list[Frame]:
        buffer = self._buffer
        frames: list[Frame] = []
        start = 0  # everything before it is done with
        while True:
            begin = buffer.find(HEADER, start)
            if begin < 0:
                # A single FF at the end may be half a header.
                keep = 1 if not is_final and buffer[start:].endswith(b'\xff') else 0
                self.garbage_bytes += len(buffer) - start - keep
                start = len(buffer) - keep
                break
            self.garbage_bytes += begin - start
            start = begin
            available = len(buffer) - begin
            impossible = available >= 3 and buffer[begin + 2] == 0xFF
            if available >= 4 and not impossible:
                impossible = not 2 <= buffer[begin + 3] <= MAX_LENGTH
            if not impossible:
                size = buffer[begin + 3] + 4 if available >= 4 else OVERHEAD_BYTES
                if available < size:
                    if not is_final:
                        break
                    impossible = True
                elif sum(buffer[begin + 2 : begin + size]) & 0xFF == 0xFF:
                    frames.append(
                        Frame(
                            buffer[begin + 2],
                            buffer[begin + 4],
                            bytes(buffer[begin + 5 : begin + size - 1]),
                        )
                    )
                    start = begin + size
                    continue
                else:
                    self.checksum_errors += 1
            self.garbage_bytes += 1
            start = begin + 1
        del buffer[:start]
        return frames
