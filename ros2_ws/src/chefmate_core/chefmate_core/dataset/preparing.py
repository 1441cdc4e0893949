"""What must be made for one episode before its data set can be put together.

Each piece of work runs in a process of its own and leaves a stamp: work that was interrupted goes
on where it stopped.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from chefmate_core.dataset.errors import DatasetError
from chefmate_core.dataset.features import Features, camera_keys, image_size
from chefmate_core.dataset.files import read_json, write_json
from chefmate_core.dataset.model import Episode, VideoSpan
from chefmate_core.dataset.remux import NotCopyableError, check_copyable, remux
from chefmate_core.dataset.rows import embedded_images
from chefmate_core.dataset.statistics import (
    as_arrays,
    as_lists,
    image_statistics,
    sample_indices,
)
from chefmate_core.dataset.video import (
    VideoCodec,
    VideoInfo,
    VideoWriter,
    decode_image,
    images,
    probe,
    transcode,
)

STAMP = 'stamp.json'
_NEEDED_FIGURES = {'min', 'max', 'mean', 'std', 'count'}


@dataclass(frozen=True)
class Prepared:
    """What was made: where the videos are now, and the figures of the images."""

    length: int
    videos: Mapping[str, VideoSpan]
    statistics: Mapping[str, Mapping[str, Any]]  # of the cameras


class EpisodeWork(Protocol):
    """The work for one episode. Must survive `pickle`."""

    def identity(self) -> str:
        """Return what tells this work from any other, the same in every process."""

    def prepare(self, folder: Path, threads: int) -> Prepared:
        """Make what is needed in an empty folder, with so many threads for an encoder."""

    def episode(self, prepared: Prepared, folder: Path) -> Episode:
        """Return the episode as it is to be written."""


@dataclass(frozen=True)
class CopyWork:
    """An episode that already is in a data set: its videos are copied where that is possible."""

    source: Episode
    features: Features
    fps: int
    own_files: bool  # each episode needs videos of its own
    codec: VideoCodec | None  # None: as it is
    compute_statistics: bool = False  # also where the data set states them
    encode_images: bool = False  # those in the rows become videos

    def identity(self) -> str:
        """See `EpisodeWork`."""
        videos = [(key, span, _stamp_of(span.path)) for key, span in self.source.videos.items()]
        options = (self.fps, self.own_files, self.codec, self.compute_statistics)
        columns = (self.source.column_names, self.encode_images)
        return repr((self.source.rows, self.source.tasks, videos, options, columns))

    def prepare(self, folder: Path, threads: int) -> Prepared:
        """See `EpisodeWork`.

        Raises:
            DatasetError: a video is damaged, or has not the images that it should.
        """
        videos = {
            key: self._video(span, folder / f'{key}.mp4', threads)
            for key, span in self.source.videos.items()
        }
        if self.encode_images:
            for key, feature in self.features.items():
                if feature.dtype == 'image':
                    videos[key] = self._encode(key, folder / f'{key}.mp4', threads)
        stated = self.source.statistics or {}
        statistics: dict[str, Mapping[str, Any]] = {}
        for key in camera_keys(self.features):
            whole = set(stated.get(key, ())) >= _NEEDED_FIGURES  # others, and hands, state fewer
            if whole and not self.compute_statistics:
                statistics[key] = stated[key]
            elif key in self.source.videos:
                wanted = sample_indices(self.source.length)
                statistics[key] = image_statistics(
                    image for _, image in images(videos[key], self.fps, wanted)
                )
            else:
                wanted = sample_indices(self.source.length)
                statistics[key] = image_statistics(
                    decode_image(content, f'{self.source.origin}, row {row}')
                    for row, content in embedded_images(self.source, key, wanted)
                )
        return Prepared(self.source.length, videos, statistics)

    def _encode(self, key: str, target: Path, threads: int) -> VideoSpan:
        height, width = image_size(self.features[key])
        codec = self.codec or VideoCodec.H264
        with VideoWriter(target, self.fps, height, width, codec, threads) as writer:
            for row, content in embedded_images(self.source, key, range(self.source.length)):
                writer.add(decode_image(content, f'{self.source.origin}, row {row}'))
        return VideoSpan(target, 0.0, self.source.length)

    def _video(self, span: VideoSpan, target: Path, threads: int) -> VideoSpan:
        info = probe(span.path)
        own = VideoSpan(target, 0.0, span.length)
        if self.codec is not None and info.codec != self.codec.value:
            transcode(span, target, self.fps, self.codec, threads)
            return own
        try:
            if not self.own_files:
                check_copyable(span, self.fps)
                return span
            if _is_whole(span, info):
                return span
            remux([span], target, self.fps)
        except NotCopyableError as error:
            if info.frames < span.length:
                raise DatasetError(
                    f'{self.source.origin}: {span.path} has {info.frames} images, the episode '
                    f'{span.length} rows'
                ) from error
            known = {codec.value: codec for codec in VideoCodec}
            transcode(span, target, self.fps, known.get(info.codec, VideoCodec.H264), threads)
        return own

    def episode(self, prepared: Prepared, folder: Path) -> Episode:
        """See `EpisodeWork`."""
        return replace(self.source, videos=prepared.videos, statistics=prepared.statistics)


def _stamp_of(path: Path) -> tuple[int, int] | None:
    """Return size and time of a file: what was made of an older one is not to be used."""
    try:
        state = path.stat()
    except OSError:
        return None  # whoever opens it will say so
    return state.st_size, state.st_mtime_ns


def _is_whole(span: VideoSpan, info: VideoInfo) -> bool:
    return span.start_s == 0 and info.start_s == 0 and info.frames == span.length


def prepare(work: EpisodeWork, folder: Path, threads: int) -> None:
    """Do the work and leave the stamp; does nothing where there is one."""
    if (folder / STAMP).is_file():
        return
    if folder.exists():
        for file in folder.iterdir():  # of a try that was interrupted
            file.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    prepared = work.prepare(folder, threads)
    write_json(
        folder / STAMP,
        {
            'length': prepared.length,
            'videos': {
                key: [str(span.path), span.start_s, span.length]
                for key, span in prepared.videos.items()
            },
            'statistics': {key: as_lists(value) for key, value in prepared.statistics.items()},
        },
    )


def finished(work: EpisodeWork, folder: Path) -> Episode:
    """Return the episode that was prepared in a folder.

    Raises:
        DatasetError: the stamp is missing or damaged.
    """
    stamp = read_json(folder / STAMP)
    try:
        prepared = Prepared(
            stamp['length'],
            {
                key: VideoSpan(Path(path), start_s, length)
                for key, (path, start_s, length) in stamp['videos'].items()
            },
            {key: as_arrays(value) for key, value in stamp['statistics'].items()},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise DatasetError(
            f'{folder / STAMP}: damaged ({error}). Next: remove {folder} and run it again'
        ) from error
    return work.episode(prepared, folder)
