"""Reads the few fields that a recorder looks at out of serialised messages.

Images are never decoded and messages never rebuilt: a stamp is eight bytes at a known place.
Source: OMG CDR (DDS-XTypes 1.3, 7.4), plain encoding: four bytes of encapsulation, then members in
order, each aligned to its own size counted from the first byte behind the encapsulation.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from chefmate_core.recording.errors import MessageBytesError

ENCAPSULATION_BYTES = 4
BIG_ENDIAN, LITTLE_ENDIAN = 0, 1
LONGEST_SEQUENCE = 1 << 20


class CdrCursor:
    """Walks through one serialised message."""

    def __init__(self, data: bytes) -> None:
        if len(data) < ENCAPSULATION_BYTES or data[0] != 0 or data[1] > LITTLE_ENDIAN:
            raise MessageBytesError(
                f'{len(data)} bytes that begin with {data[:4].hex()!r} are no CDR message: '
                'expected 0001 or 0000 and four bytes at least'
            )
        self._order = '<' if data[1] == LITTLE_ENDIAN else '>'
        self._data = data
        self._at = ENCAPSULATION_BYTES

    def number(self, code: str) -> int:
        """Return the next number; `code` is `struct`'s: b, B, i, I."""
        size = struct.calcsize(code)
        self._align(size)
        (value,) = struct.unpack(self._order + code, self._take(size))
        return value

    def string(self) -> str:
        """Return the next string."""
        length = self.number('I')
        return self._take(length)[: max(length - 1, 0)].decode('utf-8', errors='replace')

    def doubles(self) -> np.ndarray:
        """Return the next sequence of float64, shape (n,)."""
        count = self.number('I')
        if not count:
            return np.zeros(0)
        self._align(8)
        return np.frombuffer(self._take(8 * count), dtype=self._order + 'f8')

    def octets(self) -> bytes:
        """Return the next sequence of bytes."""
        return self._take(self.number('I'))

    def strings(self) -> list[str]:
        """Return the next sequence of strings."""
        return [self.string() for _ in range(self.count())]

    def count(self) -> int:
        """Return the length of the sequence that follows."""
        count = self.number('I')
        if count > LONGEST_SEQUENCE:
            raise MessageBytesError(f'a sequence of {count} elements; at most {LONGEST_SEQUENCE}')
        return count

    def _align(self, size: int) -> None:
        self._at += -(self._at - ENCAPSULATION_BYTES) % size

    def _take(self, size: int) -> bytes:
        if self._at + size > len(self._data):
            raise MessageBytesError(
                f'the message ends at byte {len(self._data)}; {size} bytes were expected '
                f'from byte {self._at} on'
            )
        self._at += size
        return self._data[self._at - size : self._at]


@dataclass(frozen=True)
class HeaderBytes:
    """`std_msgs/Header`."""

    stamp_ns: int
    frame_id: str


@dataclass(frozen=True, eq=False)
class JointBytes:
    """`sensor_msgs/JointState`: names and positions (rad, in the message's order)."""

    header: HeaderBytes
    names: tuple[str, ...]
    position_rad: np.ndarray


@dataclass(frozen=True)
class StatusBytes:
    """`diagnostic_msgs/DiagnosticStatus`."""

    name: str
    values: Mapping[str, str]


def read_header(data: bytes) -> HeaderBytes:
    """Return the header that a stamped message begins with."""
    return _header(CdrCursor(data))


def read_joints(data: bytes) -> JointBytes:
    """Return what a JointState says of positions."""
    cursor = CdrCursor(data)
    return JointBytes(_header(cursor), tuple(cursor.strings()), cursor.doubles())


def read_image(data: bytes) -> tuple[HeaderBytes, bytes]:
    """Return header and encoded picture of a CompressedImage."""
    cursor = CdrCursor(data)
    header = _header(cursor)
    cursor.string()  # format
    return header, cursor.octets()


def read_string(data: bytes) -> str:
    """Return the text of a `std_msgs/String`."""
    return CdrCursor(data).string()


def read_diagnostics(data: bytes) -> tuple[HeaderBytes, list[StatusBytes]]:
    """Return stamp and statuses of a DiagnosticArray."""
    cursor = CdrCursor(data)
    header = _header(cursor)
    statuses = []
    for _ in range(cursor.count()):
        cursor.number('B')  # level
        name = cursor.string()
        cursor.string()  # message
        cursor.string()  # hardware_id
        statuses.append(
            StatusBytes(name, {cursor.string(): cursor.string() for _ in range(cursor.count())})
        )
    return header, statuses


def string_message(text: str) -> bytes:
    """Return a serialised `std_msgs/String`."""
    content = text.encode('utf-8') + b'\0'
    return b'\0\1\0\0' + struct.pack('<I', len(content)) + content


def _header(cursor: CdrCursor) -> HeaderBytes:
    seconds = cursor.number('i')
    return HeaderBytes(seconds * 1_000_000_000 + cursor.number('I'), cursor.string())
