"""The one place where images and intrinsics become ROS messages and come back (BGR <-> RGB too).

Everywhere else in ChefMate an image is rgb, uint8, shape (H, W, 3).
"""

from array import array

import numpy as np
from builtin_interfaces.msg import Time
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Header

from chefmate_core.camera.intrinsics import CameraIntrinsics
from chefmate_core.errors import CameraError

RAW_ENCODINGS = ('rgb8', 'bgr8', 'mono8')
NANOSECONDS = 1_000_000_000


def time_message(stamp_ns: int) -> Time:
    """Return a ROS time of nanoseconds since its clock's epoch."""
    return Time(sec=stamp_ns // NANOSECONDS, nanosec=stamp_ns % NANOSECONDS)


def stamp_ns(header: Header) -> int:
    """Return a header's stamp in nanoseconds."""
    return header.stamp.sec * NANOSECONDS + header.stamp.nanosec


def image_header(stamp_ns: int, frame_id: str) -> Header:
    """Return the header that the image, its camera_info and its JPEG share."""
    return Header(stamp=time_message(stamp_ns), frame_id=frame_id)


def byte_array(content: np.ndarray) -> array:
    """Return the bytes as the one sequence that rclpy takes without looking at each."""
    # rclpy checks other sequences element by element: 45 ms for a 640x480 numpy array, 0.9 so.
    content_bytes = array('B')
    content_bytes.frombytes(np.ascontiguousarray(content).data.cast('B'))
    return content_bytes


def image_message(image: np.ndarray, header: Header) -> Image:
    """Return an `rgb8` message of an rgb image, uint8, shape (H, W, 3)."""
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise CameraError(f'expected a uint8 image (H, W, 3); found {image.dtype} {image.shape}')
    height_px, width_px = image.shape[:2]
    message = Image(
        header=header, height=height_px, width=width_px, encoding='rgb8', step=3 * width_px
    )
    message.data = byte_array(image)
    return message


def rgb_image(message: Image) -> np.ndarray:
    """Return the rgb image, uint8, shape (H, W, 3), of a raw message.

    For `rgb8` without padding it is a view into the message, without a copy.

    Raises:
        CameraError: another encoding, or fewer bytes than height * step.
    """
    if message.encoding not in RAW_ENCODINGS:
        raise CameraError(
            f'image of {message.header.frame_id!r} has encoding {message.encoding!r}; '
            f'expected one of: {", ".join(RAW_ENCODINGS)}'
        )
    channels = 1 if message.encoding == 'mono8' else 3
    row_bytes = message.width * channels
    content = np.frombuffer(message.data, dtype=np.uint8)
    if message.step < row_bytes or content.size < message.height * message.step:
        raise CameraError(
            f'image of {message.header.frame_id!r} is {message.width}x{message.height} '
            f'{message.encoding} with step {message.step}, but holds {content.size} bytes'
        )
    rows = content[: message.height * message.step].reshape(message.height, message.step)
    pixels = rows[:, :row_bytes].reshape(message.height, message.width, channels)
    if message.encoding == 'rgb8':
        return pixels
    return pixels[..., ::-1].copy() if channels == 3 else np.repeat(pixels, 3, axis=2)


def camera_info_message(intrinsics: CameraIntrinsics, header: Header) -> CameraInfo:
    """Return the camera_info that goes with the image of the same header."""
    return CameraInfo(
        header=header,
        width=intrinsics.width_px,
        height=intrinsics.height_px,
        distortion_model=intrinsics.distortion_model,
        d=intrinsics.distortion.tolist(),
        k=intrinsics.camera_matrix.ravel(),
        r=intrinsics.rectification.ravel(),
        p=intrinsics.projection.ravel(),
    )
