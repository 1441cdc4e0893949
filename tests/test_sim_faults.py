"""`chefmate sim faults` on a kitchen in a process of its own."""

import os
import signal
import subprocess
import time
from pathlib import Path

import numpy as np
import pytest
from ament_index_python.packages import get_package_prefix
from deployment import ROOT

from chefmate_core.calibration import ArmCalibration
from chefmate_core.servo.arm import FeetechArm
from chefmate_core.servo.config import ServoConfig

pytestmark = pytest.mark.system

FOLLOWER = ROOT / 'calibration' / 'follower.json'
# The kitchen may stand for a moment on a busy machine, and answer late.
PATIENT = ServoConfig(
    reply_timeout_s=1.0, gap_timeout_s=0.1, register_timeout_s=1.0, max_misses=1000
)


@pytest.fixture
def port(environment, tmp_path):
    """The virtual follower of a running kitchen."""
    port = tmp_path / 'run' / 'follower'
    executable = Path(get_package_prefix('chefmate_sim')) / 'lib/chefmate_sim/kitchen_node'
    kitchen = subprocess.Popen(
        [executable, '--ros-args', '-p', f'follower_port:={port}',
         '-p', f'follower_calibration:={FOLLOWER}'],
        env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    for line in kitchen.stdout:
        if 'is open' in line:
            break
    assert port.is_symlink(), 'the kitchen did not open'
    yield port
    kitchen.send_signal(signal.SIGINT)
    kitchen.communicate(timeout=30)


def read_until(arm, is_wanted):
    """Read until a reading is as wanted; return it."""
    end_s = time.monotonic() + 30.0
    while not is_wanted(reading := arm.read(with_health=True)):
        assert time.monotonic() < end_s, reading
    return reading


def test_faults_are_switched_on_and_off_while_the_kitchen_runs(chefmate, port):
    def faults(*words):
        command = chefmate('sim', 'faults', *words)
        return command.wait(60), command.output

    arm = FeetechArm(os.fspath(port), ArmCalibration.load(FOLLOWER), PATIENT)
    arm.connect()
    assert faults('--list') == (0, 'no faults on the follower')

    code, output = faults('kill elbow_flex', 'sag to=5.5')
    assert code == 0, output
    assert output.splitlines() == ['in force on the follower:', '  kill 3', '  sag to=5.5']
    reading = read_until(arm, lambda reading: np.flatnonzero(reading.age_s).tolist() == [2])
    assert reading.health.voltage_v[0] == pytest.approx(5.5)

    code, output = faults('--arm', 'leader', 'kill 1')
    assert code == 2
    assert "no virtual arm 'leader'; it has follower" in output
    code, output = faults('kill 9')
    assert code == 2
    assert 'a servo is 1 to 6' in output

    assert faults('--clear') == (0, 'no faults on the follower')
    reading = read_until(arm, lambda reading: reading.ok)
    assert reading.health.voltage_v[0] == pytest.approx(7.4)
    arm.disconnect(torque_off=True)
