"""The emergency stop's own way between browsers and the arm: a websocket that viser never sees.

viser's client handles no message while it draws nothing, as in a browser without WebGL, and its
server draws for all browsers at once. A stop may wait for neither.
"""

import contextlib
from collections.abc import Callable

from websockets.asyncio.server import ServerConnection, broadcast
from websockets.exceptions import ConnectionClosed

PATH = '/emergency-stop'
PRESS = 'stop'  # all that a browser may say here
ROBOT = 'robot '  # begins the first word that it is told, before whose arm this is
ENDED = 'ended'  # the last word: nothing more will come
MAX_LINES = 128  # also for browsers that came too late to watch


class StopLine:
    """The browsers that can stop the arm.

    Args:
        press: asks for the stop; called by the gateway's thread for every press, must not wait.
        robot: whose stop it is. Another launch may get the port of one that has ended, and its
            open pages with it, which have to say so.
    """

    def __init__(self, press: Callable[[], None], robot: str = '') -> None:
        self._press, self._robot = press, robot
        self._browsers: set[ServerConnection] = set()

    @property
    def full(self) -> bool:
        """Whether nobody else can be served."""
        return len(self._browsers) >= MAX_LINES

    def tell(self, state: str) -> None:
        """Tell all browsers how the stop is; in the gateway's thread, waits for none of them."""
        broadcast(self._browsers, state)

    async def serve(self, browser: ServerConnection, on_refused: Callable[[], None]) -> None:
        """Take one browser's presses until it goes."""
        self._browsers.add(browser)
        try:
            with contextlib.suppress(ConnectionClosed):
                await browser.send(ROBOT + self._robot)
                async for message in browser:
                    if message == PRESS:
                        self._press()
                    else:
                        on_refused()
        finally:
            self._browsers.discard(browser)
