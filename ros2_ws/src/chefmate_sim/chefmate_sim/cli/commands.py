"""What this package adds to the `chefmate` command; the group of entry points names it.

Listing the commands imports this file only: nothing that takes time.
"""

from typing import NamedTuple


class Command(NamedTuple):
    """A subcommand: the module that has it, and one line for the list of all."""

    module: str
    summary: str


SIM = Command('chefmate_sim.cli.sim', 'let things go wrong on a simulated arm')
BENCH = Command('chefmate_sim.cli.bench', 'measure the servo bus, the driver, and its recovery')
