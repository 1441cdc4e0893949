"""The user's browser, where there is one to be seen."""

import os
import sys
import threading
import webbrowser
from collections.abc import Callable, Mapping


def has_screen(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> bool:
    """Return whether a browser opened here would be in front of the user.

    Over ssh it would not: there the address is for the user's own machine, through a tunnel.
    """
    if 'SSH_CONNECTION' in environment:
        return False
    if platform == 'darwin':
        return True
    return any(environment.get(name) for name in ('DISPLAY', 'WAYLAND_DISPLAY'))


def open_in_a_window(address: str) -> None:
    """Open an address in the user's browser, unless that would be one for terminals.

    Where there is no other, Python takes w3m or lynx, which would take this terminal, and Ctrl-C
    with it. Those are its plain GenericBrowser; so is one that the user names in BROWSER.
    """
    try:
        found = webbrowser.get()
    except webbrowser.Error:
        return
    if type(found) is not webbrowser.GenericBrowser or 'BROWSER' in os.environ:
        webbrowser.open(address)


class PageOpener:
    """Opens the page once, when its address is known. Nothing waits for the browser.

    Args:
        is_wanted: whether to open anything.
        open_page: what opens an address.
    """

    def __init__(
        self,
        is_wanted: bool | None = None,
        open_page: Callable[[str], object] = open_in_a_window,
    ) -> None:
        self._is_wanted = has_screen() if is_wanted is None else is_wanted
        self._open = open_page

    def see(self, address: str) -> None:
        """Take the address of the page, '' while there is none."""
        if address and self._is_wanted:
            self._is_wanted = False
            threading.Thread(target=self._open, args=(address,), daemon=True).start()
