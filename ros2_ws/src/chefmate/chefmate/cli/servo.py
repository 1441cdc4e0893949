"""`chefmate servo`: find servos, give them ids."""

import argparse
import json
from dataclasses import asdict

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chefmate_core.calibrating.scan import (
    BAUD_RATES,
    FoundServo,
    ScannedPort,
    candidate_ports,
    scan,
)
from chefmate_core.errors import ConfigurationError
from chefmate_core.servo.registers import MODEL_STS3215

_NONE_FOUND = 1
_COLUMNS = ('id', 'model', 'firmware', 'baud', 'voltage', 'temperature', 'position', 'torque', '')


def add_parser(subparsers: 'argparse._SubParsersAction') -> None:
    """Add `servo` and its actions."""
    parser = subparsers.add_parser(
        'servo',
        description='Find servos on serial ports and give them ids. Stop the driver first: a port '
        'has one owner.',
        examples=(
            ('chefmate servo scan', 'every port, every baud rate'),
            ('chefmate servo scan --port /dev/follower --thorough', 'every id one by one'),
            ('chefmate servo set-id 1 6 --port PORT', 'a new servo becomes the gripper'),
        ),
    )
    actions = parser.add_subparsers(
        dest='action', required=True, metavar='ACTION', help='scan or set-id'
    )
    find = actions.add_parser(
        'scan', description='Find servos: ids, models, firmware, baud rate, voltage, temperature.'
    )
    find.add_argument('--port', action='append', metavar='PORT', help='only this port; repeatable')
    find.add_argument(
        '--baud', type=int, choices=BAUD_RATES, metavar='BAUD', help='only this baud rate'
    )
    find.add_argument(
        '--thorough', action='store_true', help='ask all 254 ids alone, 7 s a baud rate'
    )
    find.add_argument('--json', action='store_true', help='print JSON')
    give = actions.add_parser(
        'set-id',
        description='Give a servo another id. Refused where the new id is taken, or where two '
        'servos answer to the old one. Connect only the servo that is meant, if you can.',
    )
    give.add_argument('from_id', type=int, metavar='FROM', help='its id now; a new one has 1')
    give.add_argument('to_id', type=int, metavar='TO', help='its new id: 1 to 6 from base to tip')
    give.add_argument('--port', required=True, metavar='PORT', help='the port')
    give.add_argument(
        '--baud',
        type=int,
        choices=BAUD_RATES,
        default=BAUD_RATES[0],
        metavar='BAUD',
        help='baud rate of the bus',
    )
    give.add_argument('--yes', action='store_true', help='do not ask')


def run(args: argparse.Namespace) -> int:
    """Do it; raises from the ChefMateError tree."""
    console = Console(highlight=False)
    if args.action == 'set-id':
        return _set_id(console, args)
    ports = args.port or candidate_ports()
    if not ports:
        raise ConfigurationError(
            'no serial port is there (/dev/follower, /dev/leader, ttyACM*, ttyUSB*). Next: plug '
            "the arm's adapter in, or name a port with --port"
        )
    rates = BAUD_RATES if args.baud is None else (args.baud,)
    with Console(stderr=True).status('looking ...') as status:
        found = scan(ports, rates, args.thorough, status.update)
    if args.json:
        console.print_json(json.dumps([asdict(port) for port in found]))
    else:
        for port in found:
            _print_port(console, port)
    return 0 if any(port.servos for port in found) else _NONE_FOUND


def _set_id(console: Console, args: argparse.Namespace) -> int:
    from chefmate.cli.calibrating.confirming import confirm
    from chefmate_core.calibrating.set_id import check_ids, set_id
    from chefmate_core.servo.config import ServoConfig

    config = ServoConfig(baud_rate=args.baud, register_retries=2)
    check_ids(args.port, args.from_id, args.to_id, config)
    confirm(
        f'{args.port}: servo {args.from_id} gets the id {args.to_id}, for good. Yes?', args.yes
    )
    set_id(args.port, args.from_id, args.to_id, config)
    console.print(f'servo {args.from_id} is servo {args.to_id} now, read back')
    return 0


def _print_port(console: Console, port: ScannedPort) -> None:
    console.print(Text(port.port, style='bold'), soft_wrap=True)
    if port.servos:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for column in _COLUMNS:
            table.add_column(column, justify='left' if not column else 'right')
        for servo in port.servos:
            table.add_row(*_row(servo))
        console.print(table)
    elif not port.problem:
        console.print('  no servo answers at any baud rate asked: is its power supply on?')
    if port.problem:
        console.print(Text(f'  {port.problem}', style='yellow'), soft_wrap=True)


def _row(servo: FoundServo) -> tuple[str | Text, ...]:
    if servo.problem:
        empty = [''] * (len(_COLUMNS) - 4)
        problem = Text(servo.problem, style='bold red')
        return str(servo.servo_id), '', '', str(servo.baud_rate), *empty, problem
    model = 'STS3215' if servo.model == MODEL_STS3215 else str(servo.model)
    return (
        str(servo.servo_id),
        model,
        servo.firmware,
        str(servo.baud_rate),
        f'{servo.voltage_v:.1f} V',
        f'{servo.temperature_c} °C',
        str(servo.position_tick),
        'on' if servo.has_torque else 'off',
        Text(', '.join(servo.status), style='yellow'),
    )
