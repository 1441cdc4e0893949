"""Checks of video files: can they be read, by whom, and do they hold what the rows say?"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from chefmate_core.dataset.errors import DatasetError
from chefmate_core.dataset.features import Feature
from chefmate_core.dataset.layout import Format
from chefmate_core.dataset.model import VideoSpan
from chefmate_core.dataset.video import images, probe
from chefmate_core.dataset_checks.findings import Finding, Repairs, Where

# What the loaders' decoders (torchcodec, PyAV, decord) read everywhere. GR00T's usual one, decord,
# has no AV1.
CODECS: Mapping[Format, Sequence[str]] = {
    Format.LEROBOT_V21: ('h264', 'hevc', 'av1'),
    Format.LEROBOT_V30: ('h264', 'hevc', 'av1'),
    Format.GROOT: ('h264',),
}
PIXEL_FORMATS = ('yuv420p', 'yuvj420p')


def check_video_file(
    path: Path,
    parts: Sequence[tuple[int, VideoSpan]],
    feature: Feature,
    fps: int,
    target: Format,
    name: str,
    repairs: Repairs,
) -> Iterator[Finding]:
    """Yield what a file's own head tells: `parts` are all (episode, span) of it."""
    numbers = [number for number, _ in parts]
    where = of_episodes(name, numbers)
    if not path.is_file():
        yield Finding(
            'missing-file',
            where,
            'no such file',
            'the video that meta/info.json places there',
            f'copy it again from where it was made, or: {repairs.delete(*numbers)}',
        )
        return
    try:
        info = probe(path)
    except DatasetError as error:
        yield unreadable(name, numbers, error, repairs)
        return
    if info.codec not in CODECS[target] or info.pixel_format not in PIXEL_FORMATS:
        yield Finding(
            'refused-codec',
            where,
            f'{info.codec}, {info.pixel_format}',
            f'{" or ".join(CODECS[target])}, {PIXEL_FORMATS[0]}: other decoders refuse it',
            repairs.rewrite(' --codec h264'),
        )
    if info.fps and abs(float(info.fps) - fps) > 0.02 * fps:
        yield Finding(
            'wrong-fps',
            where,
            f'a video of {float(info.fps):g} images a second',
            f'{fps}, as meta/info.json says',
            'convert the recording again',
        )
    size = (info.height, info.width)
    if len(feature.shape) == 3 and size != feature.shape[:2] and size != feature.shape[1:]:
        yield Finding(
            'wrong-image-size',
            where,
            f'{info.width}x{info.height}',
            f'shape {list(feature.shape)}, as meta/info.json says',
            'convert the recording again, or correct the shape in meta/info.json',
        )
    expected = sum(span.length for _, span in parts)
    if info.frames and info.frames != expected:
        short = _without_last_image(parts, fps)
        yield Finding(
            'count-mismatch',
            of_episodes(name, short or numbers),
            f'{info.frames} images',
            f'{expected}: one for each row',
            # More images than rows hurt nobody who finds them by their time.
            repairs.delete(*short) if short else repairs.rewrite(),
        )


def _without_last_image(parts: Sequence[tuple[int, VideoSpan]], fps: int) -> list[int]:
    found = []
    for number, span in parts:
        try:
            for _ in images(span, fps, [span.length - 1]):
                pass
        except DatasetError:
            found.append(number)
    return found


def of_episodes(file: str, numbers: Sequence[int]) -> Where:
    """Return the place in a file of one episode, or of several."""
    if len(numbers) == 1:
        return Where(file, numbers[0])
    return Where(file, episodes=tuple(numbers))


def unreadable(file: str, numbers: Sequence[int], error: Exception, repairs: Repairs) -> Finding:
    """Return the finding of a video in which these episodes cannot be decoded."""
    return Finding(
        'unreadable-video',
        of_episodes(file, numbers),
        str(error),
        'a video that decodes to its end',
        f'copy it again from where it was made, or: {repairs.delete(*numbers)}',
    )
