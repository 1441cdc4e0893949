"""A servo that does not answer: what the driver shows, says, and does with the others."""

import numpy as np
import pytest
from virtual_arm import CALIBRATION, CONFIG, HALF_A_TICK, START_RAD

from chefmate_core.errors import BusError
from chefmate_core.servo import registers as reg
from chefmate_core.servo.errors import ServoSilentError


def test_a_dead_servo_keeps_its_last_value_and_ages_while_the_others_go_on(arm, virtual, model):
    assert arm.read().ok
    virtual.faults.kill(3)
    model.place(START_RAD + 0.2)
    first = arm.read()
    second = arm.read()
    for reading in (first, second):
        assert not reading.ok
        assert reading.position_rad[2] == pytest.approx(START_RAD[2], abs=HALF_A_TICK)
        others = [0, 1, 3, 4, 5]
        np.testing.assert_allclose(
            reading.position_rad[others], START_RAD[others] + 0.2, atol=HALF_A_TICK
        )
        assert np.all(reading.age_s[others] == 0.0)
    assert 0.0 < first.age_s[2] < second.age_s[2]
    assert arm.statistics.missed_by_id == {3: 2}
    assert arm.statistics.as_dict((1, 3))['missed_by_servo_3'] == 2
    assert arm.statistics.as_dict((1, 3))['missed_by_servo_1'] == 0


def test_misses_are_bounded_and_the_error_names_the_joint(arm, virtual):
    virtual.faults.kill(3)
    for _ in range(CONFIG.max_misses):
        assert not arm.read().ok
    with pytest.raises(ServoSilentError, match=r'elbow_flex \(id 3') as caught:
        arm.read()
    assert 'shoulder' not in str(caught.value)
    assert isinstance(caught.value, BusError)


def test_a_servo_that_comes_back_in_time_is_forgiven(arm, virtual):
    for _ in range(3):
        virtual.faults.kill(6)
        for _ in range(CONFIG.max_misses):
            assert not arm.read().ok
        virtual.faults.revive(6)
        reading = arm.read()
        assert reading.ok
        assert np.all(reading.age_s == 0.0)


def test_a_dead_servo_does_not_keep_goals_from_the_others(arm, virtual):
    arm.set_torque(True)
    virtual.faults.kill(3)
    arm.write_goal(START_RAD + 0.1)
    arm.read()
    goals = CALIBRATION.rad_to_goal_ticks(START_RAD + 0.1)
    for index in (0, 1, 3, 4, 5):
        assert virtual.servos[index].memory.get(reg.GOAL_POSITION) == goals[index]
    assert virtual.servos[2].memory.get(reg.GOAL_POSITION) != goals[2]


def test_torque_is_not_switched_on_from_a_failed_read(arm, virtual):
    for servo in virtual.servos:
        servo.memory.set(reg.GOAL_POSITION, 2048)
    virtual.faults.kill(2)
    with pytest.raises(ServoSilentError):
        arm.set_torque(True)
    virtual.faults.clear()
    assert not arm.torque_enabled().any()


def test_torque_off_reaches_the_servos_that_live(arm, virtual):
    arm.set_torque(True)
    virtual.faults.kill(2)
    with pytest.raises(ServoSilentError, match='servo 2'):
        arm.set_torque(False)
    enabled = [servo.memory.get(reg.TORQUE_ENABLE) for servo in virtual.servos]
    assert enabled == [0, 1, 0, 0, 0, 0]
