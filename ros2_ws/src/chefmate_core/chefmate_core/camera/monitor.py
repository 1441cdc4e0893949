"""Is this frame evidence of what is in front of the camera now?

A frame that is not must not reach a policy: withheld, the last good image grows old, and whoever
acts on images refuses old ones. The monitor only looks, counts and tells.
"""

import math
from collections import Counter
from dataclasses import dataclass
from enum import Enum

import numpy as np

from chefmate_core.camera.frame import Frame
from chefmate_core.errors import ConfigurationError

_SAMPLE_STRIDE = 16  # pixels; 1200 samples of a 640x480 image tell black and moving


class Finding(Enum):
    """What can be wrong with a frame, or with the stream of them (STALLED)."""

    STALLED = 'stalled'
    BAD_STAMP = 'bad_stamp'
    WRONG_SIZE = 'wrong_size'
    BLACK = 'black'
    FROZEN = 'frozen'


@dataclass(frozen=True)
class FrameMonitorConfig:
    """What a healthy stream looks like.

    Attributes:
        width_px: expected width.
        height_px: expected height.
        stall_timeout_s: silence after which the stream has stalled.
        frozen_after_frames: identical images in a row, byte for byte, that mean a frozen camera.
            The noise of a real sensor never repeats. 0 for never: a still simulation repeats.
        black_level: mean brightness, 0..255, up to which an image is black.
    """

    width_px: int = 640
    height_px: int = 480
    stall_timeout_s: float = 0.5
    frozen_after_frames: int = 10
    black_level: float = 4.0

    def __post_init__(self) -> None:
        if self.width_px < 1 or self.height_px < 1:
            raise ConfigurationError(
                f'camera size is {self.width_px}x{self.height_px} px; at least 1x1'
            )
        if not (math.isfinite(self.stall_timeout_s) and self.stall_timeout_s > 0):
            raise ConfigurationError(
                f'stall_timeout_s is {self.stall_timeout_s}; a finite time above 0 s'
            )
        if self.frozen_after_frames < 0 or self.frozen_after_frames == 1:
            raise ConfigurationError(
                f'frozen_after_frames is {self.frozen_after_frames}; at least 2, or 0 for never'
            )
        if not 0.0 <= self.black_level < 255.0:
            raise ConfigurationError(
                f'black_level is {self.black_level}; from 0 (perfect black) to below 255'
            )


class FrameMonitor:
    """Looks at every frame of one camera. One thread at a time.

    `counts` holds the number of frames under 'frames' and, under the value of each Finding, how
    many frames had it (for STALLED: how many times the stream fell silent).
    """

    def __init__(self, config: FrameMonitorConfig) -> None:
        self.config = config
        self.counts: Counter[str] = Counter()
        self._previous: Frame | None = None
        self._identical = 1
        self._last_good_steady_s = -math.inf
        self._last_news_steady_s = math.nan
        self._is_stalled = False

    def start(self, now_steady_s: float) -> None:
        """Begin to wait for a frame; silence counts from here."""
        self._last_news_steady_s = now_steady_s

    def observe(self, frame: Frame) -> frozenset[Finding]:
        """Return what is wrong with the frame: nothing for a good one."""
        self.counts['frames'] += 1
        findings = frozenset(self._findings(frame))
        self.counts.update(finding.value for finding in findings)
        if Finding.BAD_STAMP not in findings:
            self._last_good_steady_s = self._last_news_steady_s = frame.steady_s
            self._is_stalled = False
        return findings

    def is_stalled(self, now_steady_s: float) -> bool:
        """Return whether no frame has come for the stall timeout; count where it begins."""
        silence_s = now_steady_s - self._last_news_steady_s
        stalled = not silence_s <= self.config.stall_timeout_s  # NaN: never heard, or no clock
        if stalled and not self._is_stalled:
            self.counts[Finding.STALLED.value] += 1
        self._is_stalled = stalled
        return stalled

    def _findings(self, frame: Frame) -> list[Finding]:
        findings = []
        previous, self._previous = self._previous, frame
        if not math.isfinite(frame.steady_s) or frame.steady_s <= self._last_good_steady_s:
            findings.append(Finding.BAD_STAMP)
        image = frame.image
        expected_shape = (self.config.height_px, self.config.width_px, 3)
        if image.shape != expected_shape or image.dtype != np.uint8:
            self._identical = 1
            return [*findings, Finding.WRONG_SIZE]
        sample = image[::_SAMPLE_STRIDE, ::_SAMPLE_STRIDE]
        if float(sample.mean()) <= self.config.black_level:
            findings.append(Finding.BLACK)
        self._identical = self._identical + 1 if _is_repeated(previous, image, sample) else 1
        if 0 < self.config.frozen_after_frames <= self._identical:
            findings.append(Finding.FROZEN)
        return findings


def _is_repeated(previous: Frame | None, image: np.ndarray, sample: np.ndarray) -> bool:
    """Return whether the image equals the previous one, looking at all of it only if it must."""
    if previous is None or previous.image.shape != image.shape:
        return False
    previous_sample = previous.image[::_SAMPLE_STRIDE, ::_SAMPLE_STRIDE]
    return np.array_equal(previous_sample, sample) and np.array_equal(previous.image, image)
