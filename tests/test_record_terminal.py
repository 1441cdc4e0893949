"""`chefmate record` at a terminal: keys, command line, what is on the screen."""

import io
import os
import time

import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rich.console import Console
from terminal import ESCAPE, LEFT, RIGHT, Terminal

from chefmate.cli.record import launch_arguments
from chefmate.cli.recording.keys import Key, read_key
from chefmate.cli.recording.view import recording_line, recording_view
from chefmate_core.errors import ConfigurationError
from chefmate_ros import qos

pytest_plugins = ['recorder_fixtures']
system = pytest.mark.system
PATIENCE_S = 60.0


@system
def test_keys_begin_finish_discard_and_quit(robot, recorder, environment, tmp_path):
    recorder(instruction='pick up the cheese')
    terminal = Terminal('record', '--attach', environment=environment)
    session = tmp_path / 'session'
    try:
        terminal.see('● ready')
        for key, words, folder in (
            (RIGHT, '● episode 0', '.open_episode_000000'),
            (RIGHT, 'episode 0: saved', 'episode_000000'),
            (RIGHT, '● episode 1', '.open_episode_000001'),
            (LEFT, 'episode 1: discarded', None),
            (RIGHT, '● episode 1', '.open_episode_000001'),
        ):
            terminal.ask(key, words)
            if folder is not None:
                assert (session / folder).is_dir()
            else:
                terminal.see('● ready')  # where the next key begins an episode
                assert not list(session.glob('*episode_000001*'))
        terminal.press(ESCAPE)
        assert terminal.end(PATIENCE_S) == 0
    finally:
        terminal.close()
    assert (session / 'episode_000001/metadata.yaml').exists()
    assert not (session / 'episode_000002').exists()


@system
@pytest.mark.parametrize(
    ('clutch', 'level', 'message', 'words'),
    [
        ('paused', DiagnosticStatus.OK, 'paused', 'chefmate teleop --resume'),
        ('stopped', DiagnosticStatus.OK, 'stopped', 'chefmate estop --release'),
        ('engaged', DiagnosticStatus.WARN, 'waiting for the leader', 'waiting for the leader'),
    ],
)
def test_the_screen_says_why_the_follower_does_not_follow(
    robot, environment, clutch, level, message, words
):
    terminal = Terminal('record', '--attach', environment=environment)
    writer = robot.node.create_publisher(DiagnosticArray, '/diagnostics', qos.DIAGNOSTICS)
    status = DiagnosticStatus(
        name='teleop: teleop', level=level, message=message,
        values=[KeyValue(key='clutch', value=clutch)],
    )  # fmt: skip
    try:
        end_s = time.monotonic() + PATIENCE_S
        while words not in terminal.text:
            assert time.monotonic() < end_s, terminal.text[-2000:]
            writer.publish(DiagnosticArray(status=[status]))
            time.sleep(0.1)
    finally:
        terminal.close()


@pytest.mark.parametrize(
    ('pressed', 'key'),
    [
        (b'\x1b[C', Key.NEXT),
        (b'\x1bOC', Key.NEXT),
        (b'\x1b[D', Key.REDO),
        (b'\x1b', Key.QUIT),
        (b'\x1b[A', None),
        (b'x', None),
    ],
)
def test_keys_are_known_by_their_bytes(pressed, key):
    ours, theirs = os.pipe()
    os.write(theirs, pressed)
    assert read_key(ours, 1.0) is key
    os.close(theirs)
    assert read_key(ours, 1.0) is Key.QUIT  # the terminal was closed
    os.close(ours)


class Arguments:
    """What argparse would hand over."""

    def __init__(self, *words, overwrite=False, attach=False):
        self.arguments, self.overwrite, self.attach = list(words), overwrite, attach


def test_the_command_line_names_the_session_and_what_else_is_wanted():
    found = launch_arguments(Arguments('there', 'episodes:=3', overwrite=True))
    assert found == {'session': 'there', 'episodes': '3', 'overwrite': 'true'}


@pytest.mark.parametrize(
    'arguments',
    [
        Arguments('one', 'two'),
        Arguments('one', 'session:=two'),
        Arguments(overwrite=True),
        Arguments('one', attach=True),
    ],
)
def test_command_lines_that_mean_nothing_are_refused(arguments):
    with pytest.raises(ConfigurationError):
        launch_arguments(arguments)


def test_the_view_shows_time_rates_drops_disk_and_failures():
    console = Console(width=100, record=True, file=io.StringIO())
    values = {
        'state': 'recording', 'episode': '3', 'elapsed_s': '12.5', 'episode_time_s': '30',
        'episodes': '5', 'saved': '2', 'instruction': 'pick up the cheese', 'session': 'there',
        'rate_hz wrist/image_raw/compressed': '29.9', 'missing wrist/image_raw/compressed': '7',
        'free_mb': '2048', 'written_mb': '50', 'last': '2', 'last_failure': 'episode 2 FAILED',
    }  # fmt: skip
    console.print(recording_view(values, 0, 'recording', ['a line']))
    text = console.export_text()
    for word in ('12.5 s', '29.9', '7', '2.0 GiB', 'FAILED', '2 of 5 saved', 'a line', 'cheese'):
        assert word in text
    assert '7 missing' in recording_line(values, 'recording')
    console.print(recording_view({}, 3, 'the recorder is not up yet', []))
    assert 'not up yet' in console.export_text()
