"""One camera frame, and what delivers frames."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np


@dataclass(frozen=True, eq=False)
class Frame:
    """An image and the instant of its acquisition, on two clocks.

    Attributes:
        image: rgb, uint8, shape (H, W, 3). Its owner never writes to it again.
        stamp_ns: the node's clock, for the message's header.
        steady_s: the steady clock, for durations.
    """

    image: np.ndarray
    stamp_ns: int
    steady_s: float


class FrameSource(Protocol):
    """An opened camera, video file or generator."""

    def read(self) -> Frame:
        """Wait for the next frame and return it.

        Raises:
            CameraError: there will be none; close this source and open a new one.
        """

    def close(self) -> None:
        """Release the device. Safe to call twice."""
