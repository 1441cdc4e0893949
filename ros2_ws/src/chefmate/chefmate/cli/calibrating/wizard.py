"""The wizard: shows a `CalibrationSession`, hands it the keys, and says how it ended."""

import time
from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.text import Text

from chefmate.cli.calibrating.drawing import draw
from chefmate.cli.calibrating.keys import ENTER, ESCAPE, Keys
from chefmate_core.calibrating.change import Patience
from chefmate_core.calibrating.errors import NotReadyError
from chefmate_core.calibrating.files import backup_of
from chefmate_core.calibrating.record import is_cut_short, record_of
from chefmate_core.calibrating.session import CalibrationSession
from chefmate_core.calibrating.views import Step

_FRAME_S = 0.06
# Between two reads of the joints: a hand that turns round at a stop is seen there.
_PAUSE_S = 0.008
_OVER = (Step.DONE, Step.CANCELLED)


def run_wizard(arm: str, port: str, path: Path, full_turn: frozenset[str]) -> int:
    """Calibrate; return the exit code: 0 when it is written, 130 when the person stopped it.

    Raises from the ChefMateError tree; the message says what the servos hold then.
    """
    console = Console(highlight=False)
    with Keys() as keys, Live(console=console, auto_refresh=False) as live:

        def wait(message: str) -> None:
            live.update(Text(message, style='bold red'), refresh=True)

        patience = Patience(on_wait=wait)
        with CalibrationSession(port, path, full_turn=full_turn, patience=patience) as session:
            try:
                session.start()
                _go_through(session, keys, live, arm, port)
            except KeyboardInterrupt:
                live.update(Text())
                session.cancel()
    _say_end(console, session, arm, port)
    return 0 if session.step is Step.DONE else 130


def _go_through(session: CalibrationSession, keys: Keys, live: Live, arm: str, port: str) -> None:
    message = session.recovered
    draw_at_s = 0.0
    while session.step not in _OVER:
        view = session.poll()
        if time.monotonic() >= draw_at_s:
            page = draw(view, arm, port, message, live.console.width)
            live.update(page, refresh=True)
            draw_at_s = time.monotonic() + _FRAME_S
        key = keys.read(_PAUSE_S)
        if key:
            message = _obey(session, key)
            draw_at_s = 0.0
    live.update(Text())


def _obey(session: CalibrationSession, key: str) -> str:
    """Do what a key means; return what is to be said about it."""
    try:
        if key == ENTER:
            session.confirm()
        elif key == 'a' and session.step is Step.REVIEW:
            session.confirm(accept_warnings=True)
        elif key == 'r':
            session.restart()
        elif key in ('q', ESCAPE):
            session.cancel()
    except NotReadyError as error:
        return str(error)
    return ''


def _say_end(console: Console, session: CalibrationSession, arm: str, port: str) -> None:
    path = session.path
    if session.step is not Step.DONE:
        if is_cut_short(path):
            what = (
                'Some servos hold the new calibration, some the old one; the driver refuses to '
                f'move such an arm. Next: chefmate calibrate undo {arm} --port {port} '
                f'--out {path.parent} (the record is {record_of(path)})'
            )
        else:
            what = f'Servos and {path.name} are what they were before.'
        limp = '' if session.step is Step.SUPPORT else ' The arm is limp.'
        console.print(Text(f'Stopped. {what}{limp}', style='yellow'), soft_wrap=True)
        return
    old = f' (the old one: {backup_of(path).name})' if backup_of(path).exists() else ''
    console.print(Text('Calibrated: ', style='bold green').append(f'{path}{old}'), soft_wrap=True)
    console.print('All six servos hold it, read back. The arm is limp.')
    for what, command in (
        ('use it', f'... calibration_dir:={path.parent}'),
        ('look at it', f'chefmate calibrate show {arm} --port {port} --out {path.parent}'),
        ('take it back', f'chefmate calibrate undo {arm} --port {port} --out {path.parent}'),
    ):
        console.print(Text.assemble(f'  {what:13}', (command, 'cyan')), soft_wrap=True)
