"""Cut and join videos without compressing them anew: packets are copied, and only timed anew."""

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path

import av

from chefmate_core.dataset.errors import DatasetError
from chefmate_core.dataset.model import VideoSpan
from chefmate_core.dataset.video import TICKS_PER_FRAME, open_video

_OFF_GRID = 0.25  # of a frame


class NotCopyableError(DatasetError):
    """The packets of a span need images outside it; it must be compressed anew."""


def remux(spans: Sequence[VideoSpan], path: Path, fps: int) -> None:
    """Write spans one after the other to a file; frame n of it stands at n / fps exactly.

    The spans' files must have been compressed alike (`VideoInfo.parameters`).

    Raises:
        NotCopyableError: a span does not begin with a key image, or shares images over its end.
        DatasetError: a file is damaged, or has not the frames that it should.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with av.open(str(path), 'w') as output:
            first = 0
            stream = None
            for span in spans:
                with open_video(span.path) as source:
                    template = source.streams.video[0]
                    if stream is None:
                        stream = output.add_stream_from_template(template, opaque=True)
                        stream.time_base = Fraction(1, fps * TICKS_PER_FRAME)
                    for packet in _packets(source, template, span, fps, first):
                        packet.stream = stream
                        output.mux(packet)
                first += span.length
    except av.FFmpegError as error:
        raise DatasetError(f'{path}: cannot be written: {error}') from error


def check_copyable(span: VideoSpan, fps: int) -> None:
    """Raise what `remux` would raise for a span."""
    with open_video(span.path) as source:
        for _ in _packets(source, source.streams.video[0], span, fps, 0):
            pass


def _packets(
    source: 'av.container.InputContainer',
    stream: 'av.VideoStream',
    span: VideoSpan,
    fps: int,
    first: int,
) -> 'Iterator[av.Packet]':
    """Yield the packets of a span, timed as the frames `first` and following of the new file."""
    base = stream.time_base or Fraction(1, fps * TICKS_PER_FRAME)
    target_base = Fraction(1, fps * TICKS_PER_FRAME)
    if span.start_s > 0:
        source.seek(max(0, round(span.start_s / base)), stream=stream, backward=True)
    found: set[int] = set()
    for packet in source.demux(stream):
        if packet.pts is None or packet.dts is None:
            continue  # the empty packet at the end
        position = (float(packet.pts * base) - span.start_s) * fps
        frame = round(position)
        if frame < 0:
            continue
        if frame >= span.length:
            if packet.is_keyframe or len(found) == span.length:
                break
            continue
        if not found and not (packet.is_keyframe and frame == 0):
            raise NotCopyableError(f'{span.path}: no key image at {span.start_s:.4f} s')
        if abs(position - frame) > _OFF_GRID or frame in found:
            raise DatasetError(
                f'{span.path}: an image at {packet.pts * base} s does not fit {fps} a second'
            )
        found.add(frame)
        delay = round((packet.pts - packet.dts) * base / target_base)
        packet.time_base = target_base
        packet.pts = (first + frame) * TICKS_PER_FRAME
        packet.dts = packet.pts - delay
        packet.duration = TICKS_PER_FRAME
        yield packet
    if len(found) != span.length:
        raise NotCopyableError(
            f'{span.path}: found {len(found)} images from {span.start_s:.4f} s on that can be '
            f'copied, expected {span.length}'
        )
