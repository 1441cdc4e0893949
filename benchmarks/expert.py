#!/usr/bin/env python3
"""How well the scripted expert cooks: success over many kitchens, judged by the kitchen's judge.

In process, without ROS: chunks go through the executor's timeline and the safety gate, physics is
MuJoCo's. Example:

    python benchmarks/expert.py --seeds 20 --json expert.json
    python benchmarks/expert.py --seeds 100 --tasks bread --silence 0.3
"""

import argparse
import json
import platform
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from chefmate_sim.expert.language import parse_instruction
from chefmate_sim.expert.policy import ExpertPolicy
from chefmate_sim.expert.simulate import Simulation, SimulationConfig
from chefmate_sim.kitchen.judge import judge
from chefmate_sim.kitchen.world import KitchenWorld

INSTRUCTIONS = {
    'bread': 'pick up the bread slice and place it on the plate',
    'cheese': 'pick up the cheese slice and place it on the plate',
    'patty': 'pick up the patty and place it on the plate',
    'bread 2': 'pick up the second bread slice and place it on the plate',
    'sandwich': 'make a sandwich',
}
# Counters of the gate that say it changed what the expert asked for.
GATE_INTERVENTIONS = ('rate_limited', 'clamped_to_limits', 'refused_absurd', 'starvations')


@dataclass(frozen=True)
class Run:
    """One kitchen, one instruction."""

    seed: int
    success: bool
    unmet: tuple[str, ...]
    placement_error_mm: tuple[float, ...]  # of each slice, bottom to top
    neighbour_motion_mm: float  # the largest
    duration_s: float  # simulated
    wall_s: float
    inference_ms: tuple[float, ...]  # of every call
    gate_interventions: int


# A pick takes 8 s before it goes home, a sandwich 33.
SILENT_BY_S = {'sandwich': 33.0}


def run_one(
    policy: ExpertPolicy, name: str, seed: int, config: SimulationConfig, silence_s: float
) -> Run:
    """Run one task in the kitchen of one seed; no command arrives for `silence_s` of it."""
    instruction = INSTRUCTIONS[name]
    silent_from_s = np.random.default_rng(seed).uniform(1.0, SILENT_BY_S.get(name, 8.0))

    def be_silent(simulation: Simulation) -> None:
        since_s = simulation.world.time_s - silent_from_s
        simulation.is_commanded = not 0.0 <= since_s < silence_s

    begun_s = time.perf_counter()
    world = KitchenWorld(seed)
    before = world.object_poses()
    result = Simulation(world, policy, config).run(instruction, be_silent)
    verdict = judge(
        parse_instruction(instruction), before, world.object_poses(), world.touched_slices()
    )
    unmet = verdict.unmet if result.done else (*verdict.unmet, result.reason)
    return Run(
        seed=seed,
        success=verdict.success and result.done,
        unmet=unmet,
        placement_error_mm=tuple(one.centre_error_m * 1e3 for one in verdict.placed),
        neighbour_motion_mm=max([0.0, *verdict.neighbour_motion_m.values()]) * 1e3,
        duration_s=result.duration_s,
        wall_s=time.perf_counter() - begun_s,
        inference_ms=tuple(value * 1e3 for value in result.inference_s),
        gate_interventions=sum(result.gate[name] for name in GATE_INTERVENTIONS),
    )


def table(runs_by_name: dict[str, list[Run]]) -> Table:
    """Return the results as people read them."""
    shown = Table(title='Scripted expert', caption='judged by chefmate_sim/kitchen/judge.py')
    for heading in (
        'task', 'success', 'error mean / max, mm', 'neighbours moved, max mm', 'sim s / episode',
        'real-time factor', 'infer p50 / max, ms', 'gate interventions',
    ):  # fmt: skip
        shown.add_column(heading, justify='left' if heading == 'task' else 'right')
    for name, runs in runs_by_name.items():
        errors = [error for run in runs for error in run.placement_error_mm]
        inference = [value for run in runs for value in run.inference_ms]
        wins = sum(run.success for run in runs)
        simulated_s = sum(run.duration_s for run in runs)
        shown.add_row(
            name,
            f'{wins}/{len(runs)}',
            f'{statistics.mean(errors):.1f} / {max(errors):.1f}',
            f'{max(run.neighbour_motion_mm for run in runs):.2f}',
            f'{simulated_s / len(runs):.1f}',
            f'{simulated_s / sum(run.wall_s for run in runs):.0f}',
            f'{statistics.median(inference):.2f} / {max(inference):.1f}',
            str(sum(run.gate_interventions for run in runs)),
            style='' if wins == len(runs) else 'bold red',
        )
    return shown


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; exit 0 only if every run succeeded."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--seeds', type=int, default=20, help='kitchens per task (default 20)')
    parser.add_argument('--first-seed', type=int, default=0)
    parser.add_argument(
        '--tasks', nargs='+', choices=list(INSTRUCTIONS), default=list(INSTRUCTIONS)
    )
    parser.add_argument(
        '--latency', type=float, default=0.05, metavar='S',
        help='from an observation to the arrival of its chunk (default 0.05 s)',
    )  # fmt: skip
    parser.add_argument(
        '--silence', type=float, default=0.0, metavar='S',
        help='for so long no command arrives, at a moment that the seed draws (default 0 s)',
    )  # fmt: skip
    parser.add_argument('--json', type=Path, metavar='FILE', help='also write every run here')
    options = parser.parse_args(arguments)

    console = Console()
    policy, config = ExpertPolicy(), SimulationConfig(latency_s=options.latency)
    seeds = range(options.first_seed, options.first_seed + options.seeds)
    results: dict[str, list[Run]] = {}
    with Progress(console=console) as progress:
        for name in options.tasks:
            bar = progress.add_task(name, total=len(seeds))
            for seed in seeds:
                run = run_one(policy, name, seed, config, options.silence)
                results.setdefault(name, []).append(run)
                if not run.success:
                    progress.console.print(f'{name}, seed {seed}: {"; ".join(run.unmet)}')
                progress.advance(bar)
    console.print(table(results))
    if options.json:
        report = {
            'date': datetime.now(UTC).isoformat(timespec='seconds'),
            'machine': f'{platform.machine()}, Python {platform.python_version()}',
            'latency_s': options.latency,
            'silence_s': options.silence,
            'runs': {name: [asdict(run) for run in runs] for name, runs in results.items()},
        }
        options.json.write_text(json.dumps(report, indent=1))
    return 0 if all(run.success for runs in results.values() for run in runs) else 1


if __name__ == '__main__':
    sys.exit(main())
