import os
import pty
import tty

import pytest

from chefmate_core.errors import BusError, ConfigurationError
from chefmate_core.servo.config import ServoConfig
from chefmate_core.servo.errors import (
    PortBusyError,
    PortInvalidError,
    PortLostError,
    PortMissingError,
    PortPermissionError,
)
from chefmate_core.servo.port import SerialPort


@pytest.fixture
def terminal():
    master, slave = pty.openpty()
    tty.setraw(slave)
    ends = {'master': master, 'slave': slave, 'path': os.ttyname(slave)}
    yield ends
    for name in ('master', 'slave'):
        if ends[name] is not None:
            os.close(ends[name])


def test_bytes_go_out_and_come_in(terminal):
    port = SerialPort(terminal['path'])
    port.open()
    port.write(b'question')
    assert os.read(terminal['master'], 100) == b'question'
    os.write(terminal['master'], b'\xff\x00\x0d\x0a\x11answer')
    assert port.read(11, 500, 500) == b'\xff\x00\x0d\x0a\x11answer'
    port.close()
    assert not port.is_open


def test_a_short_answer_comes_back_short(terminal):
    port = SerialPort(terminal['path'])
    port.open()
    assert port.read(5, 5, 5) == b''
    os.write(terminal['master'], b'abc')
    assert port.read(5, 500, 5) == b'abc'
    port.close()


def test_stale_bytes_are_discarded_and_counted(terminal):
    port = SerialPort(terminal['path'])
    port.open()
    assert port.discard_input() == 0
    os.write(terminal['master'], b'late')
    assert port.discard_input() == 4
    assert port.read(4, 5, 5) == b''
    port.close()


def test_a_missing_device_says_what_to_do():
    with pytest.raises(PortMissingError, match='udev') as caught:
        SerialPort('/dev/no-such-arm').open()
    assert isinstance(caught.value, FileNotFoundError)
    assert isinstance(caught.value, BusError)
    assert '/dev/no-such-arm' in str(caught.value)


def test_a_second_owner_is_refused(terminal):
    first, second = SerialPort(terminal['path']), SerialPort(terminal['path'])
    first.open()
    with pytest.raises(PortBusyError, match='one owner'):
        second.open()
    first.close()
    second.open()
    second.close()


def test_a_file_that_is_no_serial_port_is_refused(tmp_path):
    path = tmp_path / 'file'
    path.write_text('not a tty')
    with pytest.raises(PortInvalidError, match='not a serial port'):
        SerialPort(str(path)).open()


def test_no_permission_names_the_group_and_the_udev_rules(terminal, monkeypatch):
    # Root may open everything, so the refusal is put where the kernel would give it.
    def refuse(path, *arguments):
        raise PermissionError(13, 'Permission denied', path)

    monkeypatch.setattr(os, 'open', refuse)
    with pytest.raises(PortPermissionError, match='dialout') as caught:
        SerialPort(terminal['path']).open()
    assert 'udev' in str(caught.value)


def test_a_hang_up_is_a_lost_port_and_closes_it(terminal):
    port = SerialPort(terminal['path'])
    port.open()
    os.close(terminal['master'])
    terminal['master'] = None
    with pytest.raises(PortLostError, match='reconnect'):
        port.read(1, 500, 500)
    assert not port.is_open
    with pytest.raises(PortLostError, match='not open'):
        port.read(1, 5, 5)
    with pytest.raises(PortLostError, match='not open'):
        port.write(b'x')


def test_an_adapter_that_takes_no_more_bytes_is_a_lost_port(terminal):
    port = SerialPort(terminal['path'])
    port.open()
    with pytest.raises(PortLostError, match='takes no more bytes'):
        for _ in range(1000):
            port.write(bytes(1000))
    assert not port.is_open


def test_opening_and_closing_leaks_no_descriptors(terminal):
    before = len(os.listdir('/proc/self/fd'))
    for _ in range(20):
        port = SerialPort(terminal['path'])
        port.open()
        port.close()
        port.close()
    assert len(os.listdir('/proc/self/fd')) == before


@pytest.mark.parametrize(
    ('key', 'value'),
    [
        ('reply_timeout_s', float('nan')),
        ('reply_timeout_s', 0.0),
        ('baud_rate', 1),
        ('p_coefficient', 16.5),
        ('max_misses', -1),
        ('gripper_max_torque_limit', 1001),
        ('gap_timeout_s', '0.1'),
    ],
)
def test_a_configuration_value_outside_its_range_is_refused(key, value):
    with pytest.raises(ConfigurationError, match=key):
        ServoConfig(**{key: value})
