"""What an install of package chefmate holds: launch files left out would be missed in silence."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


def install_data(package, target):
    return subprocess.run(
        [sys.executable, 'setup.py', '-q', 'install_data', '-d', str(target)],
        cwd=package,
        capture_output=True,
        text=True,
    )


def test_the_install_holds_every_launch_file_calibration_and_the_command(tmp_path):
    result = install_data(PACKAGE, tmp_path)
    assert result.returncode == 0, result.stderr
    share = tmp_path / 'share/chefmate'
    for folder, pattern in (
        ('launch', '*.launch.py'),
        ('calibration', '*.json'),
        ('config', '*.*'),
        ('rviz', '*.rviz'),
        ('foxglove', '*.json'),
    ):
        wanted = {path.name for path in (PACKAGE / folder).glob(pattern)}
        assert wanted, f'the repository has no {folder}/{pattern}'
        assert {path.name for path in (share / folder).iterdir()} == wanted
    assert os.access(tmp_path / 'bin/chefmate', os.X_OK)


def test_a_checkout_without_symbolic_links_fails_with_a_clear_message(tmp_path):
    copy = tmp_path / 'chefmate'
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns('test', '__pycache__'))
    shutil.rmtree(copy / 'launch')
    (copy / 'launch').write_text('../../../launch')  # what git writes where there are no symlinks
    result = install_data(copy, tmp_path / 'out')
    assert result.returncode != 0
    assert 'launch' in result.stderr
    assert 'symbolic link' in result.stderr
    assert 'Traceback' not in result.stderr
