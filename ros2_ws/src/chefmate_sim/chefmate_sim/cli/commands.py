"""What this package adds to the `chefmate` command, and to what `chefmate bench` can measure.

Groups of entry points name these objects. Listing imports this file only: nothing that takes time.
"""

from typing import NamedTuple


class Command(NamedTuple):
    """A subcommand or a bench: the module that has it, and one line for the list of all."""

    module: str
    summary: str


SIM = Command(
    'chefmate_sim.cli.sim', 'let things go wrong on a simulated arm; an arm to practise on; USD'
)

BUS = Command(
    'chefmate_sim.cli.bench_bus', 'cycles per second and CPU time to read and write six servos'
)
LOOP = Command(
    'chefmate_sim.cli.bench_loop', 'punctuality of the driver, next to a bare loop at its side'
)
RECOVERY = Command(
    'chefmate_sim.cli.bench_recovery',
    'from replug, brown-out, a dead servo: to holding, to following',
)
