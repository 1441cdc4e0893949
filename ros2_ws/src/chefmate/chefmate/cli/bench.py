"""`chefmate bench`: measure a part of ChefMate on this machine.

What can be measured comes from other packages, by entry points of the group `chefmate.benches`.
Like those of `chefmate.commands` (see `registry`), each names an object with two strings,
`module` and `summary`. The module is imported only when its bench is used; it has two functions:

    add_arguments(parser) -> None: what it takes besides --json and --svg.
    measure(args, progress) -> (settings, results, drawing): measure, and return what was asked for
        and what was found, both for JSON, and what rich prints. `progress(total, timed=False)` is
        a context manager; it yields what is called with the name of each step that begins.
        Raises from the ChefMateError tree.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from chefmate.cli import machine
from chefmate.cli.parser import Parser, section
from chefmate.cli.progress import progress
from chefmate.cli.registry import Command, registered
from chefmate_core.errors import ConfigurationError

GROUP = 'chefmate.benches'
COLUMNS = 120
EXAMPLES = (
    ('chefmate bench', 'what can be measured here?'),
    ('chefmate bench policy', 'GR00T N1.5 by every backend that this machine has'),
    ('chefmate bench bus', "the servo bus against Feetech's SDK and LeRobot, 1 minute"),
    ('chefmate bench loop', 'punctuality at 100 and 200 Hz, idle and busy, 9 minutes'),
    ('chefmate bench recovery --json FILE', 'replug, brown-out, a dead servo: 3 minutes'),
)


class _BenchParser(Parser):
    """Parser of one bench; its arguments are known when its module is loaded: when it is used."""

    def __init__(self, *args: Any, bench: Command, **kwargs: Any) -> None:
        summary = bench.summary[:1].upper() + bench.summary[1:]
        super().__init__(*args, description=f'{summary}.', **kwargs)
        self._bench = bench

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: Any = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Add the arguments, then parse.

        Raises:
            ConfigurationError: the bench is broken, or the command line is wrong.
        """
        self._bench.load().add_arguments(self)
        self.add_argument('--json', type=Path, metavar='FILE', help='write the numbers here')
        self.add_argument('--svg', type=Path, metavar='FILE', help='save the table as a picture')
        return super().parse_known_args(args, namespace)


def add_parser(subparsers: 'argparse._SubParsersAction') -> None:
    """Add `bench` and what can be measured."""
    benches = _benches()
    parser = subparsers.add_parser(
        'bench',
        description='Measure a part of ChefMate on this machine. docs/measuring.md says how to '
        'read the numbers.',
        details=section('Benches', [(bench.name, bench.summary) for bench in benches]),
        examples=EXAMPLES,
    )
    parser.set_defaults(print_page=parser.print_help)
    chosen = parser.add_subparsers(
        dest='bench', metavar='BENCH', parser_class=_BenchParser, help='what to measure'
    )
    for bench in benches:
        chosen.add_parser(bench.name, bench=bench)


def run(args: argparse.Namespace) -> int:
    """Measure, print the table, write the files; without a bench, list them.

    Raises:
        ConfigurationError: a number is out of range, or a file cannot be written.
    """
    if args.bench is None:
        args.print_page()
        return 0
    for path in (args.json, args.svg):
        if path is not None and not path.parent.is_dir():
            raise ConfigurationError(f'{path}: no folder {path.parent}; make it first')
    bench = next(bench for bench in _benches() if bench.name == args.bench)
    on = machine.describe()
    settings, results, drawing = bench.load().measure(args, progress)
    on |= machine.gpu()
    console = Console(highlight=False, record=args.svg is not None)
    if args.svg is not None or not console.is_terminal:
        console.width = max(console.width, COLUMNS)  # a file has no edge
    console.print(f'chefmate bench {args.bench}: {machine.title(on)}\n')
    console.print(drawing)
    if args.json is not None:
        report = {'bench': args.bench, 'machine': on, 'settings': settings, 'results': results}
        args.json.write_text(json.dumps(report, indent=2) + '\n')
    if args.svg is not None:
        console.save_svg(str(args.svg), title=f'chefmate bench {args.bench}')
    return 0


def _benches() -> tuple[Command, ...]:
    return registered(GROUP, parent='chefmate bench')
