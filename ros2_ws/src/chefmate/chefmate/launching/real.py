"""Running launch files through the real `launch` of a ROS 2 install.

Same call, same refusals, same exit codes as the built-in runner; all between is launch's own.
"""

import importlib
import importlib.util
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from chefmate.launching.arguments import DeclaredArgument, check_arguments
from chefmate.launching.errors import LaunchFileError
from chefmate.launching.output import OutputLine, OutputSink
from chefmate.launching.process_actions import SIGKILL_AFTER_S, SIGTERM_AFTER_S


def real_launch_installed() -> bool:
    """Whether `launch` and `launch_ros` can be imported.

    A folder named `launch` looks like a module to Python, hence the look at its origin.
    """
    for name in ('launch', 'launch_ros'):
        spec = importlib.util.find_spec(name)
        if spec is None or spec.origin is None:
            return False
    try:
        importlib.import_module('launch_ros.actions')
    except ImportError:  # half an install
        return False
    return True


def real_declared_arguments(path: Path) -> list[DeclaredArgument]:
    """Return the arguments of a launch file as the real launch reads it."""
    declared = []
    description = _description(path)
    pairs = description.get_launch_arguments_with_include_launch_description_actions()
    for action, includes in pairs:
        given = {name for include in includes or () for name, _ in include.launch_arguments}
        if action.name in given:  # what the including file sets itself is no argument of the whole
            continue
        default = None
        if action.default_value is not None:
            parts = action.default_value
            texts = [part.text for part in parts if hasattr(part, 'text')]
            known = len(texts) == len(parts)
            default = ''.join(texts) if known else ' + '.join(part.describe() for part in parts)
        declared.append(
            DeclaredArgument(
                name=action.name,
                description=action.description.split(' Valid choices are:')[0],
                default=default,
                choices=tuple(action.choices or ()),
                conditional=action._conditionally_included,
            )
        )
    return declared


def _description(path: Path) -> Any:
    sources = importlib.import_module('launch.launch_description_sources')
    try:
        return sources.get_launch_description_from_python_launch_file(str(path))
    except Exception as error:
        raise LaunchFileError(f'{path}: {type(error).__name__}: {error}') from error


class RealRunner:
    """Runs one launch file through the real launch, in the main thread."""

    def __init__(self, path: Path, arguments: Mapping[str, str], sink: OutputSink) -> None:
        self._path, self._arguments, self._sink = path, dict(arguments), sink
        self._failures: list[str] = []
        self._last_exit: tuple[str, int] = ('', 0)
        self._exit_code = 0
        self._running: dict[int, str] = {}  # process names by id
        self._service: Any = None

    def stop(self) -> None:
        """End the launch in good order, with the exit code of a good end. Any thread."""
        if self._service is not None:
            self._service.shutdown()

    def run(self) -> int:
        """Run the launch file to its end and return the exit code."""
        check_arguments(self._arguments, real_declared_arguments(self._path), self._path)
        launch = importlib.import_module('launch')
        handlers = importlib.import_module('launch.event_handlers')
        sources = importlib.import_module('launch.launch_description_sources')
        self._redirect_screen(importlib.import_module('launch.logging'))
        timeouts = {'sigterm_timeout': SIGTERM_AFTER_S, 'sigkill_timeout': SIGKILL_AFTER_S}
        # On a terminal Ctrl-C reaches the processes by itself; a second SIGINT would hit their
        # shutdown.
        on_terminal = sys.stdin is not None and sys.stdin.isatty()
        self._service = launch.LaunchService(noninteractive=not on_terminal)
        self._service.include_launch_description(
            launch.LaunchDescription(
                [
                    *(
                        launch.actions.SetLaunchConfiguration(name, str(value))
                        for name, value in timeouts.items()
                    ),
                    launch.actions.RegisterEventHandler(
                        handlers.OnProcessStart(on_start=self._on_process_start)
                    ),
                    launch.actions.RegisterEventHandler(
                        handlers.OnProcessExit(on_exit=self._on_process_exit)
                    ),
                    launch.actions.RegisterEventHandler(
                        handlers.OnShutdown(on_shutdown=self._on_shutdown)
                    ),
                    launch.actions.IncludeLaunchDescription(
                        sources.PythonLaunchDescriptionSource(str(self._path)),
                        launch_arguments=list(self._arguments.items()),
                    ),
                ]
            )
        )
        with self._signals():
            code = self._service.run()
            self._end_what_is_left()
        return self._exit_code or code

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """Let signals reach launch: it hears only of those that Python has a handler for."""

        def on_signal(number: int, _frame: FrameType | None) -> None:
            self._exit_code = self._exit_code or 128 + number
            if number == signal.SIGHUP:  # unknown to launch
                os.kill(os.getpid(), signal.SIGINT)

        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, on_signal) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, signal.SIG_DFL if handler is None else handler)

    def _end_what_is_left(self) -> None:
        """End what launch leaves running: SIGTERM makes it stop without a look back."""
        for number, wait_s in (
            (signal.SIGINT, SIGTERM_AFTER_S),
            (signal.SIGTERM, SIGKILL_AFTER_S),
            (signal.SIGKILL, 0.0),
        ):
            for pid in self._running:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            deadline_s = time.monotonic() + wait_s
            while self._running and time.monotonic() < deadline_s:
                self._running = {
                    pid: name for pid, name in self._running.items() if not _has_ended(pid)
                }
                time.sleep(0.02)

    def _redirect_screen(self, logging: Any) -> None:
        handler = logging.launch_config.get_screen_handler()
        handler.setStream(_SinkStream(self._sink))

    def _on_process_start(self, event: Any, context: Any) -> None:
        self._running[event.pid] = event.process_name

    def _on_process_exit(self, event: Any, context: Any) -> None:
        self._running.pop(event.pid, None)
        if not context.is_shutdown:
            self._last_exit = (event.process_name, event.returncode)
            if event.returncode:
                self._failures.append(event.process_name)

    def _on_shutdown(self, event: Any, context: Any) -> None:
        if event.due_to_sigint or self._exit_code:
            return
        if event.reason == 'idle':
            self._exit_code = 1 if self._failures else 0
        elif event.reason != 'LaunchService.shutdown() called':
            # Shutdown follows the exit that asked for it; nothing else is handled between.
            self._exit_code = 1 if self._last_exit[1] else 0


def _has_ended(pid: int) -> bool:
    """Whether our child has ended, reaped here or already by launch."""
    try:
        return os.waitpid(pid, os.WNOHANG) != (0, 0)
    except ChildProcessError:
        return True


class _SinkStream:
    """What launch's screen handler writes to."""

    def __init__(self, sink: OutputSink) -> None:
        self._sink = sink

    def write(self, text: str) -> None:
        for line in text.splitlines():
            if line:
                self._sink(_as_line(line))

    def flush(self) -> None:
        """There is nothing to flush."""


def _as_line(text: str) -> OutputLine:
    """Return launch's text as a line: '[name-N] text' or '[LEVEL] [name]: text'."""
    head, _, rest = text.partition('] ')
    first = head.removeprefix('[')
    if first in ('DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL') and ']: ' in rest:
        name, _, said = rest.partition(']: ')
        return OutputLine(name.removeprefix('['), 'launch', said, first)
    if head.startswith('[') and rest:
        return OutputLine(first, 'stdout', rest)
    return OutputLine('launch', 'launch', text)
