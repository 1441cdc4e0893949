"""What tests of the virtual bus, and of a driver on it, share; fixtures are in `conftest.py`."""

import time
from pathlib import Path

import numpy as np

from chefmate_core.calibration import RAD_PER_TICK, ArmCalibration
from chefmate_core.servo.config import ServoConfig

_FOLDER = Path(__file__).resolve().parents[4] / 'calibration'
CALIBRATION = ArmCalibration.load(_FOLDER / 'follower.json')
LEADER = ArmCalibration.load(_FOLDER / 'leader.json')
START_RAD = np.array([0.1, -0.2, 0.3, -0.4, 0.5, 0.6])
HALF_A_TICK = RAD_PER_TICK / 2 + 1e-9
ELBOW = 2
# For tests in which answers are missing: waits that end soon, retries for a machine that stalls.
CONFIG = ServoConfig(
    reply_timeout_s=0.1,
    gap_timeout_s=0.03,
    register_timeout_s=0.1,
    register_retries=5,
    max_misses=3,
)


class Clock:
    """Stands still until a test moves it."""

    def __init__(self, now_s=0.0):
        self.now_s = now_s

    def __call__(self):
        return self.now_s


def health_of(arm):
    return arm.read(with_health=True).health


def until(condition, timeout_s=10.0):
    """Wait in real time for what another thread does; generous, because machines stall."""
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s, 'it did not happen'
        time.sleep(0.005)
