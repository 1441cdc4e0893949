"""`chefmate sim`: what can be done to a running simulation, and an arm to practise on."""

import argparse
import os

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from chefmate_core.calibrating.files import ARMS
from chefmate_core.errors import ConfigurationError
from chefmate_core.joints import JOINT_NAMES
from chefmate_sim.cli import practice_arm, usd
from chefmate_sim.virtual_bus.script import parse, usage


def add_parser(subparsers: 'argparse._SubParsersAction') -> None:
    """Add `sim` and its subcommands."""
    parser = subparsers.add_parser(
        'sim',
        description='Do something to the kitchen that runs in this ROS_DOMAIN_ID, or practise.',
        examples=(
            ("chefmate sim faults 'stall gripper'", 'let something go wrong'),
            ('chefmate sim faults --help', 'what can go wrong'),
            ('chefmate sim practice-arm follower', 'an arm to try the calibration on'),
            ('chefmate sim usd kitchen.usd', 'the kitchen for Isaac Sim'),
        ),
    )
    actions = parser.add_subparsers(
        dest='action', required=True, metavar='faults|practice-arm|usd'
    )
    practice_arm.add_parser(actions)
    usd.add_parser(actions)
    faults = actions.add_parser(
        'faults',
        description='Let things go wrong on a simulated arm, on its wire and in its servos, while '
        'everything runs. A SERVO is 1 to 6 or the name of its joint: '
        f'{", ".join(JOINT_NAMES)}. Each line is one argument; docs/faults.md says what each does '
        'and what the driver makes of it.',
        details=_language(),
        examples=(
            ("chefmate sim faults 'drop replies servo=3 count=20'", 'servo 3 is silent a while'),
            ("chefmate sim faults 'corrupt requests probability=0.05'", 'a noisy wire'),
            ("chefmate sim faults 'hang-up for=2 power-lost'", 'the plug falls out'),
            ("chefmate sim faults 'sag to=4.5 for=3' 'stall gripper'", 'two at once'),
            ('chefmate sim faults --list', 'what is wrong now?'),
            ('chefmate sim faults --clear', 'all is well again'),
        ),
    )
    faults.add_argument('lines', nargs='*', metavar='LINE', help='a fault, in quotes')
    faults.add_argument('--arm', choices=ARMS, default=ARMS[0], help='which arm')
    faults.add_argument('--list', action='store_true', help='only show what is in force')
    faults.add_argument('--clear', action='store_true', help='first end every fault')


def run(args: argparse.Namespace) -> int:
    """Do what is asked: a practice arm, or faults and what of them is in force.

    Raises:
        ConfigurationError: a line is wrong, or there is none.
        ChefMateError: no kitchen runs here.
    """
    if args.action == 'practice-arm':
        return practice_arm.run(args)
    if args.action == 'usd':
        return usd.run(args)
    if args.list and (args.lines or args.clear):
        raise ConfigurationError('--list changes nothing. Next: leave it out, or the rest')
    if not (args.list or args.lines or args.clear):
        raise ConfigurationError('no fault is given. Next: see chefmate sim faults --help')
    lines = [*(['clear'] if args.clear else []), *args.lines]
    for line in lines:  # told at once, also where no kitchen runs
        parse(line)
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    from chefmate_sim.nodes.fault_service import send_faults  # ROS: not for the help page

    in_force = send_faults(args.arm, lines)
    console = Console(highlight=False)
    if not in_force:
        console.print(f'no faults on the {args.arm}')
        return 0
    console.print(f'in force on the {args.arm}:')
    for line in in_force:
        console.print(Text(f'  {line}'), soft_wrap=True)
    return 0


def _language() -> RenderableType:
    rows = [Text.assemble((syntax, 'cyan'), f'\n    {meaning}') for syntax, meaning in usage()]
    return Group(Text('Lines', style='bold'), Padding(Group(*rows), (0, 0, 0, 2)))
