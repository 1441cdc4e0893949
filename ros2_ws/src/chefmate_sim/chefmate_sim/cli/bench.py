"""`chefmate bench`: measure the servo bus, the driver's loop, and how it recovers."""

import argparse
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from chefmate_core.errors import ConfigurationError
from chefmate_core.realtime import RealtimeConfig
from chefmate_sim.bench import bus, loop, machine, recovery, tables

RATES_HZ = (1.0, 1000.0)  # allowed
COLUMNS = 120


def add_parser(subparsers: 'argparse._SubParsersAction') -> None:
    """Add `bench` and what can be measured."""
    parser = subparsers.add_parser(
        'bench',
        description='Measure the servo bus, the driver, and its recovery, on virtual servos that '
        'live in a process of their own. docs/measuring.md says how to read the numbers.',
        examples=(
            ('chefmate bench bus', "against Feetech's SDK and LeRobot, 1 minute"),
            ('chefmate bench loop', 'punctuality at 100 and 200 Hz, idle and busy, 9 minutes'),
            ('chefmate bench recovery', 'replug, brown-out, a dead servo: 3 minutes'),
        ),
    )
    benches = parser.add_subparsers(dest='bench', required=True, metavar='bus|loop|recovery')
    _add_bus(benches)
    _add_loop(benches)
    _add_recovery(benches)
    for bench in benches.choices.values():
        bench.add_argument('--json', type=Path, metavar='FILE', help='write the numbers here')
        bench.add_argument('--svg', type=Path, metavar='FILE', help='save the table as a picture')


def run(args: argparse.Namespace) -> int:
    """Measure, print the table, write the files.

    Raises:
        ConfigurationError: a number is out of range, or a file cannot be written.
    """
    for path in (args.json, args.svg):
        if path is not None and not path.parent.is_dir():
            raise ConfigurationError(f'{path}: no folder {path.parent}; make it first')
    on = machine.describe()
    console = Console(highlight=False, record=args.svg is not None)
    if args.svg is not None or not console.is_terminal:
        console.width = max(console.width, COLUMNS)  # a file has no edge
    settings, results, drawing = {'bus': _bus, 'loop': _loop, 'recovery': _recovery}[args.bench](
        args
    )
    console.print(tables_head(args.bench, on))
    console.print(drawing)
    if args.json is not None:
        report = {'bench': args.bench, 'machine': on, 'settings': settings, 'results': results}
        args.json.write_text(json.dumps(report, indent=2) + '\n')
    if args.svg is not None:
        console.save_svg(str(args.svg), title=f'chefmate bench {args.bench}')
    return 0


def tables_head(name: str, on: dict[str, str | int]) -> str:
    """Return the line above the table."""
    return f'chefmate bench {name}: {machine.title(on)}\n'


def _add_bus(benches: 'argparse._SubParsersAction') -> None:
    default = bus.BusBench()
    parser = benches.add_parser(
        'bus', description='Cycles per second and CPU time of a read and a write of six servos.'
    )
    parser.add_argument('--cycles', type=_whole, default=default.cycles, help='in each turn')
    parser.add_argument('--rounds', type=_whole, default=default.rounds, help='turns of each')
    parser.add_argument(
        '--lerobot-python', type=Path, metavar='PYTHON', help='a Python that has LeRobot'
    )


def _bus(args: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any], RenderableType]:
    bench = bus.BusBench(args.cycles, args.rounds, args.lerobot_python)
    with _progress(bus.turns(bench)) as advance:
        results = bus.run(bench, advance)
    settings = {'cycles': bench.cycles, 'rounds': bench.rounds}
    return settings, results, tables.bus_table(results)


def _add_loop(benches: 'argparse._SubParsersAction') -> None:
    default = loop.LoopBench()
    parser = benches.add_parser(
        'loop', description='Punctuality of the driver, next to a bare loop at the same time.'
    )
    parser.add_argument(
        '--seconds', type=_positive, default=default.seconds, help='of each window'
    )
    parser.add_argument(
        '--rate', type=_positive, action='append', metavar='HZ', help='instead of 100 and 200'
    )
    parser.add_argument('--load', choices=('idle', 'busy', 'both'), default='both', help='when')
    parser.add_argument(
        '--realtime', choices=('off', 'on', 'both'), default='both', help='the set-up'
    )
    parser.add_argument(
        '--priority', type=int, default=default.config.priority, help='SCHED_FIFO; 0: not asked'
    )
    parser.add_argument(
        '--cpu', type=int, action='append', metavar='N', help='run the loops on this processor'
    )


def _loop(args: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any], RenderableType]:
    rates_hz = args.rate or loop.LoopBench().rates_hz
    for rate_hz in rates_hz:
        if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
            raise ConfigurationError(f'--rate {rate_hz:g}: expected {RATES_HZ[0]:g} to 1000 Hz')
    bench = loop.LoopBench(
        seconds=args.seconds,
        rates_hz=rates_hz,
        loads={'idle': (False,), 'busy': (True,), 'both': (False, True)}[args.load],
        realtime={'off': (False,), 'on': (True,), 'both': (False, True)}[args.realtime],
        config=RealtimeConfig(priority=args.priority, cpus=tuple(args.cpu or ())),
    )
    with _progress(bench.duration_s(), timed=True) as advance:
        results = loop.run(bench, advance)
    return asdict(bench), results, tables.loop_table(results['windows'])


def _add_recovery(benches: 'argparse._SubParsersAction') -> None:
    default = recovery.RecoveryBench()
    parser = benches.add_parser(
        'recovery', description='From replug, brown-out, a dead servo: to holding, to following.'
    )
    parser.add_argument('--times', type=_whole, default=default.times, help='each outage')
    parser.add_argument('--seed', type=int, default=default.seed, help="of the outages' lengths")


def _recovery(args: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any], RenderableType]:
    bench = recovery.RecoveryBench(times=args.times, seed=args.seed)
    with _progress(bench.times * len(recovery.OUTAGES)) as advance:
        results = recovery.run(bench, advance)
    return asdict(bench), results, tables.recovery_table(results)


class _Progress(Progress):
    """Counts steps, or, where `timed`, seconds."""

    def get_renderables(self) -> Iterable[RenderableType]:
        for task in self.tasks:
            if task.fields['timed'] and task.total is not None:
                task.completed = min(task.elapsed or 0.0, task.total)
        yield from super().get_renderables()


@contextmanager
def _progress(total: float, timed: bool = False) -> Iterator[Callable[[str], None]]:
    """Show progress on standard error; yields what is called with each thing that begins."""
    progress = _Progress(
        SpinnerColumn(),
        TextColumn('{task.description}'),
        BarColumn(),
        TextColumn('{task.completed:.0f}/{task.total:.0f}'),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        refresh_per_second=2,  # a bench must not measure its own progress
        transient=True,
    )
    task = progress.add_task('', total=total, timed=timed)
    begun = 0

    def advance(what: str) -> None:
        nonlocal begun
        if timed:
            progress.update(task, description=what)
        else:
            progress.update(task, description=what, completed=begun)
        begun += 1

    with progress:
        yield advance


def _whole(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError
    return value


def _positive(text: str) -> float:
    value = float(text)
    if not 0.0 < value < 1e6:
        raise ValueError
    return value
