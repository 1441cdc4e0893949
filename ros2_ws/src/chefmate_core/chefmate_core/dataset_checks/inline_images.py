"""Images as data URIs, so that a page needs no other file."""

import base64
from fractions import Fraction

import av
import numpy as np

_QUALITY = 4  # FFmpeg's scale, 2 (best) to 31


def jpeg_uri(image: np.ndarray) -> str:
    """Return an image, uint8 rgb (H, W, 3), as a `data:` URI of a JPEG."""
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format='rgb24')
    frame = frame.reformat(format='yuvj420p', dst_color_range='JPEG')
    codec = av.CodecContext.create('mjpeg', 'w')
    assert isinstance(codec, av.VideoCodecContext)
    codec.width, codec.height, codec.pix_fmt = frame.width, frame.height, 'yuvj420p'
    codec.time_base = Fraction(1, 30)
    codec.qmin = codec.qmax = _QUALITY
    frame.pts = 0
    packets = [*codec.encode(frame), *codec.encode(None)]
    content = b''.join(bytes(packet) for packet in packets)
    return f'data:image/jpeg;base64,{base64.b64encode(content).decode()}'
