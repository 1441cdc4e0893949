"""The entry point of `chefmate`: finds the subcommand, runs it, and turns errors into messages.

Exit codes: 0 done; 1 it failed; 2 the command line, a file or a setting is wrong; 130 Ctrl-C.
"""

import contextlib
import difflib
import os
import re
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version

from rich.console import Console, Group
from rich.text import Text

from chefmate.cli.parser import HEADING, Parser, section
from chefmate.cli.registry import COMMANDS, EXAMPLES, Command, extensions
from chefmate_core.errors import ChefMateError, ConfigurationError

_EXIT_FAILED = 1
_EXIT_USAGE = 2
_EXIT_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    debug = '--debug' in words
    words = [word for word in words if word != '--debug']
    try:
        return _run(words)
    except ChefMateError as error:
        if debug:
            raise
        _print_error(str(error))
        return _EXIT_USAGE if isinstance(error, ConfigurationError) else _EXIT_FAILED
    except KeyboardInterrupt:
        return _EXIT_INTERRUPTED
    except (
        BrokenPipeError
    ):  # `chefmate ... | head`: nobody listens, and the exit must not complain
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _EXIT_FAILED
    except Exception as error:
        if debug:
            raise
        _print_error(
            f'unexpected {type(error).__name__}: {error}. This is a bug in ChefMate. Next: run it '
            f'again with --debug and report what it prints'
        )
        return _EXIT_FAILED


def _run(words: list[str]) -> int:
    if not words or words[0] in ('-h', '--help', 'help'):
        Console(highlight=False).print(_overview())
        return 0
    if words[0] == '--version':
        Console(highlight=False).print(f'chefmate {_version()}')
        return 0
    command = _find(words[0])
    module = command.load()
    parser = Parser(prog='chefmate', add_help=False)
    module.add_parser(parser.add_subparsers(dest='command', parser_class=Parser))
    return module.run(parser.parse_args(_assignments_together(words)))


def _assignments_together(words: list[str]) -> list[str]:
    """Bring all `name:=value` to one place: argparse takes one run of positional words only."""

    def is_assignment(word: str) -> bool:
        return re.match(r'\w+:=', word) is not None

    assignments = [word for word in words if is_assignment(word)]
    options = [index for index, word in enumerate(words) if word.startswith('-')]
    if not assignments or not options:
        return words
    # Behind the words before the first option; where there are none, at the first assignment.
    place = options[0] if options[0] > 1 else words.index(assignments[0])
    before = [word for word in words[:place] if not is_assignment(word)]
    after = [word for word in words[place:] if not is_assignment(word)]
    return [*before, *assignments, *after]


def _find(name: str) -> Command:
    by_name = {command.name: command for command in COMMANDS}
    if name not in by_name:  # looking for extensions takes time that ours need not wait for
        by_name |= {command.name: command for command in extensions()}
    if name in by_name:
        return by_name[name]
    close = difflib.get_close_matches(name, by_name, n=1)
    hint = f'; did you mean {close[0]!r}?' if close else ''
    raise ConfigurationError(
        f'chefmate has no command {name!r}{hint} Commands: {", ".join(by_name)}. '
        f'Next: see chefmate --help'
    )


def _overview() -> Group:
    commands = (*COMMANDS, *extensions())
    usage = Text('Usage: ', style=HEADING)
    usage.append('chefmate COMMAND ...', style='not bold')
    return Group(
        Text('ChefMate', style='bold cyan').append(
            '  real-time control of a kitchen robot arm on ROS 2', style='not bold default'
        ),
        Text(),
        usage,
        Text(),
        section('Commands', [(command.name, command.summary) for command in commands]),
        Text(),
        section('Examples', EXAMPLES, name_style='green'),
        Text(),
        section(
            'Options',
            [
                ('-h, --help', 'this page; after a command, what that command takes'),
                ('--version', 'the version'),
                ('--debug', 'show the traceback of an error'),
            ],
        ),
    )


def _version() -> str:
    try:
        return version('chefmate')
    except PackageNotFoundError:
        return 'from source, not installed'


def _print_error(message: str) -> None:
    """Print one message: what is wrong in red's company, what to do next on a line of its own."""
    what, marker, advice = message.partition(' Next: ')
    text = Text.assemble(('error: ', 'bold red'), what)
    if marker:
        text.append('\nwhat to do: ', style='bold').append(advice, style='not bold')
    # soft_wrap: a path in the message stays whole, for copying and for pipes
    Console(stderr=True, highlight=False).print(text, soft_wrap=True)


if __name__ == '__main__':
    sys.exit(main())
