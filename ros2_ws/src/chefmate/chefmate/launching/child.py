"""One running process of a launch: its start, its output, its end.

Each process leads a process group of its own, so that a signal reaches what it started too, and
asks Linux to kill it when the launch dies: no orphan survives even a SIGKILLed launch.
"""

import ctypes
import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import IO

from chefmate.launching.output import OutputLine
from chefmate.launching.process_actions import ExecuteProcess, ProcessSpec

_PR_SET_PDEATHSIG = 1  # linux/prctl.h
_READ_BYTES = 65536
_LAST_LINES = 5  # kept for the report on a process that died
KILLED_AGAIN_S = 1.0
LONGEST_STEP_S = 0.25  # between two looks at a process; more is a standstill of our own

# Loaded here: between fork and exec nothing may be imported.
_LIBC = ctypes.CDLL(None, use_errno=True)


def exit_text(returncode: int) -> str:
    """Return how a process ended, for people."""
    if returncode >= 0:
        return f'exit code {returncode}'
    return f'killed by {signal.Signals(-returncode).name}'


class Child:
    """A process that was started.

    Raises:
        OSError: it cannot be started.
    """

    def __init__(
        self, action: ExecuteProcess, spec: ProcessSpec, say: Callable[[OutputLine], None]
    ) -> None:
        self.action, self.spec = action, spec
        self.returncode: int | None = None
        self.last_lines: deque[str] = deque(maxlen=_LAST_LINES)
        self._say = say
        self._partial = {'stdout': b'', 'stderr': b''}
        self._escalation: list[tuple[int, float]] = []  # (signal, s until the next one), in order
        self._left_s = 0.0  # until the first of them is sent
        self._looked_s = 0.0  # when that was last looked at
        parent = os.getpid()

        def before_exec() -> None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:  # it died before prctl
                os._exit(1)
            # A shell's background job ignores Ctrl-C, and its children would inherit that.
            signal.signal(signal.SIGINT, signal.SIG_DFL)

        self._popen = subprocess.Popen(
            ' '.join(spec.cmd) if spec.shell else spec.cmd,
            shell=spec.shell,
            cwd=spec.cwd,
            env=spec.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,
            preexec_fn=before_exec,
        )
        stdout, stderr = self._popen.stdout, self._popen.stderr
        assert stdout is not None and stderr is not None  # they are pipes
        self.streams: dict[IO[bytes], str] = {stdout: 'stdout', stderr: 'stderr'}
        for stream in self.streams:
            os.set_blocking(stream.fileno(), False)

    @property
    def pid(self) -> int:
        """The process id, which is the id of its group too."""
        return self._popen.pid

    def read(self, stream: IO[bytes]) -> bool:
        """Pass on the lines that have arrived; return False at the end of the stream."""
        return self._read(stream) != b''

    def _read(self, stream: IO[bytes]) -> bytes | None:
        """Return what was read: b'' at the end of the stream, None where nothing has arrived."""
        name = self.streams[stream]
        try:
            data = os.read(stream.fileno(), _READ_BYTES)
        except BlockingIOError:
            return None
        *lines, self._partial[name] = (self._partial[name] + data).split(b'\n')
        for line in lines:
            self._pass_on(line, name)
        return data

    def _pass_on(self, line: bytes, stream: str) -> None:
        text = line.decode(errors='replace').rstrip('\r')
        self.last_lines.append(text)
        self._say(OutputLine(self.spec.name, stream, text))

    def ended(self) -> bool:
        """Whether the process has ended; then its group is gone too and `returncode` is set."""
        if self.returncode is not None:
            return True
        if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            return False
        # Not yet reaped, so the group's id cannot belong to anyone else.
        self.signal(signal.SIGKILL)
        self.returncode = self._popen.wait()
        self._drain()
        return True

    def _drain(self) -> None:
        """Pass on what was written before the end; a pipe held open by a stranger ends it too."""
        for stream, name in self.streams.items():
            while self._read(stream):
                pass
            if self._partial[name]:
                self._pass_on(self._partial[name], name)
            stream.close()

    def signal(self, number: int) -> None:
        """Send a signal to the process and all that it started."""
        with suppress(ProcessLookupError):  # gone between the look and the signal
            os.killpg(self.pid, number)

    def end(self) -> None:
        """Ask the process to end (SIGINT), and plan what follows if it does not."""
        if self._escalation or self.returncode is not None:
            return
        self._left_s, self._looked_s = self.spec.sigterm_after_s, time.monotonic()
        self._escalation = [
            (signal.SIGTERM, self.spec.sigkill_after_s),
            (signal.SIGKILL, KILLED_AGAIN_S),
        ]
        self.signal(signal.SIGINT)

    def escalate(self) -> int | None:
        """Send what is due by now; return the number of the signal that was sent."""
        if not self._escalation:
            return None
        # A machine that stood still has given the process no time to end.
        elapsed_s, self._looked_s = time.monotonic() - self._looked_s, time.monotonic()
        self._left_s -= min(elapsed_s, LONGEST_STEP_S)
        if self._left_s > 0.0:
            return None
        number, self._left_s = self._escalation[0]
        # An empty plan would look like one never made: the last signal repeats.
        if len(self._escalation) > 1:
            self._escalation.pop(0)
        self.signal(number)
        return number
