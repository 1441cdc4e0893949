"""`chefmate bench policy`: arguments, and the way to the measurement."""

import argparse
from dataclasses import fields
from typing import Any

from rich.console import RenderableType

from chefmate_policy.bench.config import BACKENDS, DEVICES, PolicyBench
from chefmate_policy.model.config import PRESETS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what may be chosen."""
    default = PolicyBench()
    parser.add_argument(
        '--preset', choices=tuple(PRESETS), help='random weights of it; the 3B where a GPU is'
    )
    parser.add_argument('--model', metavar='NAME', help='the weights of a checkpoint instead')
    parser.add_argument('--runs', type=int, default=default.runs, help='of each backend')
    parser.add_argument('--samples', type=int, default=default.samples, help='noise samples')
    parser.add_argument('--device', choices=DEVICES, default=default.device, help='where')
    parser.add_argument(
        '--backends',
        nargs='+',
        choices=tuple(BACKENDS),
        default=default.backends,
        metavar='NAME',
        help=f'instead of all: {", ".join(BACKENDS)}',
    )
    parser.add_argument('--fp8', action='store_true', help='fp8 besides')
    parser.add_argument('--cameras', type=int, metavar='N', help='640x480 each; 2 if not given')
    parser.add_argument(
        '--seconds', type=float, default=default.seconds, help='longest start of a backend'
    )
    parser.add_argument('--seed', type=int, default=default.seed, help='of weights and inputs')


def measure(
    args: argparse.Namespace, progress: Any
) -> tuple[dict[str, Any], dict[str, Any], RenderableType]:
    """Measure; return settings, results and the table.

    Raises:
        ConfigurationError: a choice is wrong, or its device or model is not here.
    """
    values = {field.name: getattr(args, field.name) for field in fields(PolicyBench)}
    bench = PolicyBench(**{**values, 'backends': tuple(args.backends)})
    # A wrong argument is refused before torch is imported, which takes seconds.
    from chefmate_policy.bench.run import run, steps
    from chefmate_policy.bench.tables import policy_table

    with progress(steps(bench)) as advance:
        settings, results = run(bench, advance)
    return settings, results, policy_table(settings, results)
