"""The bus bench: cycles per second and processor time of one bus against others.

All clients take turns on the same pseudo-terminal, in several rounds, so that a machine that is
slow for a while is slow for all of them.
"""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from chefmate_core.errors import ChefMateError
from chefmate_sim.bench.bus_clients import (
    LEROBOT_VERSION,
    NOT_INSTALLED,
    WARM_UP_CYCLES,
    WIRE_S,
    Client,
    LeRobot,
    find_lerobot_python,
    in_process_clients,
)
from chefmate_sim.bench.virtual_arm import VirtualArm

WIRES = {'no wire time': False, 'wire time at 1 Mbaud': True}


@dataclass(frozen=True)
class BusBench:
    """What to measure."""

    cycles: int = 1000  # a turn
    rounds: int = 5
    lerobot_python: Path | None = None  # None: the repository's, if it is there


@dataclass
class _Turns:
    """What one client did on one kind of wire."""

    durations_s: list[np.ndarray] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)
    servos_cpu_s: list[float] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)

    def add(self, durations_s: Sequence[float], cpu_s: float, servos_cpu_s: float) -> None:
        self.durations_s.append(np.array(durations_s))
        self.cpu_s.append(cpu_s / len(durations_s))
        self.servos_cpu_s.append(servos_cpu_s / (len(durations_s) + WARM_UP_CYCLES))

    def row(self, wire_time: bool) -> dict[str, Any]:
        """Return the numbers: medians over the rounds, and the best round."""
        row: dict[str, Any] = {'rounds': len(self.durations_s), 'trouble': self.trouble}
        if not self.durations_s:
            return row
        mean_s = np.array([turn.mean() for turn in self.durations_s])
        cycle_ms = np.concatenate(self.durations_s) * 1e3
        row |= {
            'cycle_p50_ms': float(np.percentile(cycle_ms, 50)),
            'cycle_p99_ms': float(np.percentile(cycle_ms, 99)),
            'cycles_per_s': float(1.0 / np.median(mean_s)),
            'cycles_per_s_best': float(1.0 / mean_s.min()),
            'cpu_us_per_cycle': float(np.median(self.cpu_s)) * 1e6,
            'cpu_us_per_cycle_best': float(min(self.cpu_s)) * 1e6,
            'servos_cpu_us_per_cycle': float(np.median(self.servos_cpu_s)) * 1e6,
        }
        if wire_time:
            row['of_wire_limit'] = WIRE_S * row['cycles_per_s']
            row['of_wire_limit_best'] = WIRE_S * row['cycles_per_s_best']
        return row


def run(bench: BusBench, advance: Callable[[str], None] = lambda what: None) -> dict[str, Any]:
    """Measure; return wire -> client -> numbers. `advance` is called before each turn.

    Raises:
        ConfigurationError: the interpreter that was named for LeRobot does not exist.
    """
    clients = in_process_clients()
    python = find_lerobot_python(bench.lerobot_python)
    if python is not None:
        clients.append(LeRobot(python))
    try:
        results = {
            wire: _measure(clients, bench, wire, wire_time, advance)
            for wire, wire_time in WIRES.items()
        }
    finally:
        for client in clients:
            client.close()
    if python is None:
        for rows in results.values():
            rows[f'LeRobot {LEROBOT_VERSION}'] = {'rounds': 0, 'trouble': [NOT_INSTALLED]}
    return results


def turns(bench: BusBench) -> int:
    """Return how often `run` will call `advance`."""
    clients = 3 + (find_lerobot_python(bench.lerobot_python) is not None)
    return len(WIRES) * bench.rounds * clients


def _measure(
    clients: Sequence[Client],
    bench: BusBench,
    wire: str,
    wire_time: bool,
    advance: Callable[[str], None],
) -> dict[str, dict[str, Any]]:
    found = {client.name: _Turns() for client in clients}
    with (
        tempfile.TemporaryDirectory() as folder,
        VirtualArm(Path(folder) / 'arm', wire_time) as arm,
    ):
        for number in range(bench.rounds):
            for client in _rotated(clients, number):
                advance(f'{wire}, {client.name}')
                servos_from_s = arm.cpu_s()
                try:
                    turn = client.run(arm.port, bench.cycles)
                except (ChefMateError, OSError, IndexError, TypeError) as error:
                    # What others raise on a bad answer is a result, too.
                    found[client.name].trouble.append(f'{type(error).__name__}: {error}')
                else:
                    servos_s = arm.cpu_s() - servos_from_s
                    found[client.name].add(turn['durations_s'], turn['cpu_s'], servos_s)
    return {name: turns.row(wire_time) for name, turns in found.items()}


def _rotated(clients: Sequence[Client], number: int) -> list[Client]:
    """Another one begins each round: nobody always follows the same neighbour."""
    first = number % len(clients)
    return [*clients[first:], *clients[:first]]
