"""The size of a JPEG picture, from its header alone."""

import struct

from chefmate_core.recording.errors import MessageBytesError

START_OF_IMAGE = b'\xff\xd8'
# Source: ITU-T T.81, table B.1: SOF0..SOF15 without DHT (C4), JPG (C8) and DAC (CC).
START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def jpeg_size(picture: bytes) -> tuple[int, int]:
    """Return (width, height) in pixels.

    Raises:
        MessageBytesError: the bytes are no JPEG picture.
    """
    at = len(START_OF_IMAGE)
    if picture[:at] != START_OF_IMAGE:
        raise MessageBytesError(
            f'the picture begins with {picture[:4].hex()!r}; a JPEG begins with ffd8'
        )
    while at + 9 <= len(picture) and picture[at] == 0xFF:
        marker = picture[at + 1]
        if marker in START_OF_FRAME:
            height_px, width_px = struct.unpack('>HH', picture[at + 5 : at + 9])
            return width_px, height_px
        at += 2 + int.from_bytes(picture[at + 2 : at + 4], 'big')
    raise MessageBytesError(f'a JPEG of {len(picture)} bytes has no frame header')
