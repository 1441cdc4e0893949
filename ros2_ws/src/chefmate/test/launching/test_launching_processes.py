"""Ctrl-C, kills and orphans: the runner in a process of its own, as a terminal runs it."""

import os
import signal
import subprocess
import sys
import time

import pytest

from chefmate.launching.real import real_launch_installed

DEADLINE_S = 60.0  # of waits in these tests; nothing is measured against it

RUN = """
import sys
from chefmate.launching import run_launch_file
def say(line):
    sys.stdout.write(f'{line}\\n')
    sys.stdout.flush()
sys.exit(run_launch_file(sys.argv[1], {}, say, sys.argv[2]))
"""


def wait_until(condition, what):
    deadline_s = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline_s, f'waited in vain until {what}'
        time.sleep(0.02)


def is_running(pid):
    """Whether the process exists and is not a zombie that nobody has reaped."""
    try:
        with open(f'/proc/{pid}/stat') as file:
            return file.read().rpartition(')')[2].split()[0] != 'Z'
    except FileNotFoundError:
        return False


class Launch:
    """A launch in a process of its own, up when `count` nodes have written their records."""

    def __init__(self, pantry, body, count, runner='builtin', **options):
        self.pantry = pantry
        self.process = subprocess.Popen(
            [sys.executable, '-c', RUN, str(pantry.write(body)), runner],
            env=pantry.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **options,
        )
        try:
            wait_until(lambda: len(pantry.records()) == count, f'{count} nodes are up')
        except AssertionError:
            self.process.kill()
            raise
        records = pantry.records().values()
        self.pids = [record['pid'] for record in records]
        self.pids += [record['child'] for record in records if 'child' in record]
        assert all(map(is_running, self.pids))

    def end(self):
        text, _ = self.process.communicate(timeout=DEADLINE_S)
        wait_until(lambda: not any(map(is_running, self.pids)), 'every process is gone')
        return text


THREE = """
Node(**COOK, output='screen', arguments=['--stay', '--id', 'polite']),
Node(**COOK, output='screen', arguments=['--stay', '--id', 'parent', '--child']),
Node(**COOK, output='screen', arguments=['--stay', '--id', 'stubborn', '--stubborn', '--child']),
"""


@pytest.mark.parametrize(
    ('number', 'code'), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_an_interrupt_ends_every_process_even_a_stubborn_one_and_its_children(
    pantry, number, code
):
    launch = Launch(pantry, THREE, 3)
    launch.process.send_signal(number)
    text = launch.end()
    assert launch.process.returncode == code
    assert text.count('asked to end') == 2
    assert text.index('sent SIGTERM') < text.index('sent SIGKILL')
    assert 'killed by SIGKILL' in text


@pytest.mark.skipif(not real_launch_installed(), reason='launch_ros is not installed here')
@pytest.mark.parametrize(
    ('number', 'code'), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_an_interrupt_of_the_real_launch_leaves_nothing_running_either(pantry, number, code):
    launch = Launch(pantry, THREE.replace(", '--child'", ''), 3, 'launch')
    launch.process.send_signal(number)
    text = launch.end()
    assert launch.process.returncode == code, text


def test_times_between_the_signals_can_be_set_in_the_launch_file(pantry):
    launch = Launch(
        pantry,
        """
        SetLaunchConfiguration('sigterm_timeout', '0.1'),
        Node(**COOK, arguments=['--stay', '--stubborn'], sigkill_timeout='0.1'),
        """,
        1,
    )
    launch.process.send_signal(signal.SIGINT)
    assert 'killed by SIGKILL' in launch.end()


def test_a_second_ctrl_c_kills_at_once(pantry):
    body = THREE.replace("'--stubborn',", "'--stubborn',").replace(
        "output='screen',", "output='screen', sigterm_timeout='600',"
    )
    launch = Launch(pantry, body, 3)
    launch.process.send_signal(signal.SIGINT)
    time.sleep(0.5)
    launch.process.send_signal(signal.SIGINT)
    text = launch.end()  # long before the 600 s
    assert 'killing what is left' in text
    assert launch.process.returncode == 130


def test_a_killed_launch_leaves_no_process_behind(pantry):
    launch = Launch(pantry, THREE.replace("'--child'", "'--exit', '0'"), 3)
    launch.process.kill()
    launch.end()


def test_a_launch_started_in_the_background_of_a_shell_can_be_interrupted(pantry):
    """A shell without job control starts background jobs with SIGINT ignored, for children too."""
    launch = Launch(
        pantry, THREE, 3, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_IGN)
    )
    launch.process.send_signal(signal.SIGINT)
    assert launch.end().count('asked to end') == 2


def test_nodes_are_not_hit_by_the_terminals_own_ctrl_c(pantry):
    """A terminal signals its whole foreground group; the nodes' groups are their own."""
    launch = Launch(pantry, THREE, 3, start_new_session=True)
    assert all(os.getpgid(pid) != launch.process.pid for pid in launch.pids)
    os.killpg(launch.process.pid, signal.SIGINT)
    assert launch.end().count('asked to end') == 2


def test_a_closed_pipe_ends_the_launch(pantry):
    launch = Launch(
        pantry,
        """
        Node(**COOK, arguments=['--stay']),
        ExecuteProcess(cmd=['while true; do echo hello; sleep 0.1; done'], shell=True,
                       output='screen'),
        """,
        1,
    )
    launch.process.stdout.close()
    wait_until(lambda: launch.process.poll() is not None, 'the launch has noticed')
    wait_until(lambda: not any(map(is_running, launch.pids)), 'every process is gone')
