"""Images, raw and compressed, with their pixels as bytes.

cyclonedds makes a Python list of every sequence of bytes: measured 100 ms to encode a picture of
640x480 and 33 ms to decode one. In both messages the bytes are the last field, so that what is
before them can be left to cyclonedds, and they are appended as they are: less than 0.1 ms.
"""

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from cyclonedds.idl import IdlStruct
from cyclonedds.idl.types import sequence, uint8, uint32

from chefmate_core.dds_client.messages import Header
from chefmate_core.errors import CameraError

_LENGTH_BYTES = 4

if TYPE_CHECKING:
    Bytes = bytes
else:
    Bytes = sequence[uint8]


@dataclass
class _ImageHead(IdlStruct, typename='sensor_msgs.msg.dds_.ImageHead_'):
    """What is before the pixels."""

    header: Header = field(default_factory=Header)
    height: uint32 = 0
    width: uint32 = 0
    encoding: str = ''
    is_bigendian: uint8 = 0
    step: uint32 = 0


@dataclass
class _CompressedImageHead(IdlStruct, typename='sensor_msgs.msg.dds_.CompressedImageHead_'):
    """What is before the file."""

    header: Header = field(default_factory=Header)
    format: str = ''


@dataclass
class Image(IdlStruct, typename='sensor_msgs.msg.dds_.Image_'):
    """sensor_msgs/Image; `data` is bytes, row by row, `step` bytes each."""

    header: Header = field(default_factory=Header)
    height: uint32 = 0
    width: uint32 = 0
    encoding: str = ''
    is_bigendian: uint8 = 0
    step: uint32 = 0
    data: Bytes = b''

    @classmethod
    def from_rgb(cls, header: Header, pixels: np.ndarray) -> 'Image':
        """Return the message of a picture: rgb, uint8, shape (height, width, 3).

        Raises:
            CameraError: another shape or type.
        """
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
            raise CameraError(
                f'a picture of shape {pixels.shape} and type {pixels.dtype}; expected rgb, uint8, '
                'shape (height, width, 3)'
            )
        height, width = pixels.shape[:2]
        return cls(header, height, width, 'rgb8', 0, 3 * width, pixels.tobytes())

    def rgb(self) -> np.ndarray:
        """Return the pixels: rgb, uint8, shape (height, width, 3), not writable.

        Raises:
            CameraError: the encoding is not rgb8, or size and number of bytes do not agree.
        """
        if self.encoding != 'rgb8':
            raise CameraError(f'the image is {self.encoding!r}; expected rgb8')
        if self.step < 3 * self.width or len(self.data) != self.step * self.height:
            raise CameraError(
                f'an image of {self.width}x{self.height} with {self.step} bytes a row has '
                f'{len(self.data)} bytes'
            )
        rows = np.frombuffer(self.data, np.uint8).reshape(self.height, self.step)
        return rows[:, : 3 * self.width].reshape(self.height, self.width, 3)

    def serialize(self, *args: Any, **kwargs: Any) -> bytes:
        """Return the message as CDR (called by cyclonedds)."""
        head = _ImageHead(
            self.header, self.height, self.width, self.encoding, self.is_bigendian, self.step
        )
        return _with_bytes(head.serialize(*args, **kwargs), self.data)

    @classmethod
    def deserialize(cls, data: bytes, *args: Any, **kwargs: Any) -> 'Image':
        """Return the message of a CDR (called by cyclonedds)."""
        head = _ImageHead.deserialize(data, *args, **kwargs)
        return cls(**vars(head), data=_bytes_behind(head, data))


@dataclass
class CompressedImage(IdlStruct, typename='sensor_msgs.msg.dds_.CompressedImage_'):
    """sensor_msgs/CompressedImage; `data` is a file such as a JPEG, `format` says which."""

    header: Header = field(default_factory=Header)
    format: str = ''
    data: Bytes = b''

    def serialize(self, *args: Any, **kwargs: Any) -> bytes:
        """Return the message as CDR (called by cyclonedds)."""
        head = _CompressedImageHead(self.header, self.format)
        return _with_bytes(head.serialize(*args, **kwargs), self.data)

    @classmethod
    def deserialize(cls, data: bytes, *args: Any, **kwargs: Any) -> 'CompressedImage':
        """Return the message of a CDR (called by cyclonedds)."""
        head = _CompressedImageHead.deserialize(data, *args, **kwargs)
        return cls(**vars(head), data=_bytes_behind(head, data))


def _aligned(size: int) -> int:
    """Return where the length of the sequence stands: the next multiple of 4."""
    return -(-size // _LENGTH_BYTES) * _LENGTH_BYTES


def _with_bytes(head: bytes, data: Any) -> bytes:
    """Return `head` with a sequence of bytes behind it."""
    order = '<' if head[1] & 1 else '>'
    padding = bytes(_aligned(len(head)) - len(head))
    return b''.join((head, padding, struct.pack(f'{order}I', len(data)), bytes(data)))


def _bytes_behind(head: IdlStruct, data: bytes) -> bytes:
    """Return the sequence of bytes in `data` behind `head`, which was read from it.

    How long the head is does not depend on the order of bytes: it is written once more.
    """
    start = _aligned(len(head.serialize()))
    order = '<' if data[1] & 1 else '>'
    (count,) = struct.unpack_from(f'{order}I', data, start)
    start += _LENGTH_BYTES
    return bytes(memoryview(data)[start : start + count])
