import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from chefmate.cli.launch import coloured_line, screen_sink
from chefmate.cli.main import main
from chefmate.launching import OutputLine

FILE = """
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, ExecuteProcess
from launch.substitutions import LaunchConfiguration

def generate_launch_description():
    return LaunchDescription([
        DeclareLaunchArgument('word', default_value='hello', description='What is said.'),
        DeclareLaunchArgument('arm', description='Which arm.', choices=['left', 'right']),
        DeclareLaunchArgument('note', default_value=''),
        ExecuteProcess(cmd=['echo', LaunchConfiguration('word')], output='screen'),
    ])
"""


@pytest.fixture
def install(tmp_path, monkeypatch):
    """An install of package chefmate with one launch file."""
    index = tmp_path / 'share/ament_index/resource_index/packages'
    index.mkdir(parents=True)
    (index / 'chefmate').touch()
    folder = tmp_path / 'share/chefmate/launch'
    folder.mkdir(parents=True)
    (folder / 'greet.launch.py').write_text(FILE)
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path))
    monkeypatch.setenv('ROS_LOG_DIR', str(tmp_path / 'log'))
    monkeypatch.setenv('COLUMNS', '100')
    return folder


def run(capfd, *words):
    code = main(['launch', *words])
    output = capfd.readouterr()
    return code, output.out, output.err


def test_launch_without_a_file_lists_the_files(install, capfd):
    code, out, _ = run(capfd)
    assert code == 0
    assert 'greet.launch.py' in out


@pytest.mark.parametrize('name', ['greet', 'greet.launch.py'])
def test_a_file_is_found_by_name_and_run(install, capfd, name):
    code, out, _ = run(capfd, name, 'arm:=left', 'word:=bread and cheese', '--runner', 'builtin')
    assert code == 0
    assert '[echo-1] bread and cheese\n' in out
    assert '\x1b' not in out  # no colours into a pipe


def test_a_file_is_found_by_path(install, capfd):
    code, out, _ = run(capfd, str(install / 'greet.launch.py'), 'arm:=left', '--runner', 'builtin')
    assert code == 0
    assert '[echo-1] hello\n' in out


def test_arguments_are_shown_with_defaults_choices_and_meaning(install, capfd):
    code, out, _ = run(capfd, 'greet', '--show-args', '--runner', 'builtin')
    assert code == 0
    for text in ('word', 'hello', 'What is said.', 'must be given', 'left | right', '(empty)'):
        assert text in out
    assert 'process started' not in out


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (('greet', 'arm:=left', 'wrod:=x'), 'did you mean word:=x'),
        (('greet', 'arm:=top'), 'choices: left, right'),
        (('greet',), "needs the launch argument 'arm'"),
        (('greet', 'arm=left'), 'write arm:=left'),
        (('great',), 'installed there: greet.launch.py'),
        (('./none.launch.py',), 'does not exist'),
        (('greet', 'arm:=left', '--runner', 'other'), 'invalid choice'),
    ],
)
def test_bad_input_is_one_message_and_exit_code_2(install, capfd, words, said):
    code, out, err = run(capfd, *words)
    assert code == 2
    assert said in err
    assert 'Traceback' not in err
    assert 'process started' not in out


def test_the_command_outside_a_workspace_says_what_to_do():
    script = Path(__file__).parents[1] / 'bin/chefmate'
    result = subprocess.run(
        [sys.executable, '-I', str(script), '--help'],
        env={'PATH': os.environ['PATH'], '_ROS_WHEELS_BOOTSTRAP_COMPLETE': '1'},
        capture_output=True,
        text=True,
    )
    if result.returncode == 0:
        pytest.skip('chefmate is installed into this Python itself')
    assert 'make setup' in result.stderr
    assert 'Traceback' not in result.stderr


def test_a_line_keeps_the_colours_that_the_node_gave_it_and_no_markup_is_read():
    line = OutputLine('chef-1', 'stdout', '\x1b[31mred\x1b[0m [bold]not markup[/bold]')
    text = coloured_line(line)
    assert text.plain == '[chef-1] red [bold]not markup[/bold]'
    assert 'color(1)' in {span.style.color.name for span in text.spans if span.style.color}


def test_a_terminal_gets_colours(tmp_path):
    with (tmp_path / 'out').open('w') as file:
        console = Console(file=file, force_terminal=True, color_system='standard')
        screen_sink(console)(OutputLine('chef-1', 'launch', 'x ' * 200, 'ERROR'))
    text = (tmp_path / 'out').read_text()
    assert '\x1b[' in text
    assert text.count('\n') == 1  # the terminal wraps, not we
