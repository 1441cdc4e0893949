"""A small ROS install in a temporary folder, with one node that writes down how it was started."""

import json
import os
import sys
import textwrap
from pathlib import Path

import pytest

from chefmate.launching import run_launch_file

PACKAGE = 'pantry'

RECORDER = """\
#!/bin/sh
'''exec' "{python}" -IS "$0" "$@"
' '''  # a shell's line to start Python: its path may have a space
# Writes its command line, parameter files and some of its environment; then does as it is told.
import json, os, signal, subprocess, sys, time

def value(flag):
    return sys.argv[sys.argv.index(flag) + 1] if flag in sys.argv else None

files = [sys.argv[i + 1] for i, word in enumerate(sys.argv) if word == '--params-file']
record = dict(
    argv=sys.argv[1:],
    files={{path: open(path).read() for path in files}},
    env={{name: text for name, text in os.environ.items() if name.startswith('PANTRY_')}},
    cwd=os.getcwd(),
    pid=os.getpid(),
)
name = value('--id') or 'node'
print('out', name, flush=True)
print('err', name, file=sys.stderr, flush=True)
if '--stubborn' in sys.argv:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if '--child' in sys.argv:
    record['child'] = subprocess.Popen(['sleep', '60']).pid
path = os.path.join(os.environ['RECORDS'], name + '-' + str(os.getpid()))
with open(path + '.part', 'w') as file:
    json.dump(record, file)
os.rename(path + '.part', path + '.json')
try:
    deadline = time.monotonic() + float(value('--for') or (60 if '--stay' in sys.argv else 0))
    while time.monotonic() < deadline:
        time.sleep(0.02)
except KeyboardInterrupt:
    print('asked to end', flush=True)
sys.exit(int(value('--exit') or 0))
"""


class Pantry:
    """The install, and what its nodes wrote down."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.records_folder = root / 'records'
        self.share = root / 'share' / PACKAGE
        for folder in (self.records_folder, self.share, root / 'lib' / PACKAGE):
            folder.mkdir(parents=True)
        index = root / 'share/ament_index/resource_index/packages'
        index.mkdir(parents=True)
        (index / PACKAGE).touch()
        self.executable = root / 'lib' / PACKAGE / 'cook'
        self.executable.write_text(RECORDER.format(python=sys.executable))
        self.executable.chmod(0o755)
        self.environment = {
            **os.environ,
            'AMENT_PREFIX_PATH': str(root),
            'RECORDS': str(self.records_folder),
            'ROS_LOG_DIR': str(root / 'log'),
        }

    def write(self, body: str, name: str = 'sample.launch.py') -> Path:
        """Write a launch file; `body` is the list inside LaunchDescription([...])."""
        path = self.share / name
        path.write_text(
            'from launch import LaunchDescription\n'
            'from launch.actions import *\n'
            'from launch.conditions import *\n'
            'from launch.event_handlers import *\n'
            'from launch.events import Shutdown as ShutdownEvent\n'
            'from launch.launch_description_sources import *\n'
            'from launch.substitutions import *\n'
            'from launch_ros.actions import *\n'
            'from launch_ros.parameter_descriptions import *\n'
            'from launch_ros.substitutions import *\n'
            'COOK = dict(package="pantry", executable="cook")\n'
            'def generate_launch_description():\n'
            f'    return LaunchDescription([\n{textwrap.dedent(body)}\n])\n'
        )
        return path

    def records(self) -> dict[str, dict]:
        """Return what each node wrote down, by the text after its --id."""
        found = [json.loads(path.read_text()) for path in self.records_folder.glob('*.json')]
        return {_identity(record['argv']): record for record in found}

    def run(self, body: str, **arguments: str) -> int:
        """Run a launch file through the built-in runner, in this process; return the exit code."""
        self.lines = []
        return run_launch_file(self.write(body), arguments, self.lines.append, 'builtin')

    def text(self) -> str:
        """Return what the screen got."""
        return '\n'.join(map(str, self.lines))


def _identity(argv: list[str]) -> str:
    return argv[argv.index('--id') + 1] if '--id' in argv else 'node'


@pytest.fixture
def pantry(tmp_path, monkeypatch):
    made = Pantry(tmp_path)
    for name in ('AMENT_PREFIX_PATH', 'RECORDS', 'ROS_LOG_DIR'):
        monkeypatch.setenv(name, made.environment[name])
    monkeypatch.delenv('OVERRIDE_LAUNCH_PROCESS_OUTPUT', raising=False)
    return made
