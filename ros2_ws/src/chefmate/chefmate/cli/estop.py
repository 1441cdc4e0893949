"""`chefmate estop`: press or release the emergency stop from any terminal of this host."""

import argparse
import os

import rclpy
from rich.console import Console
from std_srvs.srv import SetBool

from chefmate_core.errors import ChefMateError

SERVICE = 'emergency_stop'
FIND_S, ANSWER_S = 5.0, 5.0


class EmergencyStopError(ChefMateError):
    """The emergency stop could not be pressed or released."""


def add_parser(subparsers: 'argparse._SubParsersAction') -> None:
    """Add `estop`."""
    parser = subparsers.add_parser(
        'estop',
        description='Press the emergency stop: the arm decelerates, holds, and refuses every '
        'command until the stop is released. It is software, not a certified emergency stop: for '
        'a real arm keep the plug of its power supply in reach.',
        examples=(
            ('chefmate estop', 'stop'),
            ('chefmate estop --release', 'go on, by a slow blend'),
        ),
    )
    parser.add_argument('--release', action='store_true', help='release it')


def run(args: argparse.Namespace) -> int:
    """Call the driver's service and say what it answered."""
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    console = Console(highlight=False)
    console.print(f'asking the driver to {"release" if args.release else "stop"} the arm ...')
    rclpy.init(args=[])
    try:
        node = rclpy.create_node('estop')
        client = node.create_client(SetBool, SERVICE)
        if not client.wait_for_service(FIND_S):
            domain = os.environ.get('ROS_DOMAIN_ID', '0')
            raise EmergencyStopError(
                f'no driver offers /{SERVICE} in ROS_DOMAIN_ID={domain} within {FIND_S:g} s. '
                "Next: use the driver's ROS_DOMAIN_ID; a real arm: pull its power plug"
            )
        future = client.call_async(SetBool.Request(data=not args.release))
        rclpy.spin_until_future_complete(node, future, timeout_sec=ANSWER_S)
        if not future.done():
            raise EmergencyStopError(
                f'the driver did not answer within {ANSWER_S:g} s. A real arm: pull its power plug'
            )
        answer = future.result()
        if not answer.success:
            plug = '' if args.release else '. A real arm: pull its power plug'
            raise EmergencyStopError(answer.message + plug)
    finally:
        rclpy.try_shutdown()
    console.print(f'the arm is {answer.message}')
    return 0
