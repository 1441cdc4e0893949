"""A pseudo-terminal that looks like a serial adapter, with an optional name in a folder."""

import contextlib
import os
import pty
import tty
from pathlib import Path

from chefmate_core.errors import ConfigurationError


class PseudoTerminal:
    """An open pair. The bus reads and writes `fd`; a driver opens `path`.

    The slave end stays open here too: the pair survives a driver that closes and opens again.
    """

    def __init__(self, link: Path | None = None) -> None:
        self.fd, self._slave_fd = pty.openpty()
        try:
            tty.setraw(self._slave_fd)
            os.set_blocking(self.fd, False)
            self.path = os.ttyname(self._slave_fd)
            self._link = link
            if link is not None:
                _point(link, self.path)
        except BaseException:
            os.close(self.fd)
            os.close(self._slave_fd)
            raise

    def close(self) -> None:
        """Hang up: a driver that has it open gets an error; the name goes if it is still ours."""
        if self.fd < 0:
            return
        os.close(self._slave_fd)
        os.close(self.fd)
        self.fd = -1
        if self._link is not None:
            with contextlib.suppress(OSError):
                if os.readlink(self._link) == self.path:
                    self._link.unlink()


def _point(link: Path, target: str) -> None:
    if link.exists() and not link.is_symlink():
        raise ConfigurationError(
            f'{link}: exists and is not a link; the virtual servo bus would overwrite it. '
            'Choose another path or remove it.'
        )
    link.parent.mkdir(parents=True, exist_ok=True)
    # In one step: a driver that opens the name meanwhile gets the old or the new terminal.
    new = link.with_name(f'.{link.name}.{os.getpid()}')
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(link)
