"""The tasks of `chefmate dataset` that write a data set."""

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeRemainingColumn,
)

from chefmate.cli.dataset.arguments import pairs
from chefmate.cli.dataset.sessions import is_session, unfinished_episodes
from chefmate_core.dataset import edit
from chefmate_core.dataset.convert import Options, write, write_parts
from chefmate_core.dataset.layout import Format
from chefmate_core.dataset.model import Dataset
from chefmate_core.dataset.reading import open_dataset
from chefmate_core.dataset.recorded import write_recording
from chefmate_core.dataset.video import VideoCodec
from chefmate_core.errors import ConfigurationError
from chefmate_core.units import LerobotUnits


def convert(args: argparse.Namespace) -> int:
    """Write a session or a data set in a format."""
    if not is_session(args.source):
        if args.fps is not None or args.units is not None:
            raise ConfigurationError(
                f'{args.source} is a data set: --fps and --units are for recorded sessions only. '
                f'Next: convert the session again, or leave them out'
            )
        return _write(args, open_dataset(args.source), args.destination)
    from chefmate_core.session_reader import open_session

    recording = open_session(args.source, args.fps)
    with _progress() as show:
        path = write_recording(
            recording,
            args.destination,
            Format(args.to),
            units=LerobotUnits(args.units or LerobotUnits.RANGE_M100_100),
            options=_options(args),
            progress=show,
        )
    _say_done(path)
    left_out = unfinished_episodes(args.source)
    if left_out:
        Console(highlight=False).print(
            f'[yellow]left out:[/] {left_out} unfinished. Next: chefmate dataset repair '
            f'{args.source}, and convert again',
            soft_wrap=True,
        )
    return 0


def merge(args: argparse.Namespace) -> int:
    """Put the episodes of data sets one after the other."""
    return _write(
        args, edit.merge([open_dataset(source) for source in args.sources]), args.destination
    )


def split(args: argparse.Namespace) -> int:
    """Write parts as data sets of their own."""
    shares = {}
    for name, text in pairs(args.parts, 'NAME=SHARE, as in train=0.9').items():
        try:
            shares[name] = float(text)
        except ValueError:
            raise ConfigurationError(f'{name}={text}: expected a number, as in 0.9') from None
        if Path(name).name != name or name.startswith('.'):
            raise ConfigurationError(f'{name!r} cannot be the name of a folder')
    dataset = open_dataset(args.source)
    target = Format(args.to or dataset.format)
    parts = edit.split(dataset, shares)
    with _progress() as show:
        paths = write_parts(parts, args.destination, target, _options(args), show)
    for path in paths.values():
        _say_done(path)
    return 0


def subset(args: argparse.Namespace) -> int:
    """Keep only some episodes."""
    return _write(args, edit.subset(open_dataset(args.source), args.episodes), args.destination)


def delete(args: argparse.Namespace) -> int:
    """Drop some episodes."""
    return _write(args, edit.delete(open_dataset(args.source), args.episodes), args.destination)


def rename_camera(args: argparse.Namespace) -> int:
    """Give cameras other names."""
    names = pairs(args.names, 'OLD=NEW')
    dataset = edit.rename_cameras(open_dataset(args.source), names, args.episodes)
    return _write(args, dataset, args.destination)


def relabel(args: argparse.Namespace) -> int:
    """Give episodes other instructions."""
    if bool(args.task) != bool(args.episodes) or not (args.text or args.task):
        raise ConfigurationError(
            'relabel: give --text OLD NEW, or --episodes NUMBERS with --task TEXT, or both'
        )
    episodes = dict.fromkeys(args.episodes or (), args.task)
    dataset = edit.relabel(open_dataset(args.source), dict(args.text), episodes)
    return _write(args, dataset, args.destination)


def _write(args: argparse.Namespace, dataset: Dataset, destination: Path) -> int:
    target = Format(args.to or dataset.format)
    with _progress() as show:
        path = write(dataset, destination, target, _options(args), show)
    _say_done(path)
    return 0


def _options(args: argparse.Namespace) -> Options:
    if args.workers < 0:
        raise ConfigurationError(f'--workers is {args.workers}; expected 0 or more')
    return Options(
        codec=VideoCodec(args.codec) if args.codec else None,
        compute_statistics=args.statistics,
        workers=args.workers,
        restart=args.restart,
    )


def _say_done(path: Path) -> None:
    dataset = open_dataset(path)
    Console(highlight=False).print(
        f'[green]written:[/] {path}: {len(dataset.episodes)} episodes, {dataset.total_frames} '
        f'frames, {dataset.format}',
        soft_wrap=True,
    )


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show how far it is, on standard error; yields what takes (what, done, total)."""
    bars = Progress(
        SpinnerColumn(),
        TextColumn('{task.description}'),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    tasks = {}

    def show(what: str, done: int, total: int) -> None:
        if what not in tasks:
            tasks[what] = bars.add_task(what, total=total)
        bars.update(tasks[what], completed=done, total=total)

    with bars:
        yield show
