"""Single keys from a terminal, without waiting for Enter."""

import os
import select
import sys
import termios
import tty

from chefmate_core.errors import ConfigurationError

ENTER = '\n'
ESCAPE = '\x1b'


class Keys:
    """Keys of the terminal at standard input, while it is entered as a context.

    Ctrl-C stays what it is: KeyboardInterrupt.

    Raises:
        ConfigurationError: standard input is no terminal.
    """

    def __init__(self) -> None:
        if not sys.stdin.isatty():
            raise ConfigurationError(
                'this asks for keys, and standard input is no terminal. Next: run it in a '
                'terminal (docker: with -it)'
            )
        self._fd = sys.stdin.fileno()

    def __enter__(self) -> 'Keys':
        self._before = termios.tcgetattr(self._fd)
        tty.setcbreak(self._fd)
        return self

    def __exit__(self, *_: object) -> None:
        termios.tcsetattr(self._fd, termios.TCSADRAIN, self._before)

    def read(self, timeout_s: float) -> str:
        """Return the next key, lower case, or an empty string; arrow keys and the like are ''."""
        if not select.select((self._fd,), (), (), timeout_s)[0]:
            return ''
        data = os.read(self._fd, 64)
        if not data:  # the terminal was closed
            raise KeyboardInterrupt
        if data.startswith(b'\x1b') and len(data) > 1:
            return ''
        return data[:1].decode('ascii', 'ignore').replace('\r', ENTER).lower()
