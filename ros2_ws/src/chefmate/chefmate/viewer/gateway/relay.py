"""One viewer: frames from viser to the browser, and back what a browser may say."""

import asyncio
import contextlib
from collections.abc import Callable

from websockets.asyncio.connection import Connection
from websockets.exceptions import ConnectionClosed
from websockets.frames import CloseCode

from chefmate.viewer.gateway.browser_messages import may_pass

_SENDABLE = {1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014}


async def relay(browser: Connection, viser: Connection, on_refused: Callable[[], None]) -> None:
    """Pass frames on until either side has gone; then close the other for the same reason.

    No frame waits here: one is read when the one before has been taken, so a slow browser makes
    viser wait, which then sends the newest state instead of every state.
    """
    down = asyncio.create_task(_pass_down(viser, browser))
    up = asyncio.create_task(_pass_up(browser, viser, on_refused))
    try:
        await asyncio.wait((down, up), return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in (down, up):
            task.cancel()
        await asyncio.gather(down, up, return_exceptions=True)
        await asyncio.gather(_close(browser, like=viser), _close(viser, like=browser))


async def _pass_down(viser: Connection, browser: Connection) -> None:
    with contextlib.suppress(ConnectionClosed):
        async for frame in viser:
            await browser.send(frame)


async def _pass_up(browser: Connection, viser: Connection, on_refused: Callable[[], None]) -> None:
    with contextlib.suppress(ConnectionClosed):
        async for frame in browser:
            if may_pass(frame):
                await viser.send(frame)
            else:
                on_refused()


async def _close(connection: Connection, like: Connection) -> None:
    code, reason = like.close_code, like.close_reason
    if code not in _SENDABLE:  # 1006: it went without a word
        code, reason = CloseCode.GOING_AWAY, ''
    await connection.close(code, reason or '')
