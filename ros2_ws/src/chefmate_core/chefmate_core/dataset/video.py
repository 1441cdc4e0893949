"""Videos of a data set: what is in a file, its images, and how images become a file."""

import contextlib
import io
import logging
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import numpy as np

from chefmate_core.dataset.errors import DatasetError
from chefmate_core.dataset.model import VideoSpan

# Encoders greet with banners: FFmpeg's in Python's log, SVT-AV1's on standard error.
logging.getLogger('libav').setLevel(logging.ERROR)
os.environ.setdefault('SVT_LOG', '1')

TICKS_PER_FRAME = 512  # what FFmpeg's mp4 writer takes for 30 a second: 1/15360 s
_OFF_GRID = 0.25  # of a frame: LeRobot's own loader allows 1e-4 s, which cutting must not undo


class VideoCodec(Enum):
    """How images are compressed."""

    H264 = 'h264'
    AV1 = 'av1'


# A key image every second one, as LeRobot: training reads single images at random.
# H.264 without B frames: every decoder finds the frame by its time, and cutting is exact.
_ENCODERS: dict[VideoCodec, tuple[str, dict[str, str]]] = {
    VideoCodec.H264: ('libx264', {'g': '2', 'bf': '0', 'crf': '23', 'preset': 'veryfast'}),
    VideoCodec.AV1: ('libsvtav1', {'g': '2', 'crf': '30', 'preset': '12'}),
}


@dataclass(frozen=True)
class VideoInfo:
    """What a video file says of itself."""

    codec: str  # h264, av1, hevc, ...
    height: int
    width: int
    pixel_format: str
    fps: Fraction
    frames: int
    start_s: float
    parameters: bytes  # the decoder's: files can be joined only where they are equal

    def to_dict(self) -> dict[str, Any]:
        """Return what LeRobot's `info.json` says of a camera's videos."""
        return {
            'video.height': self.height,
            'video.width': self.width,
            'video.codec': self.codec,
            'video.pix_fmt': self.pixel_format,
            'video.is_depth_map': False,
            'video.fps': int(self.fps),
            'video.channels': 1 if self.pixel_format.startswith('gray') else 3,
            'has_audio': False,
        }


def probe(path: Path) -> VideoInfo:
    """Return what a video file says of itself.

    Raises:
        DatasetError: the file is missing, damaged, or has no images.
    """
    with open_video(path) as container:
        stream = container.streams.video[0]
        context = stream.codec_context
        return VideoInfo(
            codec=stream.codec.canonical_name,
            height=context.height,
            width=context.width,
            pixel_format=context.pix_fmt or 'unknown',
            fps=stream.base_rate or Fraction(0),
            frames=stream.frames,
            start_s=float((stream.start_time or 0) * (stream.time_base or 0)),
            parameters=bytes(context.extradata or b''),
        )


@contextlib.contextmanager
def open_video(path: Path) -> 'Iterator[av.container.InputContainer]':
    """Open a video file; errors of FFmpeg inside become DatasetError.

    Raises:
        DatasetError: the file is missing, damaged, or has no images.
    """
    try:
        with av.open(str(path)) as container:
            if not container.streams.video:
                raise DatasetError(f'{path}: the file has no video stream')
            yield container
    except FileNotFoundError:
        raise DatasetError(f'{path}: no such file') from None
    except (av.FFmpegError, OSError) as error:
        raise DatasetError(f'{path}: not a readable video: {error}') from error


def images(
    span: VideoSpan, fps: int, wanted: Sequence[int] | None = None
) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (frame, image) of a span in order; images of shape (height, width, 3), uint8, RGB.

    `wanted`: only these frames, ascending; None: all.

    Raises:
        DatasetError: the file is damaged, or a frame is not where it should be.
    """
    targets = iter(range(span.length) if wanted is None else sorted(set(wanted)))
    target = next(targets, None)
    with open_video(span.path) as container:
        stream = container.streams.video[0]
        stream.thread_type = 'AUTO'
        base = stream.time_base or Fraction(1, fps * TICKS_PER_FRAME)
        if span.start_s > 0:
            container.seek(max(0, round(span.start_s / base) - 1), stream=stream, backward=True)
        for frame in container.decode(stream):
            if target is None:
                return
            position = (float((frame.pts or 0) * base) - span.start_s) * fps
            if position < target - 0.5:
                continue
            if abs(position - target) > _OFF_GRID:
                break
            yield target, frame.to_ndarray(format='rgb24')
            target = next(targets, None)
    if target is not None:
        raise DatasetError(
            f'{span.path}: no image at {span.start_s + target / fps:.4f} s, which is frame '
            f'{target} of {span.length} of an episode'
        )


def decode_image(content: bytes, where: str) -> np.ndarray:
    """Return the image in a PNG or JPEG file, shape (height, width, 3), uint8, RGB.

    Raises:
        DatasetError: it is no image.
    """
    try:
        with cast('av.container.InputContainer', av.open(io.BytesIO(content))) as container:
            return next(container.decode(video=0)).to_ndarray(format='rgb24')
    except (av.FFmpegError, StopIteration, OSError) as error:
        raise DatasetError(f'{where}: not a readable image: {error}') from error


@contextlib.contextmanager
def _scheduling_as_it_is() -> Iterator[None]:
    """Undo what SVT-AV1 does where it may: it puts the calling thread under SCHED_FIFO.

    Where there are arms, a thread that computes must not come before one that controls.
    """
    policy, parameter = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        if os.sched_getscheduler(0) != policy:
            os.sched_setscheduler(0, policy, parameter)


class VideoWriter:
    """Writes the images of one camera and episode to a file."""

    def __init__(
        self, path: Path, fps: int, height: int, width: int, codec: VideoCodec, threads: int = 0
    ) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path, self._shape, self._frames = path, (height, width, 3), 0
        name, options = _ENCODERS[codec]
        self._container = av.open(str(path), 'w')
        # Named with a variable, FFmpeg's stream could be of sound to a type checker.
        self._stream = cast(
            'av.VideoStream', self._container.add_stream(name, fps, options=dict(options))
        )
        self._stream.width, self._stream.height = width, height
        self._stream.pix_fmt = 'yuv420p'
        self._stream.time_base = self._base = Fraction(1, fps)
        if codec is VideoCodec.H264:  # SVT-AV1 decides on its own
            self._stream.codec_context.thread_count = threads
        with _scheduling_as_it_is():
            self._stream.codec_context.open()

    def add(self, image: np.ndarray) -> None:
        """Append an image, shape (height, width, 3), uint8, RGB.

        Raises:
            DatasetError: it has another shape or type.
        """
        if image.shape != self._shape or image.dtype != np.uint8:
            raise DatasetError(
                f'{self._path.name}, image {self._frames}: found shape {image.shape}, '
                f'{image.dtype}; expected {self._shape}, uint8'
            )
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format='rgb24')
        frame.pts, frame.time_base = self._frames, self._base
        self._container.mux(self._stream.encode(frame))
        self._frames += 1

    def close(self) -> None:
        """Write what the encoder still holds, and the file's index."""
        if self._frames:
            self._container.mux(self._stream.encode(None))
        self._container.close()

    def __enter__(self) -> 'VideoWriter':
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.close()
        else:
            self._container.close()


def transcode(span: VideoSpan, path: Path, fps: int, codec: VideoCodec, threads: int = 0) -> None:
    """Write a span as a file of its own, compressed anew.

    Raises:
        DatasetError: the source is damaged.
    """
    info = probe(span.path)
    with VideoWriter(path, fps, info.height, info.width, codec, threads) as writer:
        for _, image in images(span, fps):
            writer.add(image)
