"""What the gate makes of its servos' health."""

import math

import numpy as np
import pytest
from gate_bench import CONFIG, PERIOD_S, Bench, assert_within_caps, telemetry

from chefmate_core.joints import GRIPPER, JOINT_COUNT
from chefmate_core.safety.gate import Mode
from chefmate_core.safety.health import StopPersistsError


def heat(bench, temperature_c, seconds=1.3):
    bench.health = telemetry(temperature_c)
    bench.stream(lambda t: [1.5 * math.sin(t)] * 6, seconds)


def test_a_hot_servo_first_slows_the_arm_and_then_stops_it_within_the_caps():
    bench = Bench()
    bench.stream(lambda t: [1.5 * math.sin(t)] * 6, 1.0)
    heat(bench, 61.0)
    begun = len(bench.trace)
    bench.stream(lambda t: [1.5 * math.sin(t)] * 6, 4.0)
    velocity = np.diff(np.array(bench.trace[begun:]), axis=0) / PERIOD_S
    half = CONFIG.max_velocity_rad_s * CONFIG.health.derate_speed
    assert np.all(np.abs(velocity) <= half + 1e-9)
    assert bench.gate.mode is Mode.FOLLOWING
    heat(bench, 66.0)
    assert bench.gate.mode is Mode.ESTOPPED
    assert 'temperature 66 C' in bench.gate.stop_reason
    assert bench.gate.counters['health_derate'] == bench.gate.counters['health_stop'] == 1
    assert_within_caps(bench.trace)


def test_a_stop_for_a_servos_health_is_latched_and_released_only_when_its_cause_is_gone():
    bench = Bench()
    heat(bench, 66.0, seconds=3.0)
    assert bench.gate.mode is Mode.ESTOPPED
    with pytest.raises(StopPersistsError, match=r'temperature 66 C, above 65: stop.*Remove'):
        bench.gate.release_estop()
    assert bench.gate.mode is Mode.ESTOPPED
    heat(bench, 40.0)
    assert bench.gate.mode is Mode.ESTOPPED, 'cool again, and still latched'
    bench.gate.release_estop()
    assert bench.gate.mode is Mode.HOLDING


def test_an_arm_that_is_activated_with_an_unhealthy_servo_stops_at_once():
    bench = Bench()
    bench.gate.deactivate()
    for tenth in range(20):
        bench.gate.observe(telemetry(66.0), np.zeros(JOINT_COUNT), bench.now_s + 0.1 * tenth)
    bench.gate.activate(bench.position, bench.now_s + 2.0)
    bench.health = telemetry(66.0)
    assert bench.step(period_s=2.01).mode is Mode.ESTOPPED


def test_an_arm_that_does_not_follow_is_stopped_and_let_go_where_it_is():
    bench = Bench()
    blocked = np.zeros(JOINT_COUNT)
    for _ in range(300):
        bench.send([1.0] * 6)
        bench.step(measured=blocked)
    assert bench.gate.mode is Mode.ESTOPPED
    assert 'following error' in bench.gate.stop_reason
    end = bench.step(300, measured=blocked).position_rad
    assert end[:GRIPPER] == pytest.approx([0.0] * 5, abs=1e-6), 'it does not go on pushing'
    assert end[GRIPPER] > 0.5, 'but keeps its grip'
    assert_within_caps(bench.trace)
    bench.gate.release_estop()  # its cause has ended: the arm stands where it is


def test_a_gripper_that_presses_for_long_is_eased_and_the_setpoint_stays():
    bench = Bench()
    setpoint = bench.step()
    assert setpoint.gripper_torque is None
    bench.health = telemetry(gripper_load=-0.5)
    setpoint = bench.step(250)
    assert setpoint.gripper_torque == CONFIG.health.grip_eased_torque
    assert bench.gate.counters['grips_eased'] == 1
    assert np.all(setpoint.position_rad == 0.0)


def test_an_arm_without_telemetry_goes_on_slowly():
    bench = Bench()
    bench.health = None
    bench.stream(lambda t: [1.5 * math.sin(t)] * 6, 6.0)
    assert bench.gate.counters['health_derate'] == 1
    begun = len(bench.trace)
    bench.stream(lambda t: [1.5 * math.sin(t)] * 6, 3.0)
    velocity = np.diff(np.array(bench.trace[begun:]), axis=0) / PERIOD_S
    half = CONFIG.max_velocity_rad_s * CONFIG.health.derate_speed
    assert np.all(np.abs(velocity) <= half + 1e-9)
