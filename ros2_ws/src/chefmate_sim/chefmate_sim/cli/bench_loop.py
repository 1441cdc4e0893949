"""`chefmate bench loop`: how punctual the driver is."""

import argparse
from dataclasses import asdict
from typing import Any

from rich.console import RenderableType

from chefmate_core.errors import ConfigurationError
from chefmate_core.realtime import RealtimeConfig
from chefmate_sim.bench import loop, tables
from chefmate_sim.cli.numbers import positive

RATES_HZ = (1.0, 1000.0)  # allowed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what may be chosen."""
    default = loop.LoopBench()
    parser.add_argument('--seconds', type=positive, default=default.seconds, help='of each window')
    parser.add_argument(
        '--rate', type=positive, action='append', metavar='HZ', help='instead of 100 and 200'
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


def measure(
    args: argparse.Namespace, progress: Any
) -> tuple[dict[str, Any], dict[str, Any], RenderableType]:
    """Measure; return settings, results and the table.

    Raises:
        ConfigurationError: a rate, a priority or a processor is out of range.
    """
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
    with progress(bench.duration_s(), timed=True) as advance:
        results = loop.run(bench, advance)
    return asdict(bench), results, tables.loop_table(results['windows'])
