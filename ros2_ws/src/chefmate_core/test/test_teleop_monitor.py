"""Latency and tracking error as teleoperation reports them."""

import numpy as np
import pytest

from chefmate_core.motion.goal import JointGoal
from chefmate_core.teleop.follower import TeleopCommand
from chefmate_core.teleop.monitor import TeleopMonitor


def command(stamp_s, position):
    return TeleopCommand(JointGoal(np.full(6, position), np.zeros(6)), stamp_s, 'leader#1')


def test_latency_is_from_the_reading_to_the_setpoint_that_went_on_the_wire():
    monitor = TeleopMonitor()
    for index in range(50):
        stamp_s = 100.0 + 0.01 * index
        monitor.sent(command(stamp_s, 0.01 * index), stamp_s + 0.002)
        monitor.applied(np.full(6, 0.01 * index), stamp_s + 0.008)
    values = monitor.values()
    assert values['command_age_p50_ms'] == pytest.approx(2.0, abs=1e-3)
    assert values['latency_p50_ms'] == pytest.approx(8.0, abs=1e-3)
    assert monitor.latencies.count == 45  # all but those before there was a speed


def test_a_setpoint_between_two_commands_is_dated_between_them():
    monitor = TeleopMonitor()
    for index in range(20):
        monitor.sent(command(100.0 + 0.01 * index, 0.01 * index), 100.0 + 0.01 * index)
    monitor.applied(np.full(6, 0.185), 100.195)  # half a step behind the newest
    assert monitor.values()['latency_p50_ms'] == pytest.approx(10.0, abs=1e-3)


def test_a_hand_that_stands_and_a_setpoint_from_elsewhere_tell_no_latency():
    monitor = TeleopMonitor()
    for index in range(20):
        monitor.sent(command(100.0 + 0.01 * index, 0.5), 100.0 + 0.01 * index)
        monitor.applied(np.full(6, 0.5), 100.005 + 0.01 * index)
    assert monitor.latencies.count == 0
    for index in range(20):
        monitor.sent(command(101.0 + 0.01 * index, 0.5 + 0.01 * index), 101.0 + 0.01 * index)
    monitor.applied(np.full(6, -1.0), 101.3)  # a blend, still on its way
    assert monitor.latencies.count == 0


def test_the_error_of_each_joint_is_told_and_an_unread_joint_counts_for_nothing():
    monitor = TeleopMonitor()
    for _ in range(10):
        position = np.array([0.1, -0.2, np.nan, 0.0, 0.0, 0.0])
        monitor.measured(position, np.zeros(6))
    values = monitor.values()
    assert values['shoulder_pan_error_rms_rad'] == pytest.approx(0.1)
    assert values['shoulder_lift_error_max_rad'] == pytest.approx(0.2)
    assert values['elbow_flex_error_max_rad'] == 0.0


def test_without_any_command_there_are_no_latencies():
    assert 'latency_p99_ms' not in TeleopMonitor().values()
