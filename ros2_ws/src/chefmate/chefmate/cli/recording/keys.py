"""Arrow keys, Esc and r from a terminal."""

import contextlib
import os
import select
import sys
import termios
import tty
from collections.abc import Iterator
from enum import Enum


class Key(Enum):
    """The keys that mean something here."""

    NEXT = 'next'
    REDO = 'redo'
    QUIT = 'quit'
    FRESH = 'fresh'


# Source: ECMA-48 (CSI C, CSI D), and the "application" form of the same keys (SS3).
SEQUENCES = {
    b'\x1b[C': Key.NEXT,
    b'\x1bOC': Key.NEXT,
    b'\x1b[D': Key.REDO,
    b'\x1bOD': Key.REDO,
    b'\x1b': Key.QUIT,
    b'r': Key.FRESH,
}
SEQUENCE_S = 0.05  # how long the rest of a sequence may take: Esc alone is its first byte


@contextlib.contextmanager
def keys_of_terminal() -> Iterator[bool]:
    """Take single keys, unechoed, while entered; yields whether standard input is a terminal."""
    if not sys.stdin.isatty():
        yield False
        return
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    tty.setcbreak(descriptor)  # Ctrl-C stays what it is
    try:
        yield True
    finally:
        termios.tcsetattr(descriptor, termios.TCSADRAIN, before)


def read_key(descriptor: int, timeout_s: float) -> Key | None:
    """Return the key pressed within the time, None for none or one without a meaning."""
    if not _readable(descriptor, timeout_s):
        return None
    data = os.read(descriptor, 1)
    if not data:  # the terminal was closed
        return Key.QUIT
    while data[:1] == b'\x1b' and len(data) < 3 and _readable(descriptor, SEQUENCE_S):
        data += os.read(descriptor, 1)
    return SEQUENCES.get(data)


def _readable(descriptor: int, timeout_s: float) -> bool:
    return bool(select.select((descriptor,), (), (), timeout_s)[0])
