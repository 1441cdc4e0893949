"""One driver alone, against virtual servos in this process."""

import os

import numpy as np
import pytest
from deployment import ROOT, processes_of
from probe import Probe

from chefmate_core.calibration import ArmCalibration
from chefmate_core.servo.arm import FeetechArm
from chefmate_core.servo.config import ServoConfig
from chefmate_sim.virtual_bus.bus import VirtualServoBus
from chefmate_sim.virtual_bus.model import FirstOrderArm

pytestmark = pytest.mark.system

FOLLOWER = ROOT / 'calibration' / 'follower.json'
LEADER = ROOT / 'calibration' / 'leader.json'
# The servos answer from this process, which a busy machine may keep from running for a moment.
WAITS = 'wait_for_port_s:=60.0'
PATIENT = ServoConfig(reply_timeout_s=1.0, gap_timeout_s=0.1, register_timeout_s=1.0)


@pytest.fixture
def arm(tmp_path):
    """A virtual follower at 0.2 rad."""
    model = FirstOrderArm(np.full(6, 0.2))
    with VirtualServoBus(model, ArmCalibration.load(FOLLOWER), tmp_path / 'port') as bus:
        bus.model = model
        yield bus


def launch(chefmate, port, calibration=FOLLOWER, *arguments):
    return chefmate(
        'launch', 'arm.launch.py', f'port:={port}', f'calibration:={calibration}', *arguments
    )


def test_a_driver_alone_holds_the_arm_and_follows_commands(chefmate, domain, arm):
    command = launch(chefmate, arm.port, FOLLOWER, WAITS)
    with Probe(domain) as probe:
        command.wait_for('torque is on')
        probe.until(lambda: probe.position is not None, what='a setpoint')
        assert probe.position == pytest.approx([0.2] * 6, abs=0.01)

        def arrived():
            probe.command([0.4] * 6)
            return np.allclose(arm.model.position_rad(), 0.4, atol=0.02)

        probe.until(arrived, what='the arm at its goal')
    command.interrupt()
    assert command.wait(20) == 130
    holding = FeetechArm(arm.port, ArmCalibration.load(FOLLOWER), PATIENT)
    holding.connect()
    assert np.all(holding.torque_enabled()), 'the arm holds after Ctrl-C'
    holding.disconnect(torque_off=True)


def test_a_driver_that_may_wait_waits_for_servos_without_power(chefmate, domain, arm):
    for servo_id in range(1, 7):
        arm.faults.kill(servo_id)
    command = launch(chefmate, arm.port, FOLLOWER, WAITS)
    command.wait_for('no servo answers')
    for servo_id in range(1, 7):
        arm.faults.revive(servo_id)
    command.wait_for('torque is on')


def test_nonsense_on_the_command_topic_is_refused_and_the_arm_stays(chefmate, domain, arm):
    command = launch(chefmate, arm.port, FOLLOWER, WAITS)
    with Probe(domain) as probe:
        command.wait_for('torque is on')
        probe.until(lambda: probe.position is not None, what='a setpoint')
        for positions in ([float('nan')] * 6, [float('inf')] * 6, [1e300] * 5):
            for _ in range(20):
                probe.command(positions)
        probe.command([1.0], names=['elbow'])
        probe.assert_stands()
    assert arm.model.position_rad() == pytest.approx([0.2] * 6, abs=0.01)


def test_the_wrong_arms_calibration_is_refused_by_joint(chefmate, domain, arm):
    command = launch(chefmate, arm.port, LEADER, WAITS)
    assert command.wait(30) == 1
    assert 'shoulder_pan' in command.output
    assert 'do not match' in command.output
    assert 'Traceback' not in command.output
    assert processes_of(domain) == {}


def test_an_occupied_port_is_named(chefmate, domain, arm):
    other = FeetechArm(arm.port, ArmCalibration.load(FOLLOWER), PATIENT)
    other.connect()
    command = launch(chefmate, arm.port)
    assert command.wait(30) == 1
    assert str(arm.port) in command.output
    assert 'another' in command.output
    other.disconnect(torque_off=True)


@pytest.mark.skipif(os.geteuid() == 0, reason='root may open every device')
def test_a_port_without_permission_says_which_group(chefmate, tmp_path):
    port = tmp_path / 'port'
    port.touch(mode=0o000)
    command = launch(chefmate, port)
    assert command.wait(30) == 1
    assert 'dialout' in command.output
