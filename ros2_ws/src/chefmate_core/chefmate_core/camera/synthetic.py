"""A camera made of noise, with faults on demand: for tests, and for trials without a camera."""

import threading
import time
from collections.abc import Callable
from enum import Enum

import numpy as np

from chefmate_core.camera.frame import Frame
from chefmate_core.errors import CameraError


class CameraFault(Enum):
    """What the synthetic camera can be told to do."""

    NONE = 'none'
    STALL = 'stall'  # read() waits until the fault is over
    FREEZE = 'freeze'  # the same image again and again
    BLACK = 'black'  # sensor noise around black, as under a lens cap
    SIZE = 'size'  # half as wide and half as high
    UNPLUG = 'unplug'  # read() fails, and so does opening


class SyntheticCamera:
    """The hardware: it outlives the sources opened on it, as a camera outlives a file handle.

    Args:
        width_px: width of its images.
        height_px: their height.
        period_s: time between two frames.
        now_ns: the clock of the frames' stamps.
    """

    def __init__(
        self,
        width_px: int = 640,
        height_px: int = 480,
        period_s: float = 1.0 / 30.0,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.fault = CameraFault.NONE
        self.times_opened = 0
        self._width_px, self._height_px = width_px, height_px
        self._period_s = period_s
        self._now_ns = now_ns
        self._rng = np.random.default_rng(0)
        self._image = self._noise(0, 256)

    def open(self) -> 'SyntheticSource':
        """Return a source, or raise CameraError while the camera is unplugged."""
        if self.fault is CameraFault.UNPLUG:
            raise CameraError('no synthetic camera: it is unplugged; plug it in')
        self.times_opened += 1
        return SyntheticSource(self)

    def expose(self, closed: threading.Event) -> Frame:
        """Wait one period and return a frame, or what the fault makes of it."""
        while self.fault is CameraFault.STALL and not closed.is_set():
            time.sleep(self._period_s)
        time.sleep(self._period_s)
        if self.fault is CameraFault.UNPLUG or closed.is_set():
            raise CameraError('the synthetic camera went away; plug it in again')
        if self.fault is CameraFault.BLACK:
            self._image = self._noise(0, 4)
        elif self.fault is not CameraFault.FREEZE:
            self._image = self._noise(0, 256)
        image = self._image[::2, ::2] if self.fault is CameraFault.SIZE else self._image
        return Frame(image, self._now_ns(), time.monotonic())

    def _noise(self, lowest: int, above: int) -> np.ndarray:
        shape = (self._height_px, self._width_px, 3)
        return self._rng.integers(lowest, above, shape, dtype=np.uint8)


class SyntheticSource:
    """A frame source on a synthetic camera."""

    def __init__(self, camera: SyntheticCamera) -> None:
        self._camera = camera
        self._closed = threading.Event()

    def read(self) -> Frame:
        """Return the next frame."""
        return self._camera.expose(self._closed)

    def close(self) -> None:
        """Let go of the camera; a read that waits ends with CameraError."""
        self._closed.set()
