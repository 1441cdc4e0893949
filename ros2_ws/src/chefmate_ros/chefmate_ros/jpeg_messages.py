"""JPEG images as ROS messages, and OpenCV's order of colours."""

import cv2
import numpy as np
from sensor_msgs.msg import CompressedImage
from std_msgs.msg import Header

from chefmate_core.errors import CameraError
from chefmate_ros.image_messages import byte_array

JPEG_FORMAT = 'rgb8; jpeg compressed bgr8'  # as image_transport's compressed plugin spells it


def rgb_from_bgr(image: np.ndarray) -> np.ndarray:
    """Return a contiguous rgb copy of a bgr image (or the reverse), shape (H, W, 3)."""
    return cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_BGR2RGB)


def jpeg_message(image: np.ndarray, header: Header, quality: int) -> CompressedImage:
    """Return a JPEG of an rgb image; `quality` is 1..100."""
    encoded_ok, encoded = cv2.imencode(
        '.jpg', rgb_from_bgr(image), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    if not encoded_ok:
        raise CameraError(f'an image of shape {image.shape} could not be encoded as JPEG')
    message = CompressedImage(header=header, format=JPEG_FORMAT)
    message.data = byte_array(encoded)
    return message


def rgb_from_jpeg(message: CompressedImage) -> np.ndarray:
    """Return the rgb image, uint8, shape (H, W, 3), of a compressed message.

    Raises:
        CameraError: the bytes are no image.
    """
    content = np.frombuffer(message.data, dtype=np.uint8)
    image = cv2.imdecode(content, cv2.IMREAD_COLOR) if content.size else None
    if image is None:
        raise CameraError(
            f'compressed image of {message.header.frame_id!r} ({content.size} bytes, format '
            f'{message.format!r}) is no readable image'
        )
    return rgb_from_bgr(image)
