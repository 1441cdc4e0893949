"""A camera through Video for Linux."""

import time
from collections.abc import Callable

import cv2

from chefmate_core.camera.frame import Frame
from chefmate_core.camera.settings import CameraSettings
from chefmate_core.errors import CameraError
from chefmate_ros.jpeg_messages import rgb_from_bgr

# A driver's time stamp further back than this is of another clock, and is not used.
MAX_BUFFER_AGE_S = 0.5


class V4l2Source:
    """An opened camera. Frames are stamped with the time at which the driver had them."""

    def __init__(self, settings: CameraSettings, now_ns: Callable[[], int]) -> None:
        """Open the camera, set its format and take one frame, which proves that it delivers.

        Raises:
            CameraError: it is in use, no camera, silent, or delivers another size.
        """
        self._where = f'camera {settings.name} at {settings.source}'
        self._now_ns = now_ns
        self._capture = cv2.VideoCapture(settings.source, cv2.CAP_V4L2)
        if not self._capture.isOpened():
            raise CameraError(
                f'{self._where} cannot be opened: it is in use by another process (sudo fuser -v '
                f'{settings.source} says which) or is no camera'
            )
        self._capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*settings.pixel_format))
        self._capture.set(cv2.CAP_PROP_FRAME_WIDTH, settings.width_px)
        self._capture.set(cv2.CAP_PROP_FRAME_HEIGHT, settings.height_px)
        self._capture.set(cv2.CAP_PROP_FPS, settings.rate_hz)
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # a queue would only hold old frames
        try:
            self._refuse_another_size(settings)
        except CameraError:
            self.close()
            raise

    def _refuse_another_size(self, settings: CameraSettings) -> None:
        height_px, width_px = self.read().image.shape[:2]
        if (width_px, height_px) != (settings.width_px, settings.height_px):
            raise CameraError(
                f'{self._where} delivers {width_px}x{height_px}, expected {settings.width_px}x'
                f'{settings.height_px} {settings.pixel_format} at {settings.rate_hz:g} Hz; choose '
                f'what it can do (v4l2-ctl -d {settings.source} --list-formats-ext) with the '
                'parameters width, height and pixel_format'
            )

    def read(self) -> Frame:
        """Return the next frame.

        Raises:
            CameraError: the camera is gone, silent, or sent a broken picture.
        """
        if not self._capture.grab():
            raise CameraError(
                f'{self._where} delivers no frame; check its plug and cable (dmesg tells more)'
            )
        # First the times, then the decoding, which takes some milliseconds.
        stamp_ns, steady_s = self._now_ns(), time.monotonic()
        age_s = buffer_age_s(self._capture.get(cv2.CAP_PROP_POS_MSEC) * 1e-3, steady_s)
        decoded, image = self._capture.retrieve()
        if not decoded or image is None:
            raise CameraError(f'{self._where} sent a picture that cannot be decoded')
        return Frame(rgb_from_bgr(image), stamp_ns - round(age_s * 1e9), steady_s - age_s)

    def close(self) -> None:
        """Release the camera."""
        self._capture.release()


def buffer_age_s(driver_stamp_s: float, steady_s: float) -> float:
    """Return how long ago the driver had the frame; 0 where its stamp is of another clock.

    V4L2 drivers stamp with the steady clock (V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC), which OpenCV
    passes on as CAP_PROP_POS_MSEC.
    """
    age_s = steady_s - driver_stamp_s
    return age_s if 0.0 <= age_s <= MAX_BUFFER_AGE_S else 0.0  # NaN: 0
