"""The subcommands of `chefmate`.

A subcommand is one module with two functions:

    add_parser(subparsers) -> None: call `subparsers.add_parser(NAME, description=, examples=)` and
        add the arguments; `examples` are pairs (command line, what it does).
    run(args) -> int: do it and return the exit code; raise from the ChefMateError tree.

The module is imported only when its subcommand is chosen: `chefmate --help` imports none of them.
"""

import importlib
from dataclasses import dataclass
from types import ModuleType

from chefmate_core.errors import ConfigurationError


@dataclass(frozen=True)
class Command:
    """A subcommand: where it is, and one line for the list of all."""

    name: str
    module: str
    summary: str

    def load(self) -> ModuleType:
        """Import the module.

        Raises:
            ConfigurationError: something that it needs is not installed.
        """
        try:
            return importlib.import_module(self.module)
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                f'`chefmate {self.name}` needs the Python module {error.name!r}, which is not '
                f'found. Next: run `chefmate doctor`, which says what is missing'
            ) from error


COMMANDS = (
    Command('deploy', 'chefmate.cli.deploy', 'cook: arm, cameras, policy; simulated or real'),
    Command('launch', 'chefmate.cli.launch', 'run a launch file, with or without a ROS 2 install'),
    Command('estop', 'chefmate.cli.estop', 'press or release the emergency stop'),
    Command('doctor', 'chefmate.cli.doctor', 'check this machine and say what to do'),
)

EXAMPLES = (
    ('chefmate doctor', 'is everything there?'),
    ('chefmate deploy', 'pick up the bread and place it on the plate, in simulation'),
    ('chefmate deploy instruction:="make a sandwich"', 'another task'),
    ('chefmate launch arm --show-args', 'what a launch file can be told'),
)
