"""`chefmate deploy`: the main job, a live view, a report, an exit code that tells the truth."""

import argparse
import json
import os
import tempfile
import threading
import time
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from chefmate.cli.browser import PageOpener
from chefmate.launching import LaunchJob, OutputLine, launch_file_arguments, parse_assignments
from chefmate.task.monitor import DiagnosticsMonitor
from chefmate.task.status_view import PAGE, page_address, report_view, status_line, status_view

LAUNCH_FILE = 'deploy.launch.py'
REFRESH_S = 0.25
PLAIN_STATUS_S = 5.0
LINES_SHOWN = 6
EXIT_FAILED = 1


def add_parser(subparsers: 'argparse._SubParsersAction') -> None:
    """Add `deploy`."""
    parser = subparsers.add_parser(
        'deploy',
        description='Bring up arm, cameras and policy, carry out one instruction, and report. '
        'Simulated unless hardware:=real. Exit code 0 only if the instruction was carried out.',
        examples=(
            ('chefmate deploy', 'pick up the bread and place it on the plate'),
            ('chefmate deploy instruction:="make a sandwich" seed:=7', 'another task, kitchen 7'),
            ('chefmate deploy policy:=tiny-random', 'a learned policy; docs/policies.md'),
            ('chefmate deploy --headless --report out/report.json', 'for scripts'),
            ('chefmate launch deploy --show-args', 'everything that can be set'),
        ),
    )
    parser.add_argument(
        'arguments', nargs='*', metavar='name:=value', help='arguments of deploy.launch.py'
    )
    parser.add_argument(
        '--headless', action='store_true', help='no live view and no windows: plain lines'
    )
    parser.add_argument(
        '--no-browser', action='store_true', help='do not open the page, only say where it is'
    )
    parser.add_argument('--report', metavar='FILE.json', help='write the report there')


def run(args: argparse.Namespace) -> int:
    """Deploy and return the exit code."""
    arguments = dict(parse_assignments(args.arguments))
    # Before rclpy starts here too: our own view must be found by the nodes and find them.
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', arguments.get('discovery', 'LOCALHOST'))
    if args.headless:
        arguments.setdefault('rviz', 'false')
    with tempfile.TemporaryDirectory(prefix='chefmate_report_') as folder:
        path = Path(args.report or arguments.get('report') or Path(folder, 'report.json'))
        path = path.absolute()
        path.unlink(missing_ok=True)  # an old report must not speak for this run
        arguments['report'] = str(path)
        console = Console(highlight=False)
        plain = args.headless or not console.is_terminal
        view = _PlainView(console) if plain else _LiveView(console, not args.no_browser)
        view.instruction = _instruction(arguments)
        job = LaunchJob(LAUNCH_FILE, arguments, view.line)
        with view:
            code = job.run()
        if not path.exists():
            return code or (EXIT_FAILED if view.instruction else 0)
        report = json.loads(path.read_text())
    console.print(report_view(report))
    if args.report:
        console.print(f'report: {args.report}')
    return code if report['success'] else code or EXIT_FAILED


def _instruction(arguments: Mapping[str, str]) -> str:
    declared = {entry.name: entry.default for entry in launch_file_arguments(LAUNCH_FILE)}
    text = arguments.get('instruction', declared['instruction'] or '')
    return '' if text == 'none' else text


class _View:
    """Shows a running launch, refreshed by a thread of its own; a context manager."""

    period_s = REFRESH_S

    def __init__(self, console: Console) -> None:
        self.console = console
        self.instruction = ''
        self._start_s = time.monotonic()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._refresh, daemon=True)

    def __enter__(self) -> '_View':
        self.monitor = DiagnosticsMonitor()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(timeout=2.0)
        self.monitor.close()

    @property
    def elapsed_s(self) -> float:
        return time.monotonic() - self._start_s

    def line(self, line: OutputLine) -> None:
        """Take a line of the launch's output."""
        raise NotImplementedError

    def show(self) -> None:
        """Show the state of things now."""
        raise NotImplementedError

    def _refresh(self) -> None:
        while not self._stop.wait(self.period_s):
            self.show()


class _PlainView(_View):
    """Lines: what the nodes say, and the state of things now and then."""

    period_s = PLAIN_STATUS_S

    def line(self, line: OutputLine) -> None:
        self.console.print(Text(str(line)), soft_wrap=True)

    def show(self) -> None:
        self.console.print(Text(status_line(self.monitor.board, self.elapsed_s)), soft_wrap=True)


class _LiveView(_View):
    """One picture that changes, with the last lines of output below it."""

    def __init__(self, console: Console, opens_page: bool) -> None:
        super().__init__(console)
        self._page = PageOpener() if opens_page else None
        self._lines: deque[Text] = deque(maxlen=LINES_SHOWN)
        self._live = Live(console=console, auto_refresh=False, transient=True)

    def __enter__(self) -> '_LiveView':
        self._live.start()
        super().__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        super().__exit__(*exception)
        self._live.stop()

    def line(self, line: OutputLine) -> None:
        self._lines.append(Text(str(line), style='dim', no_wrap=True, overflow='ellipsis'))

    def show(self) -> None:
        board = self.monitor.board
        if self._page is not None and board.of(PAGE).get('needs_token') != 'True':
            self._page.see(page_address(board))
        self._live.update(self._picture(), refresh=True)

    def _picture(self) -> RenderableType:
        view = status_view(self.monitor.board, self.instruction, self.elapsed_s)
        return Group(view, *self._lines)
