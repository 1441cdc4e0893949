"""Damaged, late, repeated packets, noise and echoes: what the driver makes of them."""

import contextlib
import os
import threading
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from virtual_arm import CALIBRATION, CONFIG, HALF_A_TICK, START_RAD

from chefmate_core.errors import BusError
from chefmate_core.servo import registers as reg
from chefmate_core.servo.arm import FeetechArm
from chefmate_core.servo.config import ServoConfig
from chefmate_core.servo.errors import ServoSilentError
from chefmate_core.servo.protocol import packet
from chefmate_sim.virtual_bus import Fault, FaultKind, Faults
from chefmate_sim.virtual_bus.terminal import PseudoTerminal

# A machine that stalls must not look like a lost packet where a test counts them.
ONE_REPLY_DAMAGED = [FaultKind.DROP, FaultKind.CORRUPT, FaultKind.TRUNCATE, FaultKind.NOISE]


@pytest.mark.parametrize('seed', range(20))
def test_any_number_of_faults_may_strike_one_reply(seed):
    faults = Faults(seed)
    for kind in FaultKind:
        for _ in range(3):
            faults.add(Fault(kind))
    faults.apply(1, packet(1, 0, b'abc'))
    for _ in range(30):
        faults.apply(1, packet(1, 0, b'abc'))
    assert not faults.is_active
    assert set(faults.done.values()) == {3}


@pytest.mark.parametrize('kind', ONE_REPLY_DAMAGED)
@pytest.mark.parametrize('servo_id', [1, 4, 6])
def test_one_damaged_reply_is_asked_for_again_alone(arm, virtual, kind, servo_id):
    virtual.faults.add(Fault(kind, servo_id))
    requests, replies = arm.statistics.requests, arm.statistics.replies
    reading = arm.read()
    assert virtual.faults.done[kind] == 1
    assert reading.ok
    np.testing.assert_allclose(reading.position_rad, START_RAD, atol=HALF_A_TICK)
    # Six good replies in all: the five others were not asked twice.
    assert arm.statistics.replies - replies == 6
    assert arm.statistics.requests - requests in (1, 2)
    assert arm.statistics.missed_by_id == {}


def test_a_corrupt_reply_is_counted_and_retried(arm, virtual):
    virtual.faults.add(Fault(FaultKind.DROP, 2))
    assert arm.read().ok
    assert arm.statistics.retries == 1
    assert arm.statistics.timeouts == 1
    for _ in range(20):
        virtual.faults.add(Fault(FaultKind.CORRUPT, 2))
        assert arm.read().ok
    counters = arm.statistics
    assert counters.retries == 21
    assert counters.checksum_errors > 0
    assert counters.garbage_bytes > 0


def test_a_duplicated_reply_does_no_harm(arm, virtual):
    virtual.faults.add(Fault(FaultKind.DUPLICATE, 3))
    reading = arm.read()
    assert reading.ok
    np.testing.assert_allclose(reading.position_rad, START_RAD, atol=HALF_A_TICK)
    assert arm.statistics.unexpected_replies == 1
    assert arm.read().ok


def test_a_line_that_never_falls_silent_is_given_up(tmp_path):
    """A GPS receiver behind the port, say."""
    terminal = PseudoTerminal(tmp_path / 'gps')
    ends = threading.Event()

    def babble():
        while not ends.wait(0.002):
            os.write(terminal.fd, b'$GPGGA')

    talker = threading.Thread(target=babble)
    talker.start()
    try:
        with pytest.raises(ServoSilentError, match='no servo answers'):
            FeetechArm(terminal.path, CALIBRATION, ServoConfig(register_retries=0)).connect()
    finally:
        ends.set()
        talker.join()
        terminal.close()


def test_a_late_reply_about_torque_never_passes_for_a_position(virtual):
    impatient = FeetechArm(virtual.port, CALIBRATION, ServoConfig(acceleration=0))
    impatient.connect()
    for _ in range(10):
        virtual.faults.add(Fault(FaultKind.LATE, 1, delay_s=0.015))
        with contextlib.suppress(BusError):
            impatient.torque_enabled()
        for _ in range(4):
            seen = impatient.read().position_rad
            np.testing.assert_allclose(seen, START_RAD, atol=HALF_A_TICK)
    assert virtual.faults.done[FaultKind.LATE] == 10
    impatient.disconnect(torque_off=False)


def test_a_late_reply_never_passes_for_the_next_answer(arm, virtual, model):
    # Later than both the first wait and the retry's.
    virtual.faults.add(Fault(FaultKind.LATE, 1, delay_s=0.5))
    first = arm.read()
    assert not first.ok
    moved = START_RAD + 0.3
    model.place(moved)
    virtual.faults.clear()
    time.sleep(1.0)  # until the late answers lie in the port
    for _ in range(50):
        reading = arm.read()
        if reading.ok:
            break
    assert reading.ok
    # The answers that were under way when the arm moved are used up after a read or two; from
    # then on every answer is of its own cycle.
    arm.read()
    model.place(moved + 0.1)
    np.testing.assert_allclose(arm.read().position_rad, moved + 0.1, atol=HALF_A_TICK)
    assert arm.statistics.stale_bytes > 0


def test_a_position_that_no_encoder_can_have_is_a_miss(arm, virtual):
    servo = virtual.servos[0]
    measure = servo.measure

    def overflow(*arguments):
        measure(*arguments)
        servo.memory.set(reg.PRESENT_POSITION, 5000)

    servo.measure = overflow
    reading = arm.read()
    assert not reading.ok
    assert reading.position_rad[0] == pytest.approx(START_RAD[0], abs=HALF_A_TICK)
    assert arm.statistics.implausible_values == 1
    servo.measure = measure
    assert arm.read().ok


def test_steady_noise_is_survived_and_no_wrong_position_is_ever_shown(arm, virtual):
    for kind in ONE_REPLY_DAMAGED:
        virtual.faults.add(Fault(kind, count=None, probability=0.03))
    fresh = 0
    for _ in range(150):
        try:
            reading = arm.read()
        except ServoSilentError:
            continue
        np.testing.assert_allclose(reading.position_rad, START_RAD, atol=HALF_A_TICK)
        fresh += reading.ok
    assert fresh > 75
    assert sum(virtual.faults.done.values()) > 50
    virtual.faults.clear()
    arm.read()
    assert arm.read().ok


def test_connect_and_configure_get_through_noise(virtual):
    for kind in ONE_REPLY_DAMAGED:
        virtual.faults.add(Fault(kind, count=None, probability=0.02))
    arm = FeetechArm(virtual.port, CALIBRATION, CONFIG)
    arm.connect()
    arm.configure()
    arm.set_torque(True)
    virtual.faults.clear()
    assert arm.torque_enabled().all()
    assert virtual.servos[5].memory.get(reg.PROTECTION_CURRENT) == 250
    arm.disconnect(torque_off=True)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(st.sampled_from([*ONE_REPLY_DAMAGED, FaultKind.DUPLICATE]), st.integers(1, 6)),
        max_size=5,
    )
)
@example([(FaultKind.TRUNCATE, 2)] * 5)  # once ended the bus's thread
def test_whatever_strikes_one_cycle_a_fresh_reading_is_a_true_one(arm, virtual, strikes):
    for kind, servo_id in strikes:
        virtual.faults.add(Fault(kind, servo_id))
    reading = arm.read()
    np.testing.assert_allclose(reading.position_rad, START_RAD, atol=HALF_A_TICK)
    virtual.faults.clear()
    arm.read()
    assert arm.read().ok


def test_an_adapter_that_echoes_is_understood(virtual, model):
    virtual.faults.echo = True
    arm = FeetechArm(virtual.port, CALIBRATION, CONFIG)
    arm.connect()
    arm.configure()
    arm.set_torque(True)
    for _ in range(10):
        reading = arm.read()
        assert reading.ok
        np.testing.assert_allclose(reading.position_rad, START_RAD, atol=HALF_A_TICK)
        arm.write_goal(START_RAD)
    assert arm.statistics.unexpected_replies > 0
    arm.disconnect(torque_off=True)
    np.testing.assert_allclose(model.position_rad(), START_RAD, atol=HALF_A_TICK)


def test_an_echo_does_not_stand_in_for_a_dead_servo(virtual):
    virtual.faults.echo = True
    virtual.faults.kill(4)
    arm = FeetechArm(virtual.port, CALIBRATION, CONFIG)
    with pytest.raises(ServoSilentError, match=r'wrist_flex \(id 4\)'):
        arm.connect()


def test_a_servo_with_low_voltage_is_not_taken_for_an_echo(virtual):
    virtual.servos[0].voltage_v = 3.0  # its pong has the very bytes of the ping
    arm = FeetechArm(virtual.port, CALIBRATION, CONFIG)
    arm.connect()
    assert arm.read(with_health=True).health.status_bits[0] == reg.STATUS_VOLTAGE
    arm.disconnect(torque_off=False)
