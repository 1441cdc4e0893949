"""The subcommands of `chefmate`.

A subcommand is one module with two functions:

    add_parser(subparsers) -> None: call `subparsers.add_parser(NAME, description=, examples=)` and
        add the arguments; `examples` are pairs (command line, what it does).
    run(args) -> int: do it and return the exit code; raise from the ChefMateError tree.

The module is imported only when its subcommand is chosen: `chefmate --help` imports none of them.

Another package adds a subcommand by an entry point of the group `chefmate.commands`: its name is
that of the subcommand, and it names an object with two strings, `module` (as above) and `summary`
(one line). `chefmate --help` imports that object: keep it in a small file of its own.
"""

import importlib
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType

from chefmate_core.errors import ConfigurationError

GROUP = 'chefmate.commands'


@dataclass(frozen=True)
class Command:
    """A subcommand: where it is, and one line for the list of all."""

    name: str
    module: str
    summary: str
    origin: str = ''  # of an extension: the entry point
    problem: str = ''  # why it cannot be used
    parent: str = 'chefmate'  # what is typed before the name

    def load(self) -> ModuleType:
        """Import the module.

        Raises:
            ConfigurationError: something that it needs is not installed, or the extension that it
                comes from is broken.
        """
        if self.problem:
            raise ConfigurationError(
                f'the extension `{self.parent} {self.name}` ({self.origin}) is broken: '
                f'{self.problem}. '
                f'Next: build the workspace again (make setup), or mend or remove its package'
            )
        try:
            return importlib.import_module(self.module)
        except ModuleNotFoundError as error:
            raise ConfigurationError(
                f'`{self.parent} {self.name}` needs the Python module {error.name!r}, which is '
                f'not found. Next: run `chefmate doctor`, which says what is missing'
            ) from error
        except Exception as error:
            if not self.origin:
                raise
            raise ConfigurationError(
                f'the extension `{self.parent} {self.name}` ({self.origin}) cannot be imported: '
                f'{type(error).__name__}: {error}. Next: mend or remove its package'
            ) from error


COMMANDS = (
    Command('deploy', 'chefmate.cli.deploy', 'cook: arm, cameras, policy; simulated or real'),
    Command('launch', 'chefmate.cli.launch', 'run a launch file, with or without a ROS 2 install'),
    Command('teleop', 'chefmate.cli.teleop', 'clutch, keys and numbers of a teleoperation'),
    Command('view', 'chefmate.cli.view', 'a page in the browser: watch the arm, stop it'),
    Command('estop', 'chefmate.cli.estop', 'press or release the emergency stop'),
    Command('record', 'chefmate.cli.record', 'record episodes for data sets, with keys'),
    Command('calibrate', 'chefmate.cli.calibrate', 'calibrate an arm by hand, check it, undo it'),
    Command('servo', 'chefmate.cli.servo', 'find servos and give them ids'),
    Command('dataset', 'chefmate.cli.dataset', 'convert, edit, check, share data sets'),
    Command('bag', 'chefmate.cli.bag', 'plots of a recorded bag'),
    Command('bench', 'chefmate.cli.bench', 'measure the arm, its recovery, the policy'),
    Command('doctor', 'chefmate.cli.doctor', 'check this machine and say what to do'),
)


def extensions() -> tuple[Command, ...]:
    """Return the subcommands of other packages, by name; a broken one says so when it is used."""
    taken = {command.name for command in COMMANDS}
    return tuple(command for command in registered(GROUP) if command.name not in taken)


def registered(group: str, parent: str = 'chefmate') -> tuple[Command, ...]:
    """Return what entry points of `group` name, by name, each of which stands after `parent`."""
    found: dict[str, Command] = {}
    for entry in sorted(entry_points(group=group)):
        found.setdefault(entry.name, _extension(entry, parent))
    return tuple(found.values())


def _extension(entry: EntryPoint, parent: str) -> Command:
    try:
        said = entry.load()
        module, summary = said.module, said.summary
        if not (isinstance(module, str) and isinstance(summary, str)):
            raise TypeError(f'`module` and `summary` must be strings; found {said!r}')
    except Exception as error:  # whatever is wrong with one, the others must work
        problem = f'{type(error).__name__}: {error}'
        return Command(entry.name, '', f'broken: {problem}', entry.value, problem, parent)
    return Command(entry.name, module, summary, entry.value, parent=parent)


EXAMPLES = (
    ('chefmate doctor', 'is everything there?'),
    ('chefmate deploy', 'pick up the bread and place it on the plate, in simulation'),
    ('chefmate deploy instruction:="make a sandwich"', 'another task'),
    ('chefmate launch arm --show-args', 'what a launch file can be told'),
)
