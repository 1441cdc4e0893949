"""What `chefmate dataset` takes, task by task."""

import argparse
from pathlib import Path
from typing import Any

from chefmate_core.errors import ConfigurationError

FORMATS = ('lerobot-v3', 'lerobot-v2.1', 'groot')

# task -> module:function that does it
TASKS = {
    'convert': 'writing:convert',
    'info': 'showing:info',
    'merge': 'writing:merge',
    'split': 'writing:split',
    'subset': 'writing:subset',
    'delete': 'writing:delete',
    'rename-camera': 'writing:rename_camera',
    'relabel': 'writing:relabel',
    'check': 'checking:check',
    'report': 'checking:report',
    'repair': 'checking:repair',
    'push': 'sharing:push',
    'pull': 'sharing:pull',
}


def add_tasks(parser: argparse.ArgumentParser) -> None:
    """Add the tasks and their arguments."""
    tasks = parser.add_subparsers(
        dest='dataset_task', required=True, metavar='TASK', help=', '.join(TASKS)
    )

    def add(name: str, description: str, **more: Any) -> argparse.ArgumentParser:
        task = tasks.add_parser(name, description=description, **more)
        return task

    convert = add('convert', 'Write a recorded session or a data set in a format.')
    convert.add_argument('source', type=Path, help='a session or a data set')
    _add_writing(convert, required=True)
    convert.add_argument(
        '--units',
        choices=('range_m100_100', 'degrees'),
        help='of the arm joints, for a session (default: -100..100, as LeRobot records)',
    )
    convert.add_argument(
        '--fps', type=int, help='frames a second, for a session (default: as recorded)'
    )

    info = add('info', 'Say what a data set holds.')
    info.add_argument('path', type=Path)
    info.add_argument('--json', action='store_true', help='for programs')

    merge = add('merge', 'Put the episodes of data sets one after the other.')
    merge.add_argument('sources', type=Path, nargs='+', metavar='source')
    _add_writing(merge)

    split = add('split', 'Write consecutive episodes as data sets of their own: DST/NAME.')
    split.add_argument('source', type=Path)
    _add_writing(split)
    split.add_argument('parts', nargs='+', metavar='NAME=SHARE', help='as in train=0.9 val=0.1')

    for name, what in (('subset', 'Keep only'), ('delete', 'Drop')):
        task = add(name, f'{what} some episodes.')
        task.add_argument('source', type=Path)
        _add_writing(task)
        _add_episodes(task, required=True)

    rename = add('rename-camera', 'Give cameras other names; two may change places.')
    rename.add_argument('source', type=Path)
    _add_writing(rename)
    rename.add_argument('names', nargs='+', metavar='OLD=NEW')
    _add_episodes(rename, more='; only where names change places (default: all)')

    relabel = add('relabel', 'Give episodes other instructions.')
    relabel.add_argument('source', type=Path)
    _add_writing(relabel)
    relabel.add_argument(
        '--text', nargs=2, action='append', default=[], metavar=('OLD', 'NEW'), help='everywhere'
    )
    relabel.add_argument('--task', metavar='TEXT', help='what the --episodes are to be')
    _add_episodes(relabel)

    check = add('check', 'Find what breaks training; each finding says where and how to repair.')
    check.add_argument('path', type=Path, help='a session or a data set')
    check.add_argument('--json', action='store_true', help='for programs')

    report = add('report', 'Write one page with pictures of a session or a data set.')
    report.add_argument('path', type=Path)
    report.add_argument('out', type=Path, nargs='?', help='default: NAME-report.html')

    repair = add('repair', 'Mend what a crash or a full disk left of a recorded session.')
    repair.add_argument('path', type=Path)
    repair.add_argument('--discard', action='store_true', help='remove open episodes instead')

    push = add('push', 'Upload a data set to the Hugging Face hub.')
    push.add_argument('path', type=Path)
    push.add_argument('name', help='ORGANISATION/NAME')
    push.add_argument('--public', action='store_true', help='for everybody (default: private)')

    pull = add('pull', 'Download a data set from the Hugging Face hub.')
    pull.add_argument('name', help='ORGANISATION/NAME')
    pull.add_argument('path', type=Path)
    pull.add_argument('--revision', help='a branch, tag or commit')


def _add_episodes(parser: argparse.ArgumentParser, required: bool = False, more: str = '') -> None:
    parser.add_argument(
        '--episodes',
        type=episode_numbers,
        required=required,
        metavar='NUMBERS',
        help=f'as in 0,4-7; the first is 0{more}',
    )


def _add_writing(parser: argparse.ArgumentParser, required: bool = False) -> None:
    parser.add_argument('destination', type=Path, help='a new folder')
    parser.add_argument(
        '--to',
        choices=FORMATS,
        required=required,
        help='the format' + ('' if required else ' (default: that of the source)'),
    )
    parser.add_argument(
        '--codec', choices=('h264', 'av1'), help='compress videos anew if they are not so'
    )
    parser.add_argument(
        '--workers', type=int, default=0, help='processes (default: one for each processor)'
    )
    parser.add_argument(
        '--statistics', action='store_true', help='compute those of the images anew too'
    )
    parser.add_argument(
        '--restart', action='store_true', help='throw away what an interrupted run left'
    )


def episode_numbers(text: str) -> list[int]:
    """Return the numbers that a text such as `0,4-7` names.

    Raises:
        ArgumentTypeError: it is no such text.
    """
    numbers: list[int] = []
    for part in text.split(','):
        first, dash, last = part.strip().partition('-')
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise argparse.ArgumentTypeError(
                f'found {text!r}; expected numbers and ranges, as in 0,4-7'
            )
        numbers += range(int(first), int(last or first) + 1)
    return numbers


def pairs(texts: list[str], form: str) -> dict[str, str]:
    """Return {left: right} of texts such as `OLD=NEW`.

    Raises:
        ConfigurationError: one has another form, or a left side comes twice.
    """
    found: dict[str, str] = {}
    for text in texts:
        left, sign, right = text.partition('=')
        if not sign or not left or not right or left in found:
            raise ConfigurationError(f'found {text!r}; expected {form}, each name once')
        found[left] = right
    return found
