"""Fault lines: what they say, what they do, and what a wrong one is told."""

import pytest
from virtual_arm import CALIBRATION, Clock

from chefmate_core.errors import ConfigurationError
from chefmate_core.servo import registers as reg
from chefmate_core.servo.arm import FeetechArm
from chefmate_core.servo.config import ServoConfig
from chefmate_sim.virtual_bus import Fault, FaultKind, FirstOrderArm, Traffic, VirtualServoBus
from chefmate_sim.virtual_bus.hardware import EncoderError, Heat, RefusedEeprom, Sag, Stall, Twin
from chefmate_sim.virtual_bus.script import in_force, inject, usage
from chefmate_sim.virtual_bus.script.commands import COMMANDS


@pytest.fixture
def bus(virtual):
    return virtual


@pytest.mark.parametrize(
    ('line', 'fault'),
    [
        ('drop replies', Fault(FaultKind.DROP)),
        ('drop replies servo=3 count=2', Fault(FaultKind.DROP, 3, 2)),
        ('drop servo=3 replies', Fault(FaultKind.DROP, 3)),
        ('corrupt requests count=all', Fault(FaultKind.CORRUPT, None, None)),
        ('truncate requests servo=gripper', Fault(FaultKind.TRUNCATE, 6)),
        ('noise replies probability=0.05', Fault(FaultKind.NOISE, None, None, 0.05)),
        ('duplicate replies probability=0.5 count=4', Fault(FaultKind.DUPLICATE, None, 4, 0.5)),
        ('late requests delay=0.3', Fault(FaultKind.LATE, delay_s=0.3)),
    ],
)
def test_a_line_about_packets_is_a_rule(bus, line, fault):
    inject(bus, line)
    ((rule, left),) = bus.faults.rules()
    expected_traffic = Traffic.REQUESTS if 'requests' in line else Traffic.REPLIES
    assert rule.traffic is expected_traffic
    assert left == fault.count
    for field in ('kind', 'servo_id', 'count', 'probability'):
        assert getattr(rule, field) == getattr(fault, field), field
    if rule.kind is FaultKind.LATE:
        assert rule.delay_s == fault.delay_s


@pytest.mark.parametrize(
    ('line', 'fault'),
    [
        ('twin 2 of=3', Twin(1, 3)),
        ('twin shoulder_lift of=elbow_flex', Twin(1, 3)),
        ('sag to=4.5', Sag(4.5)),
        ('sag to=4.5 for=3 over=0.5', Sag(4.5, 3.0, 0.5)),
        ('heat servo=6 to=68 rate=5', Heat(5, 68.0, 5.0)),
        ('stall gripper', Stall(5)),
        ('encoder 1', EncoderError(0)),
        ('encoder 1 jump=-20 probability=0.1', EncoderError(0, -20, 0.1)),
        ('refuse-eeprom servo=1', RefusedEeprom(0)),
        ('refuse-eeprom servo=1 register=homing_offset', RefusedEeprom(0, reg.HOMING_OFFSET)),
    ],
)
def test_a_line_about_a_servo_is_a_hardware_fault(bus, line, fault):
    inject(bus, line)
    assert bus.hardware.in_force() == [fault]


def test_a_dead_servo_is_killed_and_revived(bus):
    inject(bus, 'kill elbow_flex', 'kill 4')
    assert bus.faults.dead() == [3, 4]
    inject(bus, 'revive 3')
    assert bus.faults.dead() == [4]


def test_the_echo_is_switched(bus):
    inject(bus, 'echo on')
    assert bus.faults.echo
    inject(bus, 'echo off')
    assert not bus.faults.echo


def test_the_port_hangs_up_with_power_lost_and_returns(bus):
    bus.servos[0].memory.set(reg.TORQUE_ENABLE, 1)
    inject(bus, 'hang-up for=2')
    assert bus.plugs_in_after_s == 2.0
    assert bus.servos[0].memory.get(reg.TORQUE_ENABLE) == 1
    inject(bus, 'hang-up power-lost')
    assert bus.plugs_in_after_s is None
    assert bus.servos[0].memory.get(reg.TORQUE_ENABLE) == 0
    inject(bus, 'plug-in')
    assert bus.is_plugged_in


EVERYTHING = [
    'drop replies servo=3 count=2',
    'corrupt requests count=all probability=0.05',
    'late replies count=all delay=0.004',
    'kill 4',
    'echo on',
    'twin 2 of=3',
    'sag to=4.5 for=3 over=0.5',
    'heat servo=gripper to=68 rate=5',
    'stall elbow_flex',
    'encoder shoulder_pan jump=30 probability=0.5',
    'refuse-eeprom servo=wrist_roll register=p_coefficient',
    'refuse-eeprom servo=gripper',
    'hang-up for=2',
]


def test_what_is_in_force_is_told_in_the_same_language(bus):
    inject(bus, *EVERYTHING)
    assert in_force(bus) == EVERYTHING
    with VirtualServoBus(FirstOrderArm(), CALIBRATION, clock=Clock()) as other:
        inject(other, *in_force(bus))
        assert in_force(other) == EVERYTHING


def test_clear_ends_everything_and_clear_a_kind_only_that(bus):
    inject(bus, *EVERYTHING)
    inject(bus, 'clear stall', 'clear drop')
    left = [line for line in EVERYTHING if not line.startswith(('stall', 'drop'))]
    assert in_force(bus) == left
    inject(bus, 'clear')
    assert in_force(bus) == []
    assert bus.is_plugged_in


def test_a_list_changes_nothing(bus):
    inject(bus, 'kill 4', 'list')
    assert in_force(bus) == ['kill 4']


@pytest.mark.parametrize(
    ('line', 'said'),
    [
        ('', 'empty line'),
        ('dorp replies', "Did you mean 'drop'"),
        ('explode', 'Expected one of: drop, corrupt'),
        ('drop', 'traffic is missing. Expected: drop replies|requests'),
        ('drop everything', "'everything' is none of replies, requests"),
        ('drop replies servo=7', 'a servo is 1 to 6 or shoulder_pan'),
        ('drop replies servo=1 servo=2', 'servo is there twice'),
        ('drop replies replies', "'replies' is not understood"),
        ('drop replies count=0', "'0' is not a whole number from 1"),
        ('drop replies count=often', "'often' is not a whole number"),
        ('drop replies probability=2', "'2' is not a number from 0 to 1"),
        ('drop replies probability=nan', "'nan' is not a number"),
        ('drop replies delay=1', "'delay=1' is not understood"),
        ('kill', 'servo is missing. Expected: kill SERVO'),
        ('twin 2', 'of is missing'),
        ('sag', 'to is missing'),
        ('sag to=inf', "'inf' is not a number"),
        ('heat servo=6', 'to is missing'),
        ('encoder 1 jump=1.5', "'1.5' is not a whole number"),
        ('refuse-eeprom servo=1 register=goal_position', 'no register in EEPROM'),
        ('hang-up power-lost power-lost', 'power-lost is there twice'),
        ('echo', 'state is missing'),
        ('clear weather', "'weather' is none of"),
    ],
)
def test_a_wrong_line_says_what_was_expected_and_does_nothing(bus, line, said):
    with pytest.raises(ConfigurationError) as caught:
        inject(bus, 'kill 1', line)
    assert said in str(caught.value)
    assert repr(line) in str(caught.value) or not line
    assert in_force(bus) == []


def test_help_has_a_line_for_every_command():
    rows = usage()
    assert [syntax.split()[0] for syntax, _ in rows] == [command.name for command in COMMANDS]
    assert all(meaning for _, meaning in rows)
    assert (
        'late replies|requests [servo=SERVO] [count=N|all] [probability=0..1] [delay=S]',
        'packets arrive after a delay, s',
    ) in rows


def test_a_line_strikes_the_drivers_packets(bus):
    arm = FeetechArm(bus.port, CALIBRATION, ServoConfig(reply_timeout_s=0.1, gap_timeout_s=0.03))
    arm.connect()
    inject(bus, 'drop replies servo=3', 'drop requests')
    assert not arm.read().ok
    assert bus.faults.done[FaultKind.DROP] == 2
    assert arm.read().ok
    arm.disconnect(torque_off=False)
