"""Requests that do not reach the servos as they were sent: what the servos do, what the driver."""

import time

import numpy as np
import pytest
from virtual_arm import CALIBRATION, CONFIG, HALF_A_TICK, START_RAD

from chefmate_core.servo import registers as reg
from chefmate_core.servo.arm import FeetechArm
from chefmate_core.servo.bus import ServoBus
from chefmate_core.servo.errors import ServoSilentError
from chefmate_sim.virtual_bus import Fault, FaultKind, Traffic

BROKEN = [FaultKind.DROP, FaultKind.CORRUPT, FaultKind.TRUNCATE]


def strike(bus, kind, servo_id=None, **options):
    bus.faults.add(Fault(kind, servo_id, traffic=Traffic.REQUESTS, **options))


def goals(virtual):
    return [servo.memory.get(reg.GOAL_POSITION) for servo in virtual.servos]


@pytest.mark.parametrize('kind', BROKEN)
def test_a_request_that_no_servo_understands_is_sent_again(arm, virtual, kind):
    strike(virtual, kind)
    reading = arm.read()
    assert virtual.faults.done[kind] == 1
    assert reading.ok
    np.testing.assert_allclose(reading.position_rad, START_RAD, atol=HALF_A_TICK)
    assert arm.statistics.retries == 1
    assert arm.statistics.timeouts == 1


@pytest.mark.parametrize('kind', BROKEN)
def test_a_request_that_one_servo_mishears_is_repeated_for_it_alone(arm, virtual, kind):
    strike(virtual, kind, 4)
    replies = arm.statistics.replies
    assert arm.read().ok
    assert virtual.faults.done[kind] == 1
    assert arm.statistics.retries == 1
    assert arm.statistics.replies - replies == 6


@pytest.mark.parametrize('servo_id', [None, 2])
@pytest.mark.parametrize('kind', [FaultKind.NOISE, FaultKind.LATE])
def test_noise_and_delay_before_a_request_do_no_harm(arm, virtual, kind, servo_id):
    strike(virtual, kind, servo_id)
    assert arm.read().ok
    assert virtual.faults.done[kind] == 1
    assert arm.statistics.retries == 0


@pytest.mark.parametrize('servo_id', [None, 2])
def test_a_request_heard_twice_is_answered_twice_and_counted_once(arm, virtual, servo_id):
    strike(virtual, FaultKind.DUPLICATE, servo_id)
    reading = arm.read()
    assert reading.ok
    np.testing.assert_allclose(reading.position_rad, START_RAD, atol=HALF_A_TICK)
    time.sleep(0.2)  # until the second answers lie in the port
    assert arm.read().ok
    counters = arm.statistics
    assert counters.unexpected_replies + counters.stale_bytes > 0


def test_a_servo_that_mishears_a_goal_keeps_the_last_one(arm, virtual):
    arm.set_torque(True)
    before = goals(virtual)
    strike(virtual, FaultKind.CORRUPT, 3)
    arm.write_goal(START_RAD + 0.1)
    arm.read()
    wanted = CALIBRATION.rad_to_goal_ticks(START_RAD + 0.1).tolist()
    wanted[2] = before[2]
    assert goals(virtual) == wanted


def test_a_goal_that_all_mishear_moves_nobody(arm, virtual):
    arm.set_torque(True)
    before = goals(virtual)
    for kind in BROKEN:
        strike(virtual, kind)
        arm.write_goal(START_RAD + 0.1)
        arm.read()
        assert goals(virtual) == before


def test_a_fault_in_one_ear_does_not_strike_requests_for_others(virtual):
    bus = ServoBus(virtual.port, CONFIG)
    bus.open()
    strike(virtual, FaultKind.DROP, 5, count=None)
    for servo_id in (1, 2, 3, 4, 6):
        assert bus.read(servo_id, reg.SERVO_ID) == servo_id
    assert virtual.faults.done[FaultKind.DROP] == 0
    with pytest.raises(ServoSilentError, match='servo 5'):
        bus.read(5, reg.SERVO_ID)
    assert virtual.faults.done[FaultKind.DROP] == 1 + CONFIG.register_retries
    bus.close()


def test_a_dead_servo_is_not_struck_again(arm, virtual):
    virtual.faults.kill(5)
    strike(virtual, FaultKind.DROP, 5)
    assert not arm.read().ok
    assert virtual.faults.done[FaultKind.DROP] == 0


def test_setting_up_gets_through_noise_in_both_directions(virtual):
    for kind in [*BROKEN, FaultKind.NOISE, FaultKind.DUPLICATE]:
        for traffic in Traffic:
            virtual.faults.add(Fault(kind, count=None, probability=0.01, traffic=traffic))
    arm = FeetechArm(virtual.port, CALIBRATION, CONFIG)
    arm.connect()
    arm.configure()
    arm.set_torque(True)
    virtual.faults.clear()
    assert arm.torque_enabled().all()
    assert virtual.servos[5].memory.get(reg.PROTECTION_CURRENT) == 250
    arm.disconnect(torque_off=True)


def test_without_faults_in_requests_none_is_looked_for(virtual):
    virtual.faults.add(Fault(FaultKind.DROP))
    assert not virtual.faults.strikes_requests
    strike(virtual, FaultKind.DROP)
    assert virtual.faults.strikes_requests
    virtual.faults.apply_to_wire(b'\xff\xff\x01\x02\x01\xfb')
    assert not virtual.faults.strikes_requests
    assert virtual.faults.is_active
