"""`chefmate record`: record episodes, with keys and a live view."""

import argparse
import os
import sys
import threading
import time
from collections import deque

from rclpy.task import Future
from rich.console import Console
from rich.live import Live

from chefmate.cli.recording.keys import Key, keys_of_terminal, read_key
from chefmate.cli.recording.remote import (
    DISCARD,
    PERFORM,
    RESET,
    START,
    STOP,
    RemoteRecorder,
)
from chefmate.cli.recording.view import recording_line, recording_view
from chefmate.launching import LaunchJob, OutputLine, parse_assignments
from chefmate_core.errors import ConfigurationError

LAUNCH_FILE = 'record.launch.py'
KEY_S, PLAIN_S = 0.1, 5.0
LINES_SHOWN = 5
LINES_KEPT = 200
BELL = '\a'
HAND_RESTS = ('done', 'given up', 'waiting')  # what the simulated hand says of itself then


def add_parser(subparsers: 'argparse._SubParsersAction') -> None:
    """Add `record`."""
    parser = subparsers.add_parser(
        'record',
        description='Record episodes while a leader arm, a keyboard or a policy moves the '
        'follower. Keys: right arrow finishes the episode, or begins the next; left arrow '
        'discards it, to do it again; Esc saves and quits; r, between episodes, lays a fresh '
        'simulated kitchen. Simulated unless hardware:=real.',
        examples=(
            ('chefmate record recordings/bread', 'a virtual leader shows how; keys as above'),
            (
                'chefmate record recordings/bread episodes:=10 episode_time_s:=30 '
                'reset_time_s:=10 autostart:=true',
                'ten episodes by the clock',
            ),
            ('chefmate record --attach', 'keys for a recorder that runs already'),
            ('chefmate launch record --show-args', 'everything that can be set'),
        ),
    )
    parser.add_argument(
        'arguments',
        nargs='*',
        metavar='SESSION | name:=value',
        help='folder to record to, and arguments of record.launch.py',
    )
    parser.add_argument('--overwrite', action='store_true', help='replace a session that is there')
    parser.add_argument('--attach', action='store_true', help='start nothing')
    parser.add_argument('--bell', action='store_true', help='ring when an episode begins or ends')


def run(args: argparse.Namespace) -> int:
    """Record and return the exit code."""
    arguments = launch_arguments(args)
    os.environ.setdefault('ROS_AUTOMATIC_DISCOVERY_RANGE', arguments.get('discovery', 'LOCALHOST'))
    console = Console(highlight=False)
    desk = _Desk(console, args.bell)
    if args.attach:
        with keys_of_terminal() as has_keys:
            desk.sit(has_keys)
        return 0
    job = LaunchJob(LAUNCH_FILE, arguments, desk.line)
    with keys_of_terminal() as has_keys:
        thread = threading.Thread(target=desk.sit, args=(has_keys, job), daemon=True)
        thread.start()
        try:
            code = job.run()
        finally:
            desk.leave.set()
            thread.join(timeout=5.0)
    if code:
        desk.say_why()
    console.print(desk.summary)
    return code


def launch_arguments(args: argparse.Namespace) -> dict[str, str]:
    """Return the launch arguments of a command line.

    Raises:
        ConfigurationError: two folders are named, or arguments for a recorder that runs already.
    """
    folders = [word for word in args.arguments if ':=' not in word]
    arguments = dict(parse_assignments([word for word in args.arguments if ':=' in word]))
    if args.attach and (args.arguments or args.overwrite):
        raise ConfigurationError('--attach takes the recorder as it is: give no arguments with it')
    if len(folders) > 1 or (folders and 'session' in arguments):
        raise ConfigurationError(
            f'found the folders {", ".join(folders)}; give one session. A value with spaces '
            'needs quotes: instruction:="pick up the cheese"'
        )
    if folders:
        arguments['session'] = folders[0]
    if args.overwrite:
        if 'session' not in arguments:
            raise ConfigurationError('--overwrite: name the session that is to be replaced')
        arguments['overwrite'] = 'true'
    return arguments


class _Desk:
    """Where the person sits: keys in, view out."""

    def __init__(self, console: Console, bell: bool) -> None:
        self.leave = threading.Event()
        self.summary = ''
        self._console = console
        self._bell = bell
        self._lines: deque[str] = deque(maxlen=LINES_SHOWN)
        self._said: deque[str] = deque(maxlen=LINES_KEPT)  # by the launch
        self._plain = not console.is_terminal
        self._answer: Future | None = None
        self._next = ''  # the service to ask after that answer
        self._heard: tuple[str, str] = ('', '')

    def line(self, line: OutputLine) -> None:
        """Take a line of the launch's output."""
        if self._plain:
            self._console.print(str(line), markup=False, soft_wrap=True)
        else:
            self._lines.append(str(line))
            self._said.append(str(line))

    def say_why(self) -> None:
        """Print what the launch said of its failure: the view has hidden it."""
        for line in self._said:
            if '[INFO]' not in line:
                self._console.print(line, markup=False, soft_wrap=True)

    def sit(self, has_keys: bool, job: LaunchJob | None = None) -> None:
        """Watch the recorder, and act on keys, until it is over."""
        recorder = RemoteRecorder()
        live = Live(console=self._console, auto_refresh=False, transient=True)
        said_s = time.monotonic()
        quitting = False
        try:
            if not self._plain:
                live.start()
            while not self.leave.is_set():
                key = self._key(has_keys)
                quitting |= key is Key.QUIT
                self._act(recorder, key, quitting)
                if self._over(recorder, quitting):
                    break
                self._ring(recorder)
                if not self._plain:
                    live.update(self._picture(recorder), refresh=True)
                elif time.monotonic() - said_s > PLAIN_S:
                    said_s = time.monotonic()
                    line = recording_line(recorder.values, recorder.sentence, recorder.hindrance)
                    self._console.print(line, markup=False, soft_wrap=True)
        finally:
            if not self._plain:
                live.stop()
            self.summary = recording_line(recorder.values, recorder.sentence)
            recorder.close()
            if job is not None:
                job.stop()

    def _key(self, has_keys: bool) -> Key | None:
        if has_keys:
            return read_key(sys.stdin.fileno(), KEY_S)
        self.leave.wait(KEY_S)
        return None

    def _act(self, recorder: RemoteRecorder, key: Key | None, quitting: bool) -> None:
        answer = self._answer
        if answer is not None:
            if not answer.done():
                return
            self._lines.append(answer.result().message)
            self._answer, self._next = recorder.call(self._next) if self._next else None, ''
            if self._answer is not None:
                return
        if quitting:
            if recorder.state == 'recording':
                self._answer = recorder.call(STOP)
        elif key is Key.NEXT:
            self._answer = recorder.call(STOP if recorder.state == 'recording' else START)
        elif key is Key.REDO:
            self._answer = recorder.call(DISCARD)
        elif key is Key.FRESH:
            self._fresh_kitchen(recorder)

    def _fresh_kitchen(self, recorder: RemoteRecorder) -> None:
        if recorder.state == 'recording':
            self._lines.append('r: finish or discard the episode first')
            return
        if recorder.hand and not recorder.hand.startswith(HAND_RESTS):
            # things laid where the arm is would be pushed over
            self._lines.append('r: the hand is at work in the kitchen; wait until it is done')
            return
        self._answer = recorder.call(RESET)
        self._next = PERFORM
        if self._answer is None:
            self._next = ''
            self._lines.append('r: no simulated kitchen runs here; lay the things by hand')

    def _over(self, recorder: RemoteRecorder, quitting: bool) -> bool:
        if self._answer is not None or recorder.state in ('recording', 'finishing'):
            return False
        return quitting or recorder.values.get('complete') == 'True'

    def _ring(self, recorder: RemoteRecorder) -> None:
        heard = (recorder.state, recorder.values.get('saved', ''))
        if self._bell and heard != self._heard and self._heard != ('', ''):
            self._console.file.write(BELL)
            self._console.file.flush()
        self._heard = heard

    def _picture(self, recorder: RemoteRecorder):
        return recording_view(
            recorder.values,
            recorder.level,
            recorder.sentence,
            list(self._lines),
            recorder.hand,
            recorder.hindrance,
        )
