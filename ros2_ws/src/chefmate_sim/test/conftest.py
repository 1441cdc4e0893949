"""A virtual arm for each test, in a time that the test moves, and a driver on one in real time."""

import pytest
from driver_rig import Rig
from virtual_arm import CALIBRATION, CONFIG, START_RAD, Clock

from chefmate_core.servo.arm import FeetechArm
from chefmate_sim.virtual_bus import FirstOrderArm, VirtualServoBus


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def model(clock):
    return FirstOrderArm(START_RAD, clock=clock)


@pytest.fixture
def virtual(model, clock, tmp_path):
    with VirtualServoBus(model, CALIBRATION, tmp_path / 'follower', clock=clock) as bus:
        yield bus


@pytest.fixture
def arm(virtual):
    arm = FeetechArm(virtual.port, CALIBRATION, CONFIG)
    arm.connect()
    yield arm
    virtual.clear_faults()
    arm.disconnect(torque_off=False)


@pytest.fixture
def rig(tmp_path):
    rig = Rig(tmp_path / 'follower')
    yield rig
    rig.close()
