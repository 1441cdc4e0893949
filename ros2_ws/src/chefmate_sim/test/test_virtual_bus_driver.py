"""The driver's loop while things go wrong: it rides on, is lost and returns, or stops."""

import functools
import threading
import time

import numpy as np
import pytest
import virtual_arm
from driver_rig import RATE_HZ, Rig

from chefmate_core.driver.arm_driver import DriverState
from chefmate_core.errors import ChefMateError
from chefmate_sim.virtual_bus import FaultKind, Traffic
from chefmate_sim.virtual_bus.script import inject

# Longer than elsewhere: rare faults must strike, and rules of health take their time.
until = functools.partial(virtual_arm.until, timeout_s=30.0)


class FollowingRig(Rig):
    """A driver that follows a slow wave, commanded from a thread."""

    def __init__(self, link):
        super().__init__(link)
        self.driver.start()
        self.driver.engage()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._command)
        self._thread.start()

    def goal_rad(self):
        return self.start_rad + 0.25 * np.sin(0.8 * time.monotonic())

    def _command(self):
        while not self._end.wait(1 / RATE_HZ):
            self.command(self.goal_rad().tolist())

    def is_following(self):
        close = np.abs(self.model.position_rad() - self.goal_rad()).max() < 0.05
        return bool(close) and self.driver.state is DriverState.DRIVING

    def close(self):
        self._end.set()
        self._thread.join()
        super().close()


@pytest.fixture
def rig(tmp_path):
    rig = FollowingRig(tmp_path / 'follower')
    try:
        until(rig.is_following)
        yield rig
    finally:
        rig.close()


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
