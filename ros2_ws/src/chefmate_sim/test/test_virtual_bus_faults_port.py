"""A port that is pulled and comes back, with or without power, and what is behind it then."""

import threading

import numpy as np
import pytest
from virtual_arm import CALIBRATION, HALF_A_TICK, START_RAD, until

from chefmate_core.calibration import RAD_PER_TICK
from chefmate_core.servo import registers as reg
from chefmate_core.servo.errors import PortLostError, PortMissingError
from chefmate_sim.virtual_bus import VirtualServoBus


def test_an_unplugged_port_is_lost_at_once_in_reads_and_writes(arm, virtual):
    virtual.hang_up()
    with pytest.raises(PortLostError, match='reconnect'):
        arm.read()
    assert not arm.is_connected
    with pytest.raises(PortLostError):
        arm.write_goal(START_RAD)
    assert arm.statistics.port_losses == 1
    with pytest.raises(PortMissingError):
        arm.reconnect()


def test_replugged_the_arm_is_found_again_where_it_is_and_held_there(arm, virtual, model):
    arm.configure()
    arm.set_torque(True)
    for _ in range(2):
        virtual.hang_up()
        with pytest.raises(PortLostError):
            arm.read()
        virtual.plug_in()
        arm.reconnect()
        # The servos were never without power: they hold, and nothing has told them to move.
        assert arm.torque_enabled().all()
        assert arm.read().ok
        arm.set_torque(True)
        np.testing.assert_allclose(model.position_rad(), START_RAD, atol=2 * RAD_PER_TICK)
    assert arm.statistics.reconnects == 2


def test_after_a_power_cut_settings_are_back_torque_is_off_and_nothing_moves(arm, virtual, model):
    arm.configure()
    arm.set_torque(True)
    virtual.hang_up(power_lost=True)
    with pytest.raises(PortLostError):
        arm.read()
    sagged = START_RAD - 0.1
    model.place(sagged)
    virtual.plug_in()
    arm.reconnect()
    assert not arm.torque_enabled().any()
    assert virtual.servos[0].memory.get(reg.ACCELERATION) == 254
    assert virtual.servos[5].memory.get(reg.TORQUE_LIMIT) == 500
    arm.set_torque(True)
    np.testing.assert_allclose(model.position_rad(), sagged, atol=HALF_A_TICK)


def test_another_arm_behind_the_same_name_is_refused_on_reconnect(arm, virtual):
    virtual.hang_up()
    virtual.servos[0].memory.set_lasting(reg.HOMING_OFFSET, 5)
    virtual.plug_in()
    with pytest.raises(ValueError, match=r'shoulder_pan.*homing_offset is 5'):
        arm.reconnect()
    assert not arm.is_connected


@pytest.mark.parametrize('power_lost', [False, True])
def test_a_port_that_hangs_up_for_a_time_is_back_by_itself(arm, virtual, clock, power_lost):
    arm.set_torque(True)
    virtual.hang_up(power_lost, for_s=2.0)
    with pytest.raises(PortLostError):
        arm.read()
    clock.now_s = 1.0
    assert virtual.plugs_in_after_s == 1.0
    assert not virtual.is_plugged_in
    clock.now_s = 2.5
    until(lambda: virtual.is_plugged_in)
    arm.reconnect()
    assert arm.torque_enabled().all() != power_lost


def test_a_port_that_returns_by_itself_is_served_every_time(arm, virtual):
    for _ in range(100):  # once in a few dozen times its thread slept on
        virtual.hang_up(for_s=0.0)
        until(lambda: virtual.is_plugged_in)
        arm.reconnect()
    assert arm.read().ok


def test_a_hang_up_ends_early_when_the_faults_are_cleared(arm, virtual):
    virtual.hang_up(for_s=100.0)
    virtual.clear_faults()
    assert virtual.is_plugged_in
    with pytest.raises(PortLostError):
        arm.read()
    arm.reconnect()
    assert arm.read().ok


def test_a_bus_that_is_to_return_can_be_closed(model, tmp_path):
    before = set(threading.enumerate())
    link = tmp_path / 'port'
    bus = VirtualServoBus(model, CALIBRATION, link)
    bus.hang_up(for_s=0.001)
    bus.close()
    assert not bus.is_plugged_in
    assert not link.exists()
    assert set(threading.enumerate()) <= before
