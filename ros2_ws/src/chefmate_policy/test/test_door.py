"""The way from a policy's name to this package."""

import subprocess
import sys

import pytest

from chefmate_core.errors import ConfigurationError
from chefmate_core.policy.registry import PolicyContext, available_policies, load_policy


def test_groot_is_found_by_name_without_importing_torch():
    assert 'groot' in available_policies()
    program = 'import sys, chefmate_policy.groot; assert "torch" not in sys.modules'
    subprocess.run([sys.executable, '-c', program], check=True)


def test_a_model_needs_the_arms_calibration_and_says_so_before_it_is_loaded():
    with pytest.raises(ConfigurationError, match=r'calibration_dir:=FOLDER'):
        load_policy('groot', PolicyContext(cameras=('wrist', 'scene')), model='tiny-random')
