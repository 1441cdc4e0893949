"""The loop itself: what stands still, fails, or is asked and not answered in time."""

import threading

import pytest
from virtual_arm import until

from chefmate_core.diagnosis import Level
from chefmate_core.driver.arm_driver import DriverState
from chefmate_core.driver.report import diagnose
from chefmate_core.errors import BusError
from chefmate_core.safety.gate import Mode


def hold_up(driver):
    """Return when the loop stands still; it goes on when the returned event is set."""
    held, may_go_on = threading.Event(), threading.Event()

    def hold(reading):
        held.set()
        may_go_on.wait(10.0)

    driver._on_reading = hold
    assert held.wait(10.0)
    return may_go_on


def test_a_loop_that_stands_still_is_an_error_in_the_diagnostics(rig):
    rig.driver.start()
    rig.driver.engage()
    until(lambda: rig.readings)
    assert diagnose(rig.driver).level is not Level.ERROR
    may_go_on = hold_up(rig.driver)
    until(lambda: diagnose(rig.driver).level is Level.ERROR)
    assert 'the loop has stood for' in diagnose(rig.driver).message
    rig.driver._on_reading = rig.readings.append
    may_go_on.set()
    until(lambda: diagnose(rig.driver).level is not Level.ERROR)


def test_a_bug_in_the_loop_is_a_failure_that_is_told_and_not_a_silent_end(rig):
    rig.driver.start()
    rig.driver.engage()
    until(lambda: rig.setpoints)

    def fail(reading):
        raise RuntimeError('the publisher is gone')

    rig.driver._on_reading = fail
    until(lambda: rig.driver.state is DriverState.FAILED)
    assert 'the publisher is gone' in str(rig.driver.failure)
    assert diagnose(rig.driver).level is Level.ERROR
    assert 'the publisher is gone' in diagnose(rig.driver).message
    with pytest.raises(BusError, match='the publisher is gone'):
        rig.driver.engage()


def test_a_bug_in_a_request_is_told_to_who_asked_and_the_loop_goes_on(rig):
    def fail(active):
        raise RuntimeError('the publisher is gone')

    rig.driver.start()
    rig.driver.engage()
    rig.driver._on_estop = fail
    with pytest.raises(RuntimeError, match='the publisher is gone'):
        rig.driver.set_estop(True)
    count = len(rig.readings)
    until(lambda: len(rig.readings) > count + 5)
    assert rig.driver.estopped


def test_a_request_that_was_given_up_is_not_carried_out_later(rig, monkeypatch):
    rig.driver.start()
    until(lambda: rig.readings)
    monkeypatch.setattr('chefmate_core.driver.requests.TIMEOUT_S', 0.1)
    may_go_on = hold_up(rig.driver)
    with pytest.raises(BusError, match='did not'):
        rig.driver.engage()
    rig.driver._on_reading = rig.readings.append
    may_go_on.set()
    count = len(rig.readings)
    until(lambda: len(rig.readings) > count + 10)
    assert rig.driver.state is DriverState.MONITORING
    assert not rig.torque()


def test_an_emergency_stop_that_was_not_answered_in_time_is_latched_all_the_same(rig, monkeypatch):
    rig.driver.start()
    rig.driver.engage()
    until(lambda: rig.setpoints)
    monkeypatch.setattr('chefmate_core.driver.requests.TIMEOUT_S', 0.1)
    may_go_on = hold_up(rig.driver)
    with pytest.raises(BusError):
        rig.driver.set_estop(True)
    rig.driver._on_reading = rig.readings.append
    may_go_on.set()
    until(lambda: rig.driver.gate.mode is Mode.ESTOPPED)
