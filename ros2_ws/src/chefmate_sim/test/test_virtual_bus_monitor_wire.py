"""The monitor at the servos: what a driver writes, in whatever way, is seen with its time."""

import numpy as np
import pytest
from driver_rig import CAREFUL
from elbow_monitor import PERIOD_S
from virtual_arm import CALIBRATION, ELBOW

from chefmate_core.joints import JOINT_NAMES
from chefmate_core.servo import registers as reg
from chefmate_core.servo.arm import FeetechArm
from chefmate_core.servo.protocol import BROADCAST_ID, Frame, Instruction
from chefmate_sim.virtual_bus import FirstOrderArm, VirtualServoBus
from chefmate_sim.virtual_bus.joint_monitor import Rule
from chefmate_sim.virtual_bus.monitor import BusMonitor


@pytest.fixture
def rig(clock):
    model = FirstOrderArm(np.full(6, 0.2), clock=clock)
    with VirtualServoBus(model, CALIBRATION) as bus:
        monitor = BusMonitor(CALIBRATION, CAREFUL, PERIOD_S, clock=clock)
        monitor.watch(bus, model)
        arm = FeetechArm(bus.port, CALIBRATION, clock=clock)
        arm.connect()
        yield arm, bus, model, monitor, clock
        arm.disconnect(torque_off=False)


def test_sync_writes_of_a_driver_are_seen_with_their_time(rig):
    arm, _, _, monitor, clock = rig
    arm.set_torque(True)
    clock.now_s += 1.0
    arm.write_goal(np.full(6, 0.2))
    arm.read()  # answered after the goals were taken
    monitor.assert_clean()
    clock.now_s += PERIOD_S
    arm.write_goal(np.full(6, 0.4))
    arm.read()
    assert {violation.joint for violation in monitor.violations} == set(JOINT_NAMES)
    assert {violation.time_s for violation in monitor.violations} == {1.0 + PERIOD_S}


def test_single_writes_and_delayed_writes_are_seen_too(rig):
    arm, bus, _, monitor, _ = rig
    arm.set_torque(True)
    servo = bus.servos[ELBOW]
    before = monitor.counters['goals']
    far = reg.GOAL_POSITION.encode(3000)
    servo.execute(Frame(servo.servo_id, Instruction.REG_WRITE, bytes((42,)) + far))
    assert monitor.counters['goals'] == before
    servo.execute(Frame(BROADCAST_ID, Instruction.ACTION, b''))
    assert monitor.counters['goals'] == before + 1
    first = monitor.violation_count
    assert first
    servo.execute(Frame(servo.servo_id, Instruction.WRITE, bytes((42,)) + far))
    servo.execute(Frame(servo.servo_id, Instruction.WRITE, bytes((43, 0))))
    assert monitor.counters['goals'] == before + 3
    assert monitor.violation_count > first


def test_torque_switched_on_after_the_arm_was_moved_by_hand_is_seen(rig):
    arm, bus, model, monitor, _ = rig
    arm.set_torque(True)
    arm.set_torque(False)
    model.place(np.full(6, 0.5))
    bus.servos[ELBOW].execute(Frame(3, Instruction.WRITE, bytes((40, 1))))
    assert [violation.rule for violation in monitor.violations] == [Rule.TORQUE_ON]


def test_after_a_power_cut_torque_on_counts_as_one_again(rig):
    arm, bus, _, monitor, _ = rig
    arm.set_torque(True)
    bus.hang_up(power_lost=True)
    bus.plug_in()
    servo = bus.servos[ELBOW]
    servo.execute(Frame(3, Instruction.WRITE, bytes((40, 1))))
    assert monitor.counters['torque_ons'] == 7
    assert monitor.counters['torque_losses'] == 1
    monitor.assert_clean()  # the goal is where the joint is: a servo starts so
