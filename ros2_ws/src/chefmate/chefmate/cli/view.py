"""`chefmate view`: the page in the browser, for whatever runs in this ROS_DOMAIN_ID."""

import argparse
import os
import time

from rich.console import Console

from chefmate.launching import LaunchJob, OutputLine, parse_assignments
from chefmate.task.monitor import DiagnosticsMonitor
from chefmate.task.report import PAGE

LAUNCH_FILE = 'viewer.launch.py'
LISTEN_S = 2.5  # every part reports once a second
LOOK_S = 0.1


def add_parser(subparsers: 'argparse._SubParsersAction') -> None:
    """Add `view`."""
    parser = subparsers.add_parser(
        'view',
        description='Tell the address of the page on which a browser shows the arm, its twin, '
        'both cameras and what goes on; serve one if none is there. Everybody who sees it can '
        'press the emergency stop. --control lets it give tasks, record and release the stop. '
        'Ctrl-C ends it; the arm does not notice.',
        examples=(
            ('chefmate view', 'watch what runs in this ROS_DOMAIN_ID'),
            ('chefmate view --control', 'give it tasks, too'),
            (
                'chefmate view --host 0.0.0.0 --token ~/.chefmate-token',
                'for other machines; they open the address with ?token=...',
            ),
        ),
    )
    parser.add_argument('--control', action='store_true', help='not only watch')
    parser.add_argument('--port', type=int, help='first port to try (8080)', metavar='PORT')
    parser.add_argument('--host', help='address to serve at (localhost)', metavar='ADDRESS')
    parser.add_argument('--token', help='file with the token for other hosts', metavar='FILE')
    parser.add_argument(
        'arguments', nargs='*', metavar='name:=value', help='arguments of viewer.launch.py'
    )


def run(args: argparse.Namespace) -> int:
    """Tell where the page is, or serve one until Ctrl-C; return the exit code."""
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
    console = Console(highlight=False)
    arguments = launch_arguments(args)
    parts = parts_that_report()
    page = parts.get(PAGE, {})
    if page.get('address') and not arguments:
        console.print(f'a page is served already: {served(page)}')
        return 0
    if not parts:
        domain = os.environ.get('ROS_DOMAIN_ID', '0')
        console.print(
            f'nothing runs yet in ROS_DOMAIN_ID={domain}; the page waits for it. '
            'In another terminal: chefmate deploy instruction:=none'
        )

    def show(line: OutputLine) -> None:
        console.print(str(line), markup=False, soft_wrap=True)

    return LaunchJob(LAUNCH_FILE, arguments, show).run()


def served(page: dict[str, str]) -> str:
    """Return where and how a page is served, from what it reports."""
    mode = 'control' if page.get('control') == 'True' else 'read-only'
    token = ', with ?token= and the token behind it' if page.get('needs_token') == 'True' else ''
    return f'{page["address"]} ({mode}){token}'


def parts_that_report() -> dict[str, dict[str, str]]:
    """Return the diagnostics of whatever runs, by name; soon if there is a page among it."""
    monitor = DiagnosticsMonitor()
    try:
        end_s = time.monotonic() + LISTEN_S
        while time.monotonic() < end_s and PAGE not in monitor.board.values:
            time.sleep(LOOK_S)
        return dict(monitor.board.values)
    finally:
        monitor.close()


def launch_arguments(args: argparse.Namespace) -> dict[str, str]:
    """Return the launch arguments of a command line."""
    given = {
        'control': 'true' if args.control else None,
        'view_port': None if args.port is None else str(args.port),
        'view_host': args.host,
        'view_token_file': args.token,
    }
    return {
        **{name: value for name, value in given.items() if value is not None},
        **dict(parse_assignments(args.arguments)),
    }
