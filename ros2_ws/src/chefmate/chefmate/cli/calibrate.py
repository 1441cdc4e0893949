"""`chefmate calibrate`: calibrate an arm by hand; check, show, undo, import a calibration."""

import argparse
from pathlib import Path

from rich.console import Console

from chefmate_core.calibrating.files import ARMS, default_folder
from chefmate_core.errors import ConfigurationError

ROLL = 'wrist_roll'


def add_parser(subparsers: 'argparse._SubParsersAction') -> None:
    """Add `calibrate` and its actions."""
    parser = subparsers.add_parser(
        'calibrate',
        description='Calibrate an SO-101 arm by hand, as LeRobot does and in its format, and keep '
        'file and servos the same. docs/calibration.md explains every step.',
        examples=(
            ('chefmate calibrate follower', 'the wizard, at /dev/follower'),
            ('chefmate calibrate leader --port PORT', 'the leader, at another port'),
            ('chefmate calibrate check follower', 'do file and servos agree?'),
            ('chefmate calibrate import follower --list', 'what has LeRobot calibrated here?'),
            ('chefmate calibrate undo follower', 'file and servos as they were before'),
        ),
    )
    actions = parser.add_subparsers(
        dest='action',
        required=True,
        metavar='ACTION',
        help='follower or leader: the wizard; check, show, undo, import: see their --help',
    )
    for arm in ARMS:
        wizard = actions.add_parser(
            arm,
            description=f'Calibrate the {arm}: torque off, every joint to its middle, every joint '
            'through its range. Nothing is written before you confirm the result.',
        )
        _add_place(wizard, arm)
        wizard.add_argument(
            '--record-wrist-roll',
            action='store_true',
            help='record the range of wrist_roll too; LeRobot takes a full turn',
        )
    for action, description in (
        ('check', "Compare the file with the servos' EEPROM, joint by joint; exit code 1 if not."),
        ('show', 'Show the file as a table, and where the joints are.'),
        ('undo', 'Bring servos and file back to before the last change; twice: forth again.'),
        ('import', 'Take over a calibration that LeRobot made.'),
    ):
        sub = actions.add_parser(action, description=description)
        sub.add_argument('arm', choices=ARMS, help='which arm')
        _add_place(sub)
        if action == 'import':
            sub.add_argument('name', nargs='?', help="LeRobot's id of the arm, or a .json file")
            sub.add_argument('--list', action='store_true', help='only list what is there')
            sub.add_argument('--to-servos', action='store_true', help='write the servos too')
        if action in ('undo', 'import'):
            sub.add_argument('--yes', action='store_true', help='ask nothing')


def run(args: argparse.Namespace) -> int:
    """Do it; raises from the ChefMateError tree, and says what the servos hold then."""
    # Imported here: the help page needs neither.
    from chefmate.cli.calibrating import commands
    from chefmate.cli.calibrating.wizard import run_wizard

    arm = args.action if args.action in ARMS else args.arm
    port = args.port or f'/dev/{arm}'
    path = (args.out or default_folder()) / f'{arm}.json'
    console = Console(highlight=False)
    if args.action in ARMS:
        full_turn = frozenset() if args.record_wrist_roll else frozenset({ROLL})
        return run_wizard(arm, port, path, full_turn)
    if args.action == 'check':
        return commands.check(console, port, path)
    if args.action == 'show':
        return commands.show(console, port, path)
    if args.action == 'undo':
        return commands.undo(console, port, path, args.yes)
    if args.list:
        if args.name or args.to_servos:
            raise ConfigurationError('--list only lists. Next: leave it out, or the rest')
        return commands.list_lerobot(console)
    return commands.import_from_lerobot(
        console, arm, args.name, port, path, args.to_servos, args.yes
    )


def _add_place(parser: argparse.ArgumentParser, arm: str = 'ARM') -> None:
    parser.add_argument('--port', metavar='PORT', help=f"the arm's port (default: /dev/{arm})")
    parser.add_argument(
        '--out',
        type=Path,
        metavar='DIR',
        help='folder of the calibration files (default: $CHEFMATE_CALIBRATION_DIR, else '
        'chefmate/calibration in your configuration folder)',
    )
