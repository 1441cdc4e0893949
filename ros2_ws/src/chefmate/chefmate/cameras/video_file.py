"""A video file that plays as if it were a camera: at the camera's rate, again and again."""

import threading
import time
from collections.abc import Callable

import cv2

from chefmate_core.camera.frame import Frame
from chefmate_core.camera.settings import CameraSettings
from chefmate_core.errors import CameraError
from chefmate_ros.jpeg_messages import rgb_from_bgr


class VideoFileSource:
    """An opened video file."""

    def __init__(self, settings: CameraSettings, now_ns: Callable[[], int]) -> None:
        """Open the file and look at its first picture.

        Raises:
            CameraError: it is no video, is empty, or has another size.
        """
        self._where = f'camera {settings.name}: video {settings.source}'
        self._path = settings.source
        self._now_ns = now_ns
        self._period_s = 1.0 / settings.rate_hz
        self._closed = threading.Event()
        self._capture = cv2.VideoCapture(self._path)
        height_px, width_px = self._next().shape[:2]
        if (width_px, height_px) != (settings.width_px, settings.height_px):
            self.close()
            raise CameraError(
                f'{self._where} is {width_px}x{height_px}, expected {settings.width_px}x'
                f'{settings.height_px}; set the parameters width and height, or convert it'
            )
        self._rewind()
        self._due_s = time.monotonic()

    def read(self) -> Frame:
        """Return the next picture when it is due.

        Raises:
            CameraError: the file can no longer be read, or the source was closed.
        """
        image = self._next()
        # A reader that came late gets its picture now, and the next one a full period later.
        self._due_s = max(self._due_s + self._period_s, time.monotonic())
        if self._closed.wait(self._due_s - time.monotonic()):
            raise CameraError(f'{self._where} was closed')
        return Frame(rgb_from_bgr(image), self._now_ns(), time.monotonic())

    def close(self) -> None:
        """Release the file; a read that waits ends with CameraError."""
        self._closed.set()
        self._capture.release()

    def _next(self):
        read, image = self._capture.read()
        if not read:
            self._rewind()
            read, image = self._capture.read()
        if not read or image is None:
            raise CameraError(f'{self._where} has no readable picture; give another file')
        return image

    def _rewind(self) -> None:
        # Opened anew: seeking to the start is not reliable in every container.
        self._capture.release()
        self._capture = cv2.VideoCapture(self._path)
