"""`chefmate view`: the page in the browser, for whatever runs in this ROS_DOMAIN_ID."""

import argparse

from rich.console import Console

from chefmate.launching import LaunchJob, OutputLine, parse_assignments

LAUNCH_FILE = 'viewer.launch.py'


def add_parser(subparsers: 'argparse._SubParsersAction') -> None:
    """Add `view`."""
    parser = subparsers.add_parser(
        'view',
        description='Serve the page on which a browser shows the arm, its twin, both cameras and '
        'what goes on; it prints its address. Everybody who sees it can press the emergency stop. '
        '--control lets it give tasks, record and release the stop. Ctrl-C ends it; the arm does '
        'not notice.',
        examples=(
            ('chefmate view', 'watch what runs in this ROS_DOMAIN_ID'),
            ('chefmate view --control', 'give it tasks, too'),
            (
                'chefmate view --host 0.0.0.0 --token-file ~/.chefmate-token',
                'for other machines; they open the address with ?token=...',
            ),
        ),
    )
    parser.add_argument('--control', action='store_true', help='not only watch')
    parser.add_argument('--port', type=int, help='first port to try (8080)', metavar='PORT')
    parser.add_argument('--host', help='address to serve at (localhost)', metavar='ADDRESS')
    parser.add_argument('--token-file', help='file with the token', metavar='FILE')
    parser.add_argument(
        'arguments', nargs='*', metavar='name:=value', help='arguments of viewer.launch.py'
    )


def run(args: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C; return the exit code."""
    console = Console(highlight=False)

    def show(line: OutputLine) -> None:
        console.print(str(line), markup=False, soft_wrap=True)

    return LaunchJob(LAUNCH_FILE, launch_arguments(args), show).run()


def launch_arguments(args: argparse.Namespace) -> dict[str, str]:
    """Return the launch arguments of a command line."""
    given = {
        'control': 'true' if args.control else None,
        'view_port': None if args.port is None else str(args.port),
        'view_host': args.host,
        'view_token_file': args.token_file,
    }
    return {
        **{name: value for name, value in given.items() if value is not None},
        **dict(parse_assignments(args.arguments)),
    }
