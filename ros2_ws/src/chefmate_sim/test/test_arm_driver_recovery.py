"""A bus, a joint or the torque is lost, and what the arm does when it is back."""

import pytest
from driver_rig import Rig
from virtual_arm import until

from chefmate_core.diagnosis import Level
from chefmate_core.driver.arm_driver import DriverState
from chefmate_core.driver.report import diagnose
from chefmate_core.errors import BusError
from chefmate_core.safety.gate import Mode
from chefmate_core.servo.registers import TORQUE_ENABLE


def test_a_port_that_is_not_there_is_named_at_start(tmp_path):
    rig = Rig(tmp_path / 'follower')
    rig.bus.close()
    with pytest.raises(BusError, match='follower'):
        rig.driver.start()


def test_a_pulled_plug_is_survived_and_the_arm_holds_where_it_is_after_the_return(rig):
    rig.driver.start()
    rig.driver.engage()
    rig.stream([0.4] * 6, 1.0)
    rig.bus.hang_up()
    until(lambda: rig.driver.state is DriverState.LOST)
    rig.command([1.0] * 6)
    assert diagnose(rig.driver).level is Level.ERROR
    with pytest.raises(BusError):
        rig.driver.engage()
    rig.bus.plug_in()
    until(lambda: rig.driver.state is DriverState.DRIVING)
    here = rig.model.position_rad()
    count = len(rig.setpoints)
    until(lambda: len(rig.setpoints) > count + 20)
    assert rig.setpoints[-1].position_rad == pytest.approx(here, abs=0.01)
    assert rig.driver.gate.mode is Mode.HOLDING
    rig.stream([0.2] * 6, 1.5)
    assert rig.model.position_rad() == pytest.approx([0.2] * 6, abs=0.02)


def test_a_silent_joint_pauses_the_arm_and_it_goes_on_by_a_blend(rig):
    rig.driver.start()
    rig.driver.engage()
    rig.stream([1.2] * 6, 0.6)
    blends = rig.driver.gate.counters['blends']
    rig.bus.faults.kill(3)
    until(lambda: rig.driver.counters['pauses'] == 1)
    written = len(rig.setpoints)
    assert rig.driver.state is DriverState.DRIVING
    rig.bus.faults.revive(3)
    rig.stream([1.2] * 6, 0.3)
    assert len(rig.setpoints) > written
    assert rig.driver.gate.counters['blends'] > blends
    rig.stream([1.2] * 6, 3.0)
    assert rig.model.position_rad() == pytest.approx([1.2] * 6, abs=0.02)


def test_servos_that_lost_their_torque_are_noticed_and_held_again_where_they_are(rig):
    rig.driver.start()
    rig.driver.engage()
    rig.stream([0.5] * 6, 0.5)
    rig.bus.servos[2].power_on()  # a cut so short that no packet was missed
    assert not rig.bus.servos[2].memory.get(TORQUE_ENABLE)
    until(lambda: rig.bus.servos[2].memory.get(TORQUE_ENABLE))
    until(lambda: rig.driver.state is DriverState.DRIVING)
    assert rig.driver.counters['bus_lost'] == 1
    assert 'elbow_flex lost torque' in rig.driver.last_error
    rig.stream([0.5] * 6, 2.5)
    assert rig.model.position_rad() == pytest.approx([0.5] * 6, abs=0.02)


def test_torque_that_could_not_be_turned_on_does_not_come_on_by_itself_after_a_reconnect(rig):
    rig.driver.start()
    until(lambda: rig.readings)
    rig.bus.hang_up()
    until(lambda: rig.driver.state is DriverState.LOST)
    with pytest.raises(BusError):
        rig.driver.engage()
    rig.bus.plug_in()
    until(lambda: rig.driver.state is not DriverState.LOST)
    count = len(rig.readings)
    until(lambda: len(rig.readings) > count + 10)
    assert rig.driver.state is DriverState.MONITORING
    assert not rig.torque()


def test_torque_that_was_released_while_the_bus_was_lost_is_off_after_its_return(rig):
    rig.driver.start()
    rig.driver.engage()
    rig.bus.hang_up()
    until(lambda: rig.driver.state is DriverState.LOST)
    rig.driver.release()
    assert rig.torque()
    rig.bus.plug_in()
    until(lambda: rig.driver.state is DriverState.MONITORING)
    until(lambda: not rig.torque())
