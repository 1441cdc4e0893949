"""JPEG bytes to an rgb image, by FFmpeg's decoder: no OpenCV in core."""

import av
import av.error
import numpy as np
from av.video.reformatter import Interpolation, VideoReformatter

from chefmate_core.errors import CameraError

_START, _END = b'\xff\xd8', b'\xff\xd9'  # ISO/IEC 10918-1, table B.1: SOI and EOI
# FFmpeg's default rounds chroma roughly: a mean difference of 1.5 levels to libjpeg's result, and
# a green tint of one level. With these flags it is 0.35 levels and no tint.
_CONVERSION = Interpolation.BILINEAR | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT


class JpegDecoder:
    """Decodes the images of one camera, one thread at a time."""

    def __init__(self) -> None:
        self._codec = _open_codec()
        self._reformatter = VideoReformatter()

    def decode(self, content: bytes | bytearray | memoryview | np.ndarray) -> np.ndarray:
        """Return the image of one JPEG, uint8 rgb, shape (H, W, 3).

        Raises:
            CameraError: the bytes are no JPEG, or end before the image does.
        """
        data = bytes(content)
        if not data.startswith(_START):
            raise CameraError(
                f'expected a JPEG image; found {len(data)} bytes beginning with {data[:4].hex()!r}'
            )
        if _END not in data[-64:]:  # a few cameras pad their frames
            raise CameraError(f'the JPEG image is cut off after {len(data)} bytes')
        try:
            frames = self._codec.decode(av.Packet(data))
            if len(frames) != 1:
                raise CameraError(f'expected one JPEG image; found {len(frames)}')
            converted = self._reformatter.reformat(
                frames[0], format='rgb24', interpolation=_CONVERSION
            )
            return np.ascontiguousarray(converted.to_ndarray())
        except (av.error.FFmpegError, ValueError) as error:
            self._codec = _open_codec()  # one bad image must not spoil the next
            raise CameraError(f'the JPEG image ({len(data)} bytes) is damaged: {error}') from error


def _open_codec() -> av.VideoCodecContext:
    codec = av.CodecContext.create('mjpeg', 'r')
    assert isinstance(codec, av.VideoCodecContext)
    codec.thread_count = 1  # threads would hold frames back
    return codec
