"""`chefmate bench recovery`: from replug, brown-out, a dead servo, to following again."""

import argparse
from dataclasses import asdict
from typing import Any

from rich.console import RenderableType

from chefmate_sim.bench import recovery, tables
from chefmate_sim.cli.numbers import whole


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what may be chosen."""
    default = recovery.RecoveryBench()
    parser.add_argument('--times', type=whole, default=default.times, help='each outage')
    parser.add_argument('--seed', type=int, default=default.seed, help="of the outages' lengths")


def measure(
    args: argparse.Namespace, progress: Any
) -> tuple[dict[str, Any], dict[str, Any], RenderableType]:
    """Measure; return settings, results and the table.

    Raises:
        RecoveryError: the arm does not follow before an outage.
    """
    bench = recovery.RecoveryBench(times=args.times, seed=args.seed)
    with progress(bench.times * len(recovery.OUTAGES)) as advance:
        results = recovery.run(bench, advance)
    return asdict(bench), results, tables.recovery_table(results)
