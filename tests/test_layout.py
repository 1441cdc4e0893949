"""The repository's rooms, and that what is installed is what is here."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TOP = ('ros2_ws/src', 'launch', 'udev', 'calibration', 'models', 'tests', 'docker', 'README.md')


def installed_share(package):
    for prefix in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep):
        share = Path(prefix) / 'share' / package
        if (share / 'package.xml').exists():
            return share
    pytest.fail(f'{package} is not installed: run the tests through `make test`')


@pytest.mark.parametrize('name', TOP)
def test_the_top_level_is_as_promised(name):
    assert (ROOT / name).exists()


def test_every_launch_file_is_installed():
    """An empty install is silent otherwise: the package's launch folder is a symbolic link."""
    here = {path.name: path.read_text() for path in (ROOT / 'launch').glob('*.launch.py')}
    installed = (installed_share('chefmate') / 'launch').glob('*.launch.py')
    assert here
    assert {path.name: path.read_text() for path in installed} == here


def test_every_configuration_and_calibration_file_is_installed():
    share = installed_share('chefmate')
    config = ROOT / 'ros2_ws' / 'src' / 'chefmate' / 'config'
    assert {path.name for path in (share / 'config').iterdir()} == {
        path.name for path in config.iterdir()
    }
    assert {path.name for path in (share / 'calibration').glob('*.json')} == {
        path.name for path in (ROOT / 'calibration').glob('*.json')
    }


def test_every_requirement_is_pinned():
    for path in (ROOT / 'ros2_ws' / 'bootstrap' / 'requirements').glob('*.txt'):
        for line in path.read_text().splitlines():
            requirement = line.split('#')[0].strip()
            assert not requirement or re.fullmatch(r'[\w.-]+==[\w.+-]+(\s*;.*)?', requirement), (
                f'{path.name}: {line!r} is not pinned'
            )


def test_no_default_names_a_home_or_a_first_come_device():
    pattern = re.compile(r'/home/\w|/dev/tty(ACM|USB)\d')
    for folder in ('ros2_ws/src', 'launch'):
        for path in (ROOT / folder).rglob('*.py'):
            if 'test' not in path.parts and '__pycache__' not in path.parts:
                assert not pattern.search(path.read_text()), path


@pytest.mark.parametrize('words', [['check'], ['format', '--check']], ids=' '.join)
def test_the_code_is_as_ruff_wants_it(words):
    done = subprocess.run(
        [sys.executable, '-m', 'ruff', *words, str(ROOT)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout


def test_every_test_that_the_documents_name_exists():
    tests = ''.join(
        path.read_text()
        for folder in ('tests', 'ros2_ws/src')
        for path in (ROOT / folder).rglob('test_*.py')
    )
    names = set()
    for path in [ROOT / 'README.md', *(ROOT / 'docs').rglob('*.md')]:
        names |= set(re.findall(r'`(test_\w+)`', path.read_text()))
    missing = {name for name in names if f'def {name}(' not in tests}
    modules = {path.stem for path in ROOT.rglob('test_*.py') if '.venv' not in path.parts}
    assert names
    assert not missing - modules


def test_the_safety_page_states_what_the_gate_does_in_the_gates_order():
    gate = ROOT / 'ros2_ws' / 'src' / 'chefmate_core' / 'chefmate_core' / 'safety' / 'gate.py'
    defined = re.findall(r'^    def (\w+)\(', gate.read_text(), re.MULTILINE)
    page = (ROOT / 'docs' / 'safety.md').read_text()
    table = page.split('## What the gate guarantees')[1].split('## ')[0]
    stated = re.findall(r'^\| `(\w+)` \|', table, re.MULTILINE)
    assert stated == [name for name in defined if name in stated]
    assert set(defined) - set(stated) <= {
        *('source', 'setpoint_rad', 'command', '_forget_commands', '_grave_findings'),
    }


def test_links_in_the_documents_lead_somewhere():
    for path in [ROOT / 'README.md', *(ROOT / 'docs').rglob('*.md')]:
        for target in re.findall(r'\]\(([^)#]+)(?:#[^)]*)?\)', path.read_text()):
            if not target.startswith(('http:', 'https:', 'mailto:')):
                assert (path.parent / target).exists(), f'{path.name} points to {target}'
