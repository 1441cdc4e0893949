"""Camera frames as JPEG; the size that one claims is checked before it is decoded."""

import cv2
import numpy as np

from chefmate_core.policy.wire import limits
from chefmate_core.policy.wire.errors import bad_request, too_large

_STANDALONE = {0x01, *range(0xD0, 0xD8)}  # markers without a length
_START_OF_FRAME = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def to_jpeg(image: np.ndarray, quality: int) -> bytes:
    """Return a frame, uint8 rgb (H, W, 3), as JPEG; `quality` 1 to 100."""
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    done, data = cv2.imencode('.jpg', bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise bad_request(f'a frame of shape {image.shape} cannot be compressed')
    return data.tobytes()


def from_jpeg(data: bytes) -> np.ndarray:
    """Return the frame in a JPEG, uint8 rgb (H, W, 3).

    Raises:
        RequestError: it is no JPEG, cut off in its header, or too large.
    """
    height, width = jpeg_size(data)
    check_pixels(height, width)
    bgr = cv2.imdecode(
        np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION
    )
    if bgr is None:
        raise bad_request(f'a frame of {len(data)} bytes is no readable JPEG')
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def check_pixels(height: int, width: int) -> None:
    """Check a frame's size.

    Raises:
        RequestError: it has none, or more pixels than are allowed.
    """
    if height < 1 or width < 1:
        raise bad_request(f'a frame has at least one pixel; found {width}x{height}')
    if height * width > limits.FRAME_PIXELS:
        raise too_large(
            f'a frame of {width}x{height} is too large; allowed: {limits.FRAME_PIXELS} pixels'
        )


def jpeg_size(data: bytes) -> tuple[int, int]:
    """Return (height, width) from a JPEG's start-of-frame segment (ITU-T T.81, B.2.2).

    Raises:
        RequestError: there is none.
    """
    if data[:2] == b'\xff\xd8':
        at = 2
        while at + 9 <= len(data) and data[at] == 0xFF:
            marker = data[at + 1]
            if marker in _START_OF_FRAME:
                return (
                    int.from_bytes(data[at + 5 : at + 7], 'big'),
                    int.from_bytes(data[at + 7 : at + 9], 'big'),
                )
            if marker == 0xFF:  # fill byte
                at += 1
            elif marker in _STANDALONE:
                at += 2
            else:
                at += 2 + max(2, int.from_bytes(data[at + 2 : at + 4], 'big'))
    raise bad_request(f'a frame must be a JPEG; found {len(data)} bytes without its header')
