"""A driver engages an arm, moves it as it is commanded, and holds it."""

import dataclasses
import time

import numpy as np
import pytest
from driver_rig import CAREFUL, Rig
from virtual_arm import CALIBRATION, until

from chefmate_core.diagnosis import Level
from chefmate_core.driver.report import diagnose
from chefmate_core.safety.gate import Mode
from chefmate_core.servo.registers import GOAL_VELOCITY


def test_before_it_is_engaged_the_arm_is_read_and_nothing_is_written(rig):
    rig.driver.start()
    rig.command([1.0] * 6)
    until(lambda: len(rig.readings) > 20)
    assert rig.readings[-1].position_rad == pytest.approx([0.2] * 6, abs=0.002)
    assert rig.setpoints == []
    assert rig.driver.gate.counters['refused_inactive'] == 1
    assert diagnose(rig.driver).level is Level.OK


def test_engaging_does_not_move_the_arm(rig):
    rig.driver.start()
    rig.driver.engage()
    until(lambda: len(rig.setpoints) > 30)
    positions = np.array([reading.position_rad for reading in rig.readings])
    assert np.ptp(positions, axis=0) == pytest.approx(np.zeros(6), abs=0.004)


def test_a_joint_a_little_outside_its_range_comes_in_slowly_when_torque_comes_on(tmp_path):
    joints = list(CALIBRATION.joints)
    roll = joints[4]
    joints[4] = dataclasses.replace(
        roll, range_min=roll.range_min + 200, range_max=roll.range_max - 200
    )
    narrow = dataclasses.replace(CALIBRATION, joints=tuple(joints))
    rig = Rig(tmp_path / 'follower', calibration=narrow)
    try:
        start = np.full(6, 0.2)
        start[4] = narrow.upper_limits_rad[4] + 0.08  # 4.6 degrees
        rig.model.place(start)
        rig.driver.start()
        until(lambda: rig.readings)
        fastest, inner = [0.0], rig.bus.servos[4].measure

        def spy(position_rad, velocity_rad_s, load):
            fastest[0] = max(fastest[0], abs(velocity_rad_s))
            inner(position_rad, velocity_rad_s, load)

        rig.bus.servos[4].measure = spy
        rig.driver.engage()
        until(lambda: len(rig.setpoints) > 10)
        here = rig.readings[-1].position_rad[4]
        assert here <= narrow.upper_limits_rad[4] + 0.005
        assert 0.1 < fastest[0] <= CAREFUL.blend_velocity_rad_s[4]
        assert rig.bus.servos[4].memory.get(GOAL_VELOCITY) == 0
        rig.stream([0.2] * 4 + [here - 0.3, 0.2], 2.0)
        assert rig.model.position_rad()[4] == pytest.approx(here - 0.3, abs=0.02)
    finally:
        rig.close()


def test_engaging_an_arm_that_moves_changes_nothing(rig):
    rig.driver.start()
    rig.driver.engage()
    rig.stream([1.2] * 6, 0.5)
    rig.driver.engage()
    assert rig.driver.gate.mode is Mode.BLENDING
    assert np.all(rig.setpoints[-1].velocity_rad_s[:5] > 0.4)


def test_a_stream_of_commands_moves_the_arm_there(rig):
    rig.driver.start()
    rig.driver.engage()
    goal = [0.5, -0.3, 0.4, 0.0, -0.2, 0.6]
    rig.stream(goal, 2.5)
    assert rig.model.position_rad() == pytest.approx(goal, abs=0.02)
    assert rig.driver.gate.counters['accepted'] > 50


def test_silence_of_the_commander_is_a_hold(rig):
    rig.driver.start()
    rig.driver.engage()
    rig.stream([0.5] * 6, 0.3)
    until(lambda: rig.setpoints[-1].mode is Mode.HOLDING)
    until(lambda: not np.any(rig.setpoints[-1].velocity_rad_s))
    held = rig.model.position_rad()
    time.sleep(0.2)
    assert rig.model.position_rad() == pytest.approx(held, abs=0.01)
    assert rig.driver.gate.counters['starvations'] == 1
