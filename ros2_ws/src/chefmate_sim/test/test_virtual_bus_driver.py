"""The driver's loop while things go wrong: it rides on, is lost and returns, or stops."""

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from chefmate_core.calibration import ArmCalibration
from chefmate_core.driver.arm_driver import ArmDriver, DriverState
from chefmate_core.errors import ChefMateError
from chefmate_core.joints import JOINT_NAMES
from chefmate_core.safety.command import Command
from chefmate_core.safety.config import load_preset
from chefmate_core.safety.gate import SafetyGate
from chefmate_core.servo.arm import FeetechArm
from chefmate_sim.virtual_bus import FaultKind, FirstOrderArm, Traffic, VirtualServoBus
from chefmate_sim.virtual_bus.script import inject

CALIBRATION = ArmCalibration.load(
    Path(__file__).resolve().parents[4] / 'calibration' / 'follower.json'
)
RATE_HZ = 100.0
START_RAD = np.full(6, 0.2)


class Rig:
    """A driver that follows a slow wave, in a thread, on a virtual arm."""

    def __init__(self, link):
        self.model = FirstOrderArm(START_RAD)
        self.bus = VirtualServoBus(self.model, CALIBRATION, link)
        gate = SafetyGate(
            load_preset('careful'),
            CALIBRATION.lower_limits_rad,
            CALIBRATION.upper_limits_rad,
            1 / RATE_HZ,
        )
        self.driver = ArmDriver(FeetechArm(str(link), CALIBRATION), gate, RATE_HZ)
        self.driver.start()
        self.driver.engage()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._command)
        self._thread.start()

    def goal_rad(self):
        return START_RAD + 0.25 * np.sin(0.8 * time.monotonic())

    def _command(self):
        while not self._end.wait(1 / RATE_HZ):
            goal = self.goal_rad().tolist()
            self.driver.command(Command(JOINT_NAMES, goal, time.time(), 'test'))

    def is_following(self):
        close = np.abs(self.model.position_rad() - self.goal_rad()).max() < 0.05
        return bool(close) and self.driver.state is DriverState.DRIVING

    def close(self):
        self._end.set()
        self._thread.join()
        self.bus.clear_faults()
        self.driver.stop(torque_off=True)
        self.bus.close()


@pytest.fixture
def rig(tmp_path):
    rig = Rig(tmp_path / 'follower')
    try:
        until(rig.is_following)
        yield rig
    finally:
        rig.close()


def until(condition, timeout_s=30.0):
    """Wait for a condition; generous, because machines stall."""
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s, 'it did not happen'
        time.sleep(0.01)


@pytest.mark.parametrize('traffic', [one.value for one in Traffic])
def test_a_bad_wire_is_ridden_through(rig, traffic):
    done = rig.bus.faults.done
    kinds = [kind for kind in FaultKind if kind is not FaultKind.LATE]
    for kind in kinds:
        inject(rig.bus, f'{kind.value} {traffic} probability=0.03')
    until(lambda: all(done[kind] >= 3 for kind in kinds))
    rig.bus.clear_faults()
    until(rig.is_following)
    assert rig.driver.failure is None
    assert rig.driver.arm.statistics.retries > 0


@pytest.mark.parametrize(
    'line',
    [
        'kill 3',
        'twin 2 of=3',
        'sag to=2',
        'hang-up',
        'hang-up power-lost',
        'drop requests count=all',
    ],
)
def test_an_arm_that_is_lost_is_followed_again_by_itself_when_it_is_back(rig, line):
    inject(rig.bus, line)
    until(lambda: rig.driver.state is DriverState.LOST)
    rig.bus.clear_faults()
    until(rig.is_following)
    assert rig.driver.failure is None
    assert rig.driver.counters['bus_recovered'] >= 1


@pytest.mark.parametrize(
    ('line', 'reason'),
    [
        ('sag to=4.1', 'voltage 4.1 V'),
        ('stall elbow_flex', 'elbow_flex'),
        ('encoder 3', 'elbow_flex reports encoder'),
    ],
)
def test_a_servo_in_trouble_stops_the_arm_until_someone_releases_it(rig, line, reason):
    inject(rig.bus, line)
    until(lambda: rig.driver.estopped)
    assert reason in rig.driver.stop_reason
    rig.bus.clear_faults()

    def is_released():
        try:
            rig.driver.set_estop(False)
        except ChefMateError:  # the servos are not well yet
            return False
        return True

    until(is_released)
    until(rig.is_following)


def test_a_warm_servo_is_warned_of_and_the_arm_goes_on(rig):
    inject(rig.bus, 'heat servo=6 to=57 rate=50')
    until(lambda: rig.driver.gate.counters['health_warn'] > 0)
    assert not rig.driver.estopped
    assert rig.driver.state is DriverState.DRIVING


def test_a_blocked_gripper_is_eased_and_the_arm_goes_on(rig):
    inject(rig.bus, 'stall gripper')
    until(lambda: rig.driver.gate.counters['grips_eased'] > 0)
    assert not rig.driver.estopped
