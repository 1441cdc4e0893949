import os
import pty
import select
import termios
import threading
import tty

import pytest
from virtual_arm import CALIBRATION, START_RAD

from chefmate_core.calibrating.probing import Answer, probe
from chefmate_core.calibrating.scan import BAUD_RATES, candidate_ports, scan
from chefmate_core.calibrating.set_id import ServoIdError, set_id
from chefmate_core.servo import registers as reg
from chefmate_core.servo.bus import ServoBus
from chefmate_core.servo.config import ServoConfig
from chefmate_core.servo.errors import ServoReadbackError, ServoSilentError
from chefmate_core.servo.port import SerialPort
from chefmate_sim.virtual_bus.faults import Fault, FaultKind
from chefmate_sim.virtual_bus.hardware import RefusedEeprom, Sag, Twin

QUICK = ServoConfig(register_timeout_s=0.1, register_retries=2)


class BaudFilter:
    """A line that carries bytes only at one baud rate, before a bus that does not care."""

    def __init__(self, port, speed):
        self.master, self.slave = pty.openpty()
        tty.setraw(self.slave)
        self.port = os.ttyname(self.slave)
        self.speed = speed
        self.far = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self.far)
        self.is_closed = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        ways = {self.master: self.far, self.far: self.master}
        while not self.is_closed:
            for fd in select.select(list(ways), (), (), 0.02)[0]:
                data = os.read(fd, 4096)
                if termios.tcgetattr(self.slave)[5] == self.speed:
                    os.write(ways[fd], data)

    def close(self):
        self.is_closed = True
        self.thread.join()
        for fd in (self.master, self.slave, self.far):
            os.close(fd)


def ids_in(virtual):
    return [servo.servo_id for servo in virtual.servos]


def test_a_scan_finds_every_servo_and_how_it_is(virtual):
    virtual.servos[2].temperature_c = 44
    (found,) = scan([virtual.port], [1_000_000])
    assert found.problem == ''
    assert [servo.servo_id for servo in found.servos] == list(CALIBRATION.ids)
    elbow = found.servos[2]
    assert (elbow.model, elbow.firmware, elbow.baud_rate) == (777, '3.10', 1_000_000)
    assert (elbow.temperature_c, elbow.voltage_v) == (44, pytest.approx(7.4))
    expected = CALIBRATION.rad_to_ticks(START_RAD)[2]
    assert elbow.position_tick == pytest.approx(expected, abs=1)
    assert not elbow.has_torque


@pytest.mark.parametrize(
    ('speed', 'baud_rate'), [(termios.B115200, 115_200), (termios.B500000, 500_000)]
)
def test_an_arm_at_another_baud_rate_is_found(virtual, speed, baud_rate):
    line = BaudFilter(virtual.port, speed)
    try:
        (found,) = scan([line.port])
    finally:
        line.close()
    assert found.problem == ''
    assert [servo.servo_id for servo in found.servos] == list(CALIBRATION.ids)
    assert {servo.baud_rate for servo in found.servos} == {baud_rate}


def test_a_scan_says_which_port_cannot_be_used_and_goes_on(virtual, tmp_path):
    missing, found = scan([str(tmp_path / 'nothing'), virtual.port], [1_000_000])
    assert 'no such device' in missing.problem
    assert len(found.servos) == 6


def test_a_scan_of_a_wire_without_servos_finds_none(virtual):
    virtual.hardware.add(Sag(to_v=0.0))
    (found,) = scan([virtual.port], BAUD_RATES[:2])
    assert found.servos == ()
    assert found.problem == ''


def test_two_servos_of_one_id_are_found_as_such(virtual):
    virtual.hardware.add(Twin(1, of_id=3))
    (found,) = scan([virtual.port], [1_000_000])
    problems = {servo.servo_id: servo.problem for servo in found.servos}
    assert sorted(problems) == [1, 3, 4, 5, 6]
    assert 'two servos have this id' in problems.pop(3)
    assert set(problems.values()) == {''}


def test_one_lost_packet_is_not_taken_for_two_servos(virtual):
    virtual.faults.add(Fault(FaultKind.CORRUPT, servo_id=3, count=2))
    port = SerialPort(virtual.port)
    port.open()
    try:
        assert probe(port, 3) is Answer.ONE
        assert probe(port, 9) is Answer.NONE
    finally:
        port.close()


def test_an_adapter_that_hears_itself_is_scanned_as_any_other(virtual):
    virtual.faults.echo = True
    (found,) = scan([virtual.port], [1_000_000])
    assert [servo.servo_id for servo in found.servos] == list(CALIBRATION.ids)
    assert all(servo.problem == '' for servo in found.servos)


def test_a_new_id_stays_after_power_off_and_memory_is_locked_again(virtual):
    set_id(virtual.port, 6, 42, QUICK)
    assert ids_in(virtual) == [1, 2, 3, 4, 5, 42]
    gripper = virtual.servos[5]
    assert gripper.memory.get(reg.LOCK) == 1
    gripper.power_on()
    assert gripper.servo_id == 42
    set_id(virtual.port, 42, 6, QUICK)
    assert ids_in(virtual) == list(CALIBRATION.ids)


def test_an_id_that_is_taken_is_refused(virtual):
    with pytest.raises(ServoIdError, match='id 4 is taken'):
        set_id(virtual.port, 3, 4, QUICK)
    assert ids_in(virtual) == list(CALIBRATION.ids)


def test_an_id_that_two_others_share_is_taken_too(virtual):
    virtual.hardware.add(Twin(1, of_id=3))
    with pytest.raises(ServoIdError, match='id 3 is taken'):
        set_id(virtual.port, 6, 3, QUICK)


def test_two_servos_that_answer_to_the_old_id_are_refused(virtual):
    virtual.hardware.add(Twin(1, of_id=3))
    with pytest.raises(ServoIdError, match='two servos have it'):
        set_id(virtual.port, 3, 9, QUICK)
    assert ids_in(virtual) == [1, 3, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ('pair', 'message'),
    [
        ((9, 10), 'no servo answers to id 9'),
        ((1, 254), 'expected 0 to 253'),
        ((-1, 3), 'expected 0 to 253'),
        ((2, 2), 'has the id 2 already'),
    ],
)
def test_ids_that_cannot_be_are_refused(virtual, pair, message):
    with pytest.raises(ServoIdError, match=message):
        set_id(virtual.port, *pair, QUICK)
    assert ids_in(virtual) == list(CALIBRATION.ids)


def test_a_servo_of_another_model_is_refused(virtual):
    virtual.servos[3].memory.set_lasting(reg.MODEL_NUMBER, 2825)
    with pytest.raises(ServoIdError, match=r'model 2825, expected 777'):
        set_id(virtual.port, 4, 9, QUICK)


def test_a_servo_that_does_not_take_the_id_keeps_its_own(virtual):
    virtual.hardware.add(RefusedEeprom(3, reg.SERVO_ID))
    with pytest.raises(ServoReadbackError, match='keeps its own'):
        set_id(virtual.port, 4, 9, QUICK)
    assert virtual.servos[3].servo_id == 4
    assert virtual.servos[3].memory.get(reg.LOCK) == 1


def test_a_lost_request_or_answer_still_gives_the_id(virtual):
    virtual.faults.add(Fault(FaultKind.DROP, probability=0.3, count=None))
    set_id(virtual.port, 6, 42, ServoConfig(register_timeout_s=0.1, register_retries=9))
    virtual.clear_faults()
    assert virtual.servos[5].servo_id == 42
    assert virtual.servos[5].memory.get(reg.LOCK) == 1


def test_a_servo_that_dies_meanwhile_is_said_to_be_either(virtual, monkeypatch):
    class DyingBus(ServoBus):
        def write(self, servo_id, register, value):
            super().write(servo_id, register, value)
            if register is reg.LOCK:
                virtual.faults.kill(servo_id)

    monkeypatch.setattr('chefmate_core.calibrating.set_id.ServoBus', DyingBus)
    with pytest.raises(ServoSilentError, match='neither to 6 nor to 9'):
        set_id(virtual.port, 6, 9, QUICK)
    virtual.clear_faults()
    assert virtual.servos[5].servo_id == 6


def test_ports_are_listed_once_by_their_most_telling_name(tmp_path):
    (tmp_path / 'serial' / 'by-id').mkdir(parents=True)
    for name in ('ttyACM0', 'ttyACM1', 'ttyUSB0'):
        (tmp_path / name).touch()
    (tmp_path / 'follower').symlink_to('ttyACM0')
    (tmp_path / 'serial' / 'by-id' / 'usb-1a86').symlink_to(tmp_path / 'ttyACM1')
    (tmp_path / 'leader').symlink_to('ttyACM9')  # unplugged
    assert candidate_ports(tmp_path) == tuple(
        str(tmp_path / name) for name in ('follower', 'serial/by-id/usb-1a86', 'ttyUSB0')
    )
