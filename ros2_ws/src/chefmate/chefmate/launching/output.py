"""The lines that a launch and its processes say, and where they go.

Two destinations, as in launch: the screen (the sink of whoever started the launch) and a log file
of this launch, ROS_LOG_DIR or ~/.ros/log / DATE-HOST-PID / launch.log.
"""

import os
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO


@dataclass(frozen=True)
class OutputLine:
    """One line. `str(line)` is how a terminal shows it."""

    source: str  # name of the process, e.g. 'arm_driver_node-1'; 'launch' for the launch itself
    stream: str  # 'stdout', 'stderr', or 'launch' for what the launch says about its source
    text: str
    level: str = 'INFO'  # of lines whose stream is 'launch'

    def __str__(self) -> str:
        if self.stream == 'launch':
            return f'[{self.level}] [{self.source}]: {self.text}'
        return f'[{self.source}] {self.text}'


OutputSink = Callable[[OutputLine], None]

# output= of a process -> which of its streams go to (screen, log file); as in launch.
_ROUTES = {
    'screen': ({'stdout', 'stderr'}, set()),
    'log': ({'stderr'}, {'stdout', 'stderr'}),
    'both': ({'stdout', 'stderr'}, {'stdout', 'stderr'}),
}
OUTPUT_CHOICES = tuple(_ROUTES)


def log_folder(environment: dict[str, str] | os._Environ = os.environ) -> Path:
    """Return the folder for the logs of ROS programs, by ROS's rules."""
    if environment.get('ROS_LOG_DIR'):
        return Path(environment['ROS_LOG_DIR']).expanduser()
    home = environment.get('ROS_HOME') or '~/.ros'
    return Path(home).expanduser() / 'log'


class OutputRouter:
    """Hands each line to the screen's sink, to the log file, or to both.

    A sink that fails with OSError (a closed pipe: `chefmate launch ... | head`) is not asked
    again; `sink_failed` says so, and the runner ends the launch.
    """

    def __init__(self, sink: OutputSink, folder: Path | None = None) -> None:
        self.sink_failed = False
        self.path: Path | None = None
        self._sink = sink
        self._file = self._open(log_folder() if folder is None else folder)

    def _open(self, folder: Path) -> TextIO | None:
        stamp = time.strftime('%Y-%m-%d-%H-%M-%S')
        folder = folder / f'{stamp}-{socket.gethostname()}-{os.getpid()}'
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.path = folder / 'launch.log'
            return self.path.open('a', encoding='utf-8')
        except OSError as error:  # a read-only home must not keep an arm from starting
            self.path = None
            self.say(OutputLine('launch', 'launch', f'no log file: {error}', 'WARNING'))
            return None

    def say(self, line: OutputLine) -> None:
        """Take a line of the launch itself: screen and log file."""
        self._write(line, screen=True, log=True)

    def route(self, line: OutputLine, output: str) -> None:
        """Take a line of a process whose `output=` is given."""
        screen, log = _ROUTES[output]
        self._write(line, screen=line.stream in screen, log=line.stream in log)

    def _write(self, line: OutputLine, *, screen: bool, log: bool) -> None:
        if screen and not self.sink_failed:
            try:
                self._sink(line)
            except OSError:
                self.sink_failed = True
        file = getattr(self, '_file', None)
        if log and file is not None:
            try:
                file.write(f'{time.time():.7f} {line}\n')
                file.flush()
            except OSError:  # disk full: the launch goes on without its log
                self._file = None

    def close(self) -> None:
        """Close the log file."""
        if self._file is not None:
            self._file.close()
            self._file = None
