"""`chefmate bench bus`: the servo bus against Feetech's SDK and LeRobot."""

import argparse
from pathlib import Path
from typing import Any

from rich.console import RenderableType

from chefmate_sim.bench import bus, tables
from chefmate_sim.cli.numbers import whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what may be chosen."""
    default = bus.BusBench()
    parser.add_argument('--cycles', type=whole, default=default.cycles, help='in each turn')
    parser.add_argument('--rounds', type=whole, default=default.rounds, help='turns of each')
    parser.add_argument(
        '--lerobot-python', type=Path, metavar='PYTHON', help='a Python that has LeRobot'
    )


def measure(
    args: argparse.Namespace, progress: Any
) -> tuple[dict[str, Any], dict[str, Any], RenderableType]:
    """Measure; return settings, results and the table.

    Raises:
        ConfigurationError: the interpreter that was named for LeRobot does not exist.
    """
    bench = bus.BusBench(args.cycles, args.rounds, args.lerobot_python)
    with progress(bus.turns(bench)) as advance:
        results = bus.run(bench, advance)
    settings = {'cycles': bench.cycles, 'rounds': bench.rounds}
    return settings, results, tables.bus_table(results)
