"""Registers, EEPROM, homing offset and the port of the virtual servos."""

import os
import threading

import numpy as np
import pytest
import serial
from virtual_arm import LEADER

from chefmate_core.errors import ConfigurationError
from chefmate_core.servo import registers as reg
from chefmate_core.servo.bus import ServoBus
from chefmate_core.servo.config import ServoConfig
from chefmate_core.servo.protocol import BROADCAST_ID, Instruction, PacketParser, packet
from chefmate_sim.virtual_bus import FirstOrderArm, VirtualServoBus

PATIENT = ServoConfig(
    register_timeout_s=0.5, register_retries=0, reply_timeout_s=0.5, gap_timeout_s=0.1
)


@pytest.fixture
def virtual(model):
    with VirtualServoBus(model, LEADER) as bus:
        yield bus


@pytest.fixture
def bus(virtual):
    bus = ServoBus(virtual.port, PATIENT)
    bus.open()
    yield bus
    bus.close()


def test_servos_are_born_with_the_calibration(bus):
    for joint in LEADER.joints:
        assert bus.read(joint.id, reg.MODEL_NUMBER) == 777
        assert bus.read(joint.id, reg.HOMING_OFFSET) == joint.homing_offset
        assert bus.read(joint.id, reg.MIN_POSITION_LIMIT) == joint.range_min
        assert bus.read(joint.id, reg.MAX_POSITION_LIMIT) == joint.range_max


def test_another_homing_offset_shifts_what_is_reported(bus):
    before = bus.read(1, reg.PRESENT_POSITION)
    bus.write_verified(1, reg.HOMING_OFFSET, LEADER.joints[0].homing_offset - 100)
    assert bus.read(1, reg.PRESENT_POSITION) == before + 100


def test_reported_positions_wrap_inside_one_turn(bus, virtual):
    bus.write_verified(1, reg.HOMING_OFFSET, -2047)
    bus.write_verified(2, reg.HOMING_OFFSET, 2047)
    for servo_id in (1, 2):
        assert 0 <= bus.read(servo_id, reg.PRESENT_POSITION) <= 4095


def test_present_values_cannot_be_written(bus):
    before = bus.read(2, reg.PRESENT_POSITION)
    bus.write(2, reg.PRESENT_POSITION, 5)
    bus.write(2, reg.MODEL_NUMBER, 5)
    assert bus.read(2, reg.PRESENT_POSITION) == before
    assert bus.read(2, reg.MODEL_NUMBER) == 777


def test_a_locked_eeprom_forgets_at_power_off_and_an_unlocked_one_does_not(bus, virtual):
    bus.write(1, reg.LOCK, 1)
    bus.write(1, reg.P_COEFFICIENT, 11)
    assert bus.read(1, reg.P_COEFFICIENT) == 11
    bus.write(2, reg.LOCK, 0)
    bus.write(2, reg.P_COEFFICIENT, 12)
    bus.close()
    virtual.hang_up(power_lost=True)
    virtual.plug_in()
    again = ServoBus(virtual.port, PATIENT)
    again.open()
    assert again.read(1, reg.P_COEFFICIENT) == 32
    assert again.read(2, reg.P_COEFFICIENT) == 12
    again.close()


def test_power_off_forgets_ram_and_takes_the_torque_limit_from_the_eeprom(bus, virtual):
    bus.write_verified(6, reg.MAX_TORQUE_LIMIT, 500)
    bus.write(6, reg.ACCELERATION, 99)
    bus.write(6, reg.TORQUE_ENABLE, 1)
    assert bus.read(6, reg.TORQUE_LIMIT) == 1000
    bus.close()
    virtual.hang_up(power_lost=True)
    virtual.plug_in()
    again = ServoBus(virtual.port, PATIENT)
    again.open()
    assert again.read(6, reg.TORQUE_LIMIT) == 500
    assert again.read(6, reg.ACCELERATION) == 0
    assert again.read(6, reg.TORQUE_ENABLE) == 0
    again.close()


def test_a_goal_beyond_the_limits_stops_at_the_limit(bus, virtual, clock):
    bus.write(1, reg.TORQUE_ENABLE, 1)
    bus.write(1, reg.GOAL_POSITION, 4000)
    clock.now_s += 10.0
    assert bus.read(1, reg.PRESENT_POSITION) <= LEADER.joints[0].range_max


def test_torque_without_a_goal_holds_where_the_servo_was_at_power_on(bus, clock):
    before = bus.read(4, reg.PRESENT_POSITION)
    bus.write(4, reg.TORQUE_ENABLE, 1)
    clock.now_s += 10.0
    assert bus.read(4, reg.PRESENT_POSITION) == before


@pytest.mark.parametrize('direction', [1, -1])
def test_a_joint_that_is_thrown_reports_the_fastest_speed_that_there_is(
    bus, model, monkeypatch, direction
):
    monkeypatch.setattr(model, 'velocity_rad_s', lambda: np.full(6, direction * 1e4))
    speeds = [abs(bus.read(servo_id, reg.PRESENT_VELOCITY)) & 0x7FFF for servo_id in (1, 2)]
    assert speeds == [0x7FFF, 0x7FFF]
    assert bus.read(1, reg.MODEL_NUMBER) == 777, 'the bus goes on'


def test_torque_off_lets_go(bus, clock):
    bus.write(1, reg.TORQUE_ENABLE, 1)
    bus.write(1, reg.TORQUE_ENABLE, 0)
    before = bus.read(1, reg.PRESENT_POSITION)
    bus.write(1, reg.GOAL_POSITION, before + 300)
    clock.now_s += 10.0
    assert bus.read(1, reg.PRESENT_POSITION) == before


def test_an_overheated_servo_says_so_and_lets_go(bus, virtual):
    bus.write(3, reg.TORQUE_ENABLE, 1)
    virtual.servos[2].temperature_c = 75.0
    assert bus.read(3, reg.STATUS) == reg.STATUS_TEMPERATURE
    assert bus.read(3, reg.PRESENT_TEMPERATURE) == 75
    assert bus.read(3, reg.TORQUE_ENABLE) == 0


def test_a_new_id_is_answered_at_once(bus):
    bus.write(5, reg.LOCK, 0)
    data = packet(5, Instruction.WRITE, bytes((reg.SERVO_ID.address, 9)))
    bus._port.write(data)
    assert bus.ping(9, attempts=1)


def test_a_write_is_not_acknowledged_at_response_level_0(bus):
    bus.write(2, reg.LOCK, 0)
    bus._port.write(packet(2, Instruction.WRITE, bytes((reg.RESPONSE_LEVEL.address, 0))))
    bus._port.write(packet(2, Instruction.WRITE, bytes((reg.P_COEFFICIENT.address, 7))))
    assert bus.read(2, reg.P_COEFFICIENT) == 7


def raw_talk(port: str, sent: bytes, expected: int) -> bytes:
    with serial.Serial(port, 1_000_000, timeout=0.5) as device:
        device.write(sent)
        return device.read(expected)


def test_a_wrong_checksum_is_ignored(virtual):
    broken = bytearray(packet(1, Instruction.PING))
    broken[-1] ^= 0x10
    assert raw_talk(virtual.port, bytes(broken) + packet(2, Instruction.PING), 7) == packet(2, 0)
    assert virtual.parser.checksum_errors == 1


def test_a_broadcast_ping_is_answered_by_all(virtual):
    answer = raw_talk(virtual.port, packet(BROADCAST_ID, Instruction.PING), 36)
    frames = PacketParser().feed(answer)
    assert [frame.servo_id for frame in frames] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    'nonsense',
    [
        packet(1, Instruction.READ),
        packet(1, Instruction.READ, b'\x38'),
        packet(1, Instruction.WRITE, b'\x2a'),
        packet(BROADCAST_ID, Instruction.SYNC_READ, b'\x38'),
        packet(BROADCAST_ID, Instruction.SYNC_READ, b'\x38\x00\x01'),
        packet(BROADCAST_ID, Instruction.SYNC_WRITE, b'\x2a\x02\x01'),
        packet(BROADCAST_ID, Instruction.SYNC_WRITE, b'\x2a\x00\x01\x01'),
        packet(1, 0x77, b'abc'),
        bytes(range(256)) * 3,
    ],
)
def test_nonsense_is_survived_in_silence(virtual, nonsense):
    assert raw_talk(virtual.port, nonsense + packet(6, Instruction.PING), 7) == packet(6, 0)


def test_a_write_past_the_last_register_is_survived(virtual):
    data = bytes((120,)) + bytes(60)
    answer = raw_talk(virtual.port, packet(1, Instruction.WRITE, data), 6)
    assert answer == packet(1, 0)


def test_the_link_points_at_the_port_and_goes_with_it(tmp_path):
    link = tmp_path / 'run' / 'follower'
    bus = VirtualServoBus(FirstOrderArm(), LEADER, link)
    assert bus.port == str(link)
    assert raw_talk(str(link), packet(1, Instruction.PING), 6) == packet(1, 0)
    first = os.readlink(link)
    bus.hang_up()
    assert not link.is_symlink()
    assert not bus.is_plugged_in
    keep = os.openpty()  # takes the number that was freed, so that the new port is another one
    bus.plug_in()
    assert os.readlink(link) != first
    assert raw_talk(str(link), packet(1, Instruction.PING), 6) == packet(1, 0)
    bus.close()
    bus.close()
    assert not link.is_symlink()
    for end in keep:
        os.close(end)


def test_a_stale_link_is_replaced_and_a_real_file_is_not(tmp_path):
    link = tmp_path / 'follower'
    link.symlink_to('/nowhere')
    VirtualServoBus(FirstOrderArm(), LEADER, link).close()
    link.write_text('precious')
    with pytest.raises(ConfigurationError, match='not a link'):
        VirtualServoBus(FirstOrderArm(), LEADER, link)
    assert link.read_text() == 'precious'


def test_a_link_that_another_bus_took_over_is_left_alone(tmp_path):
    link = tmp_path / 'follower'
    first = VirtualServoBus(FirstOrderArm(), LEADER, link)
    second = VirtualServoBus(FirstOrderArm(), LEADER, link)
    first.close()
    assert raw_talk(str(link), packet(1, Instruction.PING), 6) == packet(1, 0)
    second.close()
    assert not link.is_symlink()


def test_nothing_leaks(tmp_path):
    descriptors = len(os.listdir('/proc/self/fd'))
    threads = threading.active_count()
    for _ in range(5):
        bus = VirtualServoBus(FirstOrderArm(), LEADER, tmp_path / 'follower')
        bus.hang_up()
        bus.plug_in()
        raw_talk(bus.port, packet(1, Instruction.PING), 6)
        bus.close()
    assert len(os.listdir('/proc/self/fd')) == descriptors
    assert threading.active_count() == threads


def test_the_port_survives_drivers_that_come_and_go(virtual):
    for _ in range(5):
        assert raw_talk(virtual.port, packet(3, Instruction.PING), 6) == packet(3, 0)


def test_a_reader_that_never_reads_does_not_block_the_bus(virtual):
    with serial.Serial(virtual.port, 1_000_000, timeout=0.5) as device:
        request = packet(1, Instruction.READ, bytes((0, 100)))
        for _ in range(300):
            device.write(request)
        device.reset_input_buffer()
    assert raw_talk(virtual.port, packet(3, Instruction.PING), 6)
