"""What the exit code of a node says; launch files read it."""

import subprocess
import sys

import pytest

NODE = """
import sys
from rclpy.node import Node
from chefmate_core.errors import ConfigurationError
from chefmate_ros.running import run_node

class Broken(Node):
    def __init__(self):
        super().__init__('broken')
        self.create_timer(0.01, self._fail)

    def _fail(self):
        raise {error}

sys.exit(run_node(Broken))
"""


@pytest.mark.parametrize(
    ('error', 'code', 'said'),
    [
        ("ConfigurationError('lag is -1')", 1, '[FATAL] lag is -1'),
        ("ValueError('a defect')", 70, 'Traceback'),
    ],
)
def test_a_defect_is_no_refusal(error, code, said):
    done = subprocess.run(
        [sys.executable, '-c', NODE.format(error=error)],
        capture_output=True,
        text=True,
        timeout=60.0,
        check=False,
    )
    assert done.returncode == code
    assert said in done.stderr
    assert ('Traceback' in done.stderr) == (code == 70)
