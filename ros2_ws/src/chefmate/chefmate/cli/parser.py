"""An argument parser whose help is pleasant to read."""

import argparse
from collections.abc import Sequence
from typing import Any, NoReturn

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from chefmate_core.errors import ConfigurationError

HEADING = 'bold'
NAME = 'cyan'
QUIET = 'dim'


class Parser(argparse.ArgumentParser):
    """argparse, with help drawn by rich and errors raised instead of printed.

    Raises (when parsing):
        ConfigurationError: the command line is wrong.
    """

    def __init__(
        self,
        *args: Any,
        examples: Sequence[tuple[str, str]] = (),
        details: RenderableType | None = None,
        **kwargs: Any,
    ) -> None:
        kwargs.setdefault('allow_abbrev', False)
        super().__init__(*args, **kwargs)
        self.examples = examples
        self.details = details  # what the help page says besides, before the examples

    def error(self, message: str) -> NoReturn:
        """Raise what argparse would print."""
        raise ConfigurationError(f'{message}. Next: see {self.prog} --help')

    def print_help(self, file: Any = None) -> None:
        """Draw the help on the terminal."""
        Console(file=file, highlight=False).print(help_page(self))


def help_page(parser: Parser) -> RenderableType:
    """Return the help of one parser: usage, what it does, arguments, options, examples."""
    usage = parser.format_usage().removeprefix('usage: ').strip()
    parts: list[RenderableType] = [_usage_line(usage)]
    if parser.description:
        parts += [Text(), Text(parser.description.strip())]
    for title, optional in (('Arguments', False), ('Options', True)):
        rows = [
            (_names(action), _meaning(action))
            for action in parser._actions
            if bool(action.option_strings) is optional and action.help != argparse.SUPPRESS
        ]
        if rows:
            parts += [Text(), section(title, rows)]
    if parser.details is not None:
        parts += [Text(), parser.details]
    if parser.examples:
        parts += [Text(), section('Examples', parser.examples, name_style='green')]
    return Group(*parts)


def _usage_line(usage: str) -> Text:
    text = Text('Usage: ', style=HEADING)
    text.append(' '.join(usage.split()), style='not bold')
    return text


def section(title: str, rows: Sequence[tuple[str, str]], name_style: str = NAME) -> RenderableType:
    """Return a titled list of names and meanings."""
    table = Table.grid(padding=(0, 3, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow='fold')
    for name, meaning in rows:
        table.add_row(Text(name, style=name_style), Text(meaning))
    return Group(Text(title, style=HEADING), Padding(table, (0, 0, 0, 2)))


def _names(action: argparse.Action) -> str:
    if not action.option_strings:
        return str(action.metavar or action.dest)
    names = ', '.join(action.option_strings)
    if action.nargs == 0:
        return names
    value = action.metavar or ('|'.join(map(str, action.choices or ())) or action.dest.upper())
    return f'{names} {value}'


def _meaning(action: argparse.Action) -> str:
    text = action.help or ''
    shown = action.default not in (None, False, argparse.SUPPRESS, [], '')
    if shown and '%(default)s' not in text and action.option_strings:
        text += ' (default: %(default)s)'
    return text % {'default': action.default}
