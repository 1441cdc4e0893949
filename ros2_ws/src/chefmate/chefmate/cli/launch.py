"""`chefmate launch`: run a launch file of ChefMate, or one that uses the same part of launch."""

import argparse
import sys
import zlib

from rich.console import Console
from rich.table import Table
from rich.text import Text

from chefmate.cli.parser import HEADING, NAME, QUIET, section
from chefmate.launching import (
    RUNNERS,
    DeclaredArgument,
    OutputLine,
    OutputSink,
    launch_file_arguments,
    parse_assignments,
    run_launch_file,
)
from chefmate.launching.files import installed_launch_files

_LEVEL_STYLES = {'WARNING': 'yellow', 'ERROR': 'bold red', 'CRITICAL': 'bold red'}
_PROCESS_STYLES = ('cyan', 'magenta', 'green', 'blue', 'yellow', 'bright_cyan', 'bright_magenta')


def add_parser(subparsers: 'argparse._SubParsersAction') -> None:
    """Add `launch`."""
    parser = subparsers.add_parser(
        'launch',
        description='Run a ROS 2 launch file: through ROS 2 where launch is installed, else '
        'through the runner that comes with ChefMate. Ctrl-C ends every process it started.',
        examples=(
            ('chefmate launch', 'list the launch files'),
            ('chefmate launch deploy --show-args', 'what deploy.launch.py can be told'),
            ('chefmate launch deploy hardware:=sim', 'run it'),
            ('chefmate launch ./my.launch.py', 'a file of your own'),
        ),
    )
    parser.add_argument('file', nargs='?', help='name (deploy) or path (./my.launch.py)')
    parser.add_argument(
        'arguments', nargs='*', metavar='name:=value', help='arguments of the launch file'
    )
    parser.add_argument(
        '-s', '--show-args', action='store_true', help="show the file's arguments; start nothing"
    )
    parser.add_argument(
        '--runner',
        choices=RUNNERS,
        default='auto',
        help='launch: that of ROS 2; builtin: our own; auto: launch if installed',
    )


def run(args: argparse.Namespace) -> int:
    """Run the launch file, show its arguments, or list the files."""
    console = Console(highlight=False)
    if args.file is None:
        console.print(section('Launch files', [(name, '') for name in installed_launch_files()]))
        return 0
    if args.show_args:
        console.print(arguments_table(launch_file_arguments(args.file, args.runner)))
        return 0
    arguments = parse_assignments(args.arguments)
    return run_launch_file(args.file, arguments, screen_sink(console), args.runner)


def arguments_table(arguments: list[DeclaredArgument]) -> Table | Text:
    """Return the arguments with defaults, choices and descriptions, for people."""
    if not arguments:
        return Text('This launch file has no arguments.')
    table = Table(box=None, padding=(0, 3, 0, 0), header_style=HEADING)
    table.add_column('argument', no_wrap=True, style=NAME)
    table.add_column('default', overflow='fold')
    table.add_column('meaning', overflow='fold')
    for argument in arguments:
        meaning = Text(argument.description or 'no description')
        if argument.choices:
            meaning.append(f'\n{" | ".join(argument.choices)}', style='green')
        if argument.conditional:
            meaning.append('\nonly used under a condition', style=QUIET)
        default = Text('must be given', style='yellow')
        if argument.default is not None:
            default = Text(argument.default) if argument.default else Text('(empty)', style=QUIET)
        table.add_row(argument.name, default, meaning)
    return table


def screen_sink(console: Console) -> OutputSink:
    """Return a sink that prints lines: coloured on a terminal, plain into a pipe or a file."""

    def plain(line: OutputLine) -> None:
        sys.stdout.write(f'{line}\n')
        sys.stdout.flush()

    def coloured(line: OutputLine) -> None:
        console.print(coloured_line(line), soft_wrap=True)

    return coloured if console.is_terminal else plain


def coloured_line(line: OutputLine) -> Text:
    """Return a line with its source in a colour of its own."""
    # crc32: the same process has the same colour in every run; hash() differs between runs
    style = _PROCESS_STYLES[zlib.crc32(line.source.encode()) % len(_PROCESS_STYLES)]
    if line.stream == 'launch':
        level = _LEVEL_STYLES.get(line.level, QUIET)
        return Text(f'[{line.source}]', style=style).append(f' {line.text}', style=level)
    return Text(f'[{line.source}] ', style=style).append_text(Text.from_ansi(line.text))
