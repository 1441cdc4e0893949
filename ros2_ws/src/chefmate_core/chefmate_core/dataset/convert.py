"""Put a data set on disk, in any format: prepare the episodes, put them together, move into place.

Everything happens in a hidden folder beside the destination, `.NAME.partial`, which takes its name
at the very end: a destination is whole or not there. What was interrupted goes on when the same
is asked for again.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from chefmate_core.dataset import v21_writer, v30_writer
from chefmate_core.dataset.errors import DatasetRequestError
from chefmate_core.dataset.files import read_json, write_json
from chefmate_core.dataset.layout import Format, Limits
from chefmate_core.dataset.modality import images_as_videos
from chefmate_core.dataset.model import Dataset
from chefmate_core.dataset.preparing import STAMP, CopyWork, EpisodeWork, finished
from chefmate_core.dataset.video import VideoCodec
from chefmate_core.dataset.workers import prepare_all

Progress = Callable[[str, int, int], None]  # what is being done, how much is done, of how much


def no_progress(what: str, done: int, total: int) -> None:
    """Show nothing."""


@dataclass(frozen=True)
class Options:
    """How a data set is written."""

    codec: VideoCodec | None = None  # None: as the videos are; GR00T: H.264
    compute_statistics: bool = False  # of the images too, where they are stated
    workers: int = 0  # processes; 0: one for each processor
    limits: Limits = field(default_factory=Limits)
    restart: bool = False  # throw away what an earlier try left


def write(
    dataset: Dataset,
    destination: str | Path,
    target: Format,
    options: Options | None = None,
    progress: Progress = no_progress,
) -> Path:
    """Write a data set and return its folder.

    Raises:
        DatasetRequestError: the destination exists, or the data set cannot be in that format.
        DatasetError: a source is damaged.
    """
    options = options or Options()
    works = _copies(dataset, target, options)
    if target is Format.GROOT:
        dataset = images_as_videos(dataset)
    return write_works(works, dataset, destination, target, options, progress)


def write_parts(
    parts: Mapping[str, Dataset],
    destination: str | Path,
    target: Format,
    options: Options | None = None,
    progress: Progress = no_progress,
) -> dict[str, Path]:
    """Write data sets as folders of one folder, which is there with all of them or not at all.

    Raises:
        DatasetRequestError, DatasetError: see `write`.
    """
    options = options or Options()
    destination = Path(destination).absolute()
    _check_free(destination)
    partial = _partial(destination)
    works = [work for part in parts.values() for work in _copies(part, target, options)]
    names = ', '.join(f'{name}: {len(part.episodes)}' for name, part in parts.items())
    _open_partial(partial, works, target, options, names)
    for name, part in parts.items():
        if not (partial / 'whole' / name).exists():  # else it was finished by an earlier try
            write(
                part, partial / 'whole' / name, target, replace(options, restart=False), progress
            )
    _take_place(partial, destination)
    return {name: destination / name for name in parts}


def _copies(dataset: Dataset, target: Format, options: Options) -> list[CopyWork]:
    codec = options.codec
    if target is Format.GROOT and codec is None:
        codec = VideoCodec.H264  # the decoders of GR00T's loader refuse AV1 on many machines
    return [
        CopyWork(
            source=episode,
            features=dataset.features,
            fps=dataset.fps,
            own_files=target is not Format.LEROBOT_V30,
            codec=codec,
            compute_statistics=options.compute_statistics,
            encode_images=target is Format.GROOT,
        )
        for episode in dataset.episodes
    ]


def write_works(
    works: Sequence[EpisodeWork],
    frame: Dataset,
    destination: str | Path,
    target: Format,
    options: Options,
    progress: Progress = no_progress,
) -> Path:
    """Write a data set whose episodes come from `works`; all else is said by `frame`.

    Raises:
        DatasetRequestError, DatasetError: see `write`.
    """
    destination = Path(destination).absolute()
    if not works:
        raise DatasetRequestError(f'{destination}: there is no episode to write')
    _check_free(destination)
    partial = _partial(destination)
    _open_partial(partial, works, target, options)
    folders = [partial / 'episodes' / f'{number:06d}' for number in range(len(works))]
    _prepare_all(works, folders, options.workers, progress)
    progress('putting together', 0, 1)
    dataset = replace(
        frame,
        episodes=[finished(work, folder) for work, folder in zip(works, folders, strict=True)],
    )
    whole = partial / 'whole'
    shutil.rmtree(whole, ignore_errors=True)
    if target is Format.LEROBOT_V30:
        v30_writer.write(dataset, whole, options.limits)
    else:
        v21_writer.write(dataset, whole, target, options.limits, movable=partial)
    for name in frame.extra_files:
        if frame.root is not None:
            shutil.copyfile(frame.root / name, whole / name)
    _take_place(partial, destination)
    progress('putting together', 1, 1)
    return destination


def _partial(destination: Path) -> Path:
    return destination.with_name(f'.{destination.name}.partial')


def _check_free(destination: Path) -> None:
    if destination.exists() and (not destination.is_dir() or any(destination.iterdir())):
        raise DatasetRequestError(
            f'{destination}: exists already and is not overwritten. Next: choose another name, or '
            f'remove it'
        )


def _take_place(partial: Path, destination: Path) -> None:
    if destination.exists():
        destination.rmdir()
    (partial / 'whole').rename(destination)
    shutil.rmtree(partial)


def _open_partial(
    partial: Path,
    works: Sequence[EpisodeWork],
    target: Format,
    options: Options,
    parts: str = '',
) -> None:
    """Make the work folder, or go on in it if it is of the same work."""
    if options.restart:
        shutil.rmtree(partial, ignore_errors=True)
    plan = {
        'target': target.value,
        'work': hashlib.sha256('\n'.join(work.identity() for work in works).encode()).hexdigest(),
        **({'parts': parts} if parts else {}),
    }
    path = partial / 'plan.json'
    if path.is_file():
        if read_json(path) != plan:
            raise DatasetRequestError(
                f'{partial}: left by other work for the same destination. Next: finish that, or '
                f'add --restart to throw it away'
            )
        return
    partial.mkdir(parents=True, exist_ok=True)
    write_json(path, plan)


def _prepare_all(
    works: Sequence[EpisodeWork], folders: Sequence[Path], workers: int, progress: Progress
) -> None:
    total = len(works)
    pending = [
        (work, folder)
        for work, folder in zip(works, folders, strict=True)
        if not (folder / STAMP).is_file()
    ]
    done = total - len(pending)
    progress('episodes', done, total)
    workers = min(workers or os.cpu_count() or 1, len(pending))
    for _ in prepare_all(pending, workers):
        done += 1
        progress('episodes', done, total)
