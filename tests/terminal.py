"""`chefmate` in a terminal of its own, as a person sees it."""

import contextlib
import os
import pty
import re
import signal
import subprocess
import threading
import time

RIGHT, LEFT, ESCAPE = '\x1b[C', '\x1b[D', '\x1b'
CONTROL = re.compile(r'\x1b\[[0-9;?]*[A-Za-z]')


def seen(raw):
    """The text of a screen without colours, frames and line breaks."""
    text = CONTROL.sub('', raw.decode('utf-8', 'replace'))
    return ' '.join(text.replace('│', ' ').split())


def _sit_at_terminal():
    """In the child: the terminal is its own, and Ctrl-C works, whoever started the tests."""
    os.setsid()
    os.open(os.ttyname(0), os.O_RDWR)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell's background job ignores it


class Terminal:
    """A `chefmate` command in front of a person who reads and presses keys."""

    def __init__(self, *words, environment=None, cwd=None):
        self.fd, far = pty.openpty()
        self.text, self.raw = '', b''
        self.process = subprocess.Popen(
            ['chefmate', *words],
            stdin=far,
            stdout=far,
            stderr=far,
            cwd=cwd,
            env=(environment or os.environ)
            | {'TERM': 'xterm-256color', 'COLUMNS': '110', 'LINES': '50'},
            preexec_fn=_sit_at_terminal,
        )
        os.close(far)
        # read all the time: a full terminal would stop the command
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        while True:
            try:
                data = os.read(self.fd, 4096)
            except OSError:
                return
            if not data:
                return
            self.raw += data
            self.text = seen(self.raw)

    def see(self, words, timeout_s=60.0):
        """Wait until these words are on the screen, from now on."""
        self.see_one_of(words, timeout_s=timeout_s)

    def see_one_of(self, *words, timeout_s=60.0):
        """Wait until one of these is on the screen, from now on; return which."""
        end_s = time.monotonic() + timeout_s
        while not any(one in self.text for one in words):
            assert time.monotonic() < end_s, f'never saw {words} in:\n{self.text[-3000:]}'
            time.sleep(0.02)
        return next(index for index, one in enumerate(words) if one in self.text)

    def press(self, key):
        self.text, self.raw = '', b''
        os.write(self.fd, key.encode())

    def ask(self, key, words):
        """Press a key until it is answered: one that is pressed before the last answer is lost."""
        for _ in range(3):
            self.press(key)
            with contextlib.suppress(AssertionError):
                return self.see(words, 20.0)
        return self.see(words)

    def end(self, timeout_s=60.0):
        code = self.process.wait(timeout_s)
        self.reader.join(5.0)
        return code

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.fd)
