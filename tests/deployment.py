"""`chefmate` commands as the system tests run them, and what they leave behind."""

import contextlib
import os
import random
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


class Command:
    """A running program in a process group of its own, and what it has said."""

    def __init__(self, environment, *words):
        self._words = words
        self.process = subprocess.Popen(
            words,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip())

    def __str__(self):
        return ' '.join(self._words)

    @property
    def output(self):
        return '\n'.join(self.lines)

    def wait(self, timeout_s):
        """Return the exit code; on a timeout fail with what was said."""
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            pytest.fail(f'it did not end within {timeout_s} s:\n{self.output}')
        self._reader.join(timeout=5.0)
        return code

    def wait_for(self, text, timeout_s=60.0):
        """Wait until a line of the output holds `text`."""
        end_s = time.monotonic() + timeout_s
        while text not in self.output:
            if time.monotonic() > end_s or self.process.poll() is not None:
                pytest.fail(f'{text!r} was not said:\n{self.output}')
            time.sleep(0.05)

    def interrupt(self):
        """Press Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def end(self):
        if self.process.poll() is None:
            self.interrupt()
            try:
                self.process.wait(10.0)
            except subprocess.TimeoutExpired:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def free_port():
    """Return a TCP port that nobody has, and that the system gives to nobody who asks for any."""
    ephemeral = Path('/proc/sys/net/ipv4/ip_local_port_range').read_text().split()
    ports = range(10_000, int(ephemeral[0]))
    for port in random.sample(ports, 100):
        with contextlib.suppress(OSError), socket.create_server(('127.0.0.1', port)):
            return port
    pytest.fail(f'a hundred ports of {ports} are taken')


def processes_of(domain):
    """Return {pid: command line} of every process that lives in this ROS domain."""
    wanted = f'ROS_DOMAIN_ID={domain}'.encode()
    found = {}
    for folder in Path('/proc').glob('[0-9]*'):
        with contextlib.suppress(OSError):
            if wanted in (folder / 'environ').read_bytes().split(b'\0'):
                words = (folder / 'cmdline').read_bytes().replace(b'\0', b' ').decode()
                if words and int(folder.name) != os.getpid() and '/lib/chefmate' in words:
                    found[int(folder.name)] = words
    return found


def refusals(gate):
    """Return the names of what the gate refused in a report, other than for its age.

    Commands wait while a busy machine keeps the driver's loop; those that are too old then are
    refused, as they must be. They are a few.
    """
    assert gate.get('refused_stale', 0) < 0.2 * gate['accepted'], gate
    counted = {name for name, count in gate.items() if name.startswith('refused_') and count}
    return counted - {'refused_stale'}
