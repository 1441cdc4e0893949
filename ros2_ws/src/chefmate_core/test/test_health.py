"""The health rules: thresholds, how long, and what an unknown value means."""

import dataclasses
import math

import numpy as np
import pytest
import yaml

from chefmate_core.errors import ConfigurationError
from chefmate_core.joints import GRIPPER, JOINT_COUNT
from chefmate_core.safety.config import load_preset
from chefmate_core.safety.health import HealthMonitor, Severity
from chefmate_core.safety.health_config import health_from_mapping
from chefmate_core.servo.readings import ArmHealth
from chefmate_core.servo.registers import STATUS_ENCODER, STATUS_OVERLOAD

CONFIG = load_preset('careful').health
PERIOD_S = 0.1
GOOD = {'temperature_c': 31.0, 'voltage_v': 7.4, 'load_fraction': 0.1, 'current_ma': 240.0}
ELBOW = 2


def health(joint=ELBOW, age_s=0.0, status=0, **values):
    """Telemetry of healthy servos, but for one joint."""
    fields = {}
    for name, good in GOOD.items():
        fields[name] = np.full(JOINT_COUNT, good)
        fields[name][joint] = values.get(name, good)
    ages, bits = np.zeros(JOINT_COUNT), np.zeros(JOINT_COUNT, dtype=int)
    ages[joint], bits[joint] = age_s, status
    moving = np.zeros(JOINT_COUNT, dtype=bool)
    return ArmHealth(**fields, status_bits=bits, moving=moving, steady_time_s=0.0, age_s=ages)


class Watch:
    """A monitor and its clock."""

    def __init__(self, config=CONFIG):
        self.monitor = HealthMonitor(config)
        self.now_s = 0.0

    def see(self, seconds, velocity=0.0, error=0.0, setpoint_velocity=0.0, **values):
        """The same telemetry for a while; return the severity at its end."""
        for _ in range(max(1, round(seconds / PERIOD_S))):
            self.now_s += PERIOD_S
            self.monitor.observe(health(**values), np.full(JOINT_COUNT, velocity), self.now_s)
            self.follow(error, setpoint_velocity)
        return self.monitor.severity

    def follow(self, error=0.0, setpoint_velocity=0.0):
        errors, velocities = np.zeros(JOINT_COUNT), np.zeros(JOINT_COUNT)
        errors[ELBOW], velocities[ELBOW] = error, setpoint_velocity
        self.monitor.follow(errors, velocities, self.now_s)


@pytest.mark.parametrize(
    ('quantity', 'warn', 'derate', 'stop'),
    [
        ('temperature_c', 56.0, 61.0, 66.0),
        ('voltage_v', 4.55, 4.35, 4.15),
        ('current_ma', -1600.0, -2000.0, -2300.0),
        ('load_fraction', -0.75, -0.85, -0.95),
    ],
)
def test_a_quantity_beyond_its_thresholds_warns_derates_and_stops(quantity, warn, derate, stop):
    for value, severity in (
        (GOOD[quantity], Severity.OK),
        (warn, Severity.WARN),
        (derate, Severity.DERATE),
        (stop, Severity.STOP),
    ):
        watch = Watch()
        assert watch.see(4.0, **{quantity: value}) is severity, value
        findings = watch.monitor.findings()
        assert all(one.joint == 'elbow_flex' for one in findings)
        assert bool(findings) == (severity is not Severity.OK)
        assert watch.monitor.severity is max((f.severity for f in findings), default=Severity.OK)


def test_what_passes_quickly_does_not_count():
    watch = Watch()
    for _ in range(5):
        assert watch.see(0.9, temperature_c=70.0) is Severity.OK
        assert watch.see(0.1) is Severity.OK


def test_a_finding_ends_only_when_the_value_is_clearly_good_again():
    watch = Watch()
    assert watch.see(2.0, temperature_c=61.0) is Severity.DERATE
    assert watch.see(2.0, temperature_c=58.0) is Severity.DERATE  # within the hysteresis
    assert 'was above 60 and must fall below 57' in str(watch.monitor.findings()[0])
    assert watch.see(0.1, temperature_c=56.9) is Severity.WARN
    assert watch.see(0.1, temperature_c=40.0) is Severity.OK


def test_a_value_that_cannot_be_read_makes_nothing_better():
    watch = Watch()
    assert watch.see(2.0, temperature_c=66.0) is Severity.STOP
    assert watch.see(5.0, temperature_c=math.nan) is Severity.STOP


def test_old_telemetry_of_one_joint_derates_and_is_named():
    watch = Watch()
    assert watch.see(1.0, age_s=math.inf) is Severity.OK  # it may still be coming up
    assert watch.see(3.0, age_s=CONFIG.telemetry_age_s + 0.1) is Severity.DERATE
    assert 'elbow_flex has no telemetry' in str(watch.monitor.findings()[0])
    assert watch.see(0.1, age_s=math.nan) is Severity.DERATE


def test_no_telemetry_at_all_derates():
    watch = Watch()
    watch.follow()
    watch.now_s += CONFIG.telemetry_age_s + 0.1
    watch.follow()
    assert watch.monitor.severity is Severity.DERATE
    assert 'no telemetry' in str(watch.monitor.findings()[0])


def test_a_fast_move_is_no_stall():
    assert Watch().see(5.0, load_fraction=1.0, velocity=0.5) is Severity.OK


def test_a_following_error_stops_unless_the_speed_explains_it():
    assert Watch().see(1.0, error=0.4) is Severity.STOP
    assert Watch().see(1.0, error=-0.3) is Severity.DERATE
    assert Watch().see(1.0, error=0.4, setpoint_velocity=2.5) is Severity.OK
    assert Watch().see(1.0, error=math.nan) is Severity.OK  # not read: its age has its own rule
    watch = Watch()
    watch.see(1.0, error=0.4)
    assert watch.see(1.0, error=math.nan) is Severity.STOP


def test_the_grippers_following_error_is_its_grip():
    watch = Watch()
    errors = np.zeros(JOINT_COUNT)
    errors[GRIPPER] = 1.0
    for _ in range(50):
        watch.now_s += PERIOD_S
        watch.monitor.observe(health(), np.zeros(JOINT_COUNT), watch.now_s)
        watch.monitor.follow(errors, np.zeros(JOINT_COUNT), watch.now_s)
    assert watch.monitor.severity is Severity.OK


def test_a_servo_that_reports_an_error_derates_and_a_blind_one_stops():
    assert Watch().see(0.1, status=STATUS_OVERLOAD) is Severity.DERATE
    watch = Watch()
    assert watch.see(0.1, status=STATUS_ENCODER) is Severity.DERATE
    assert watch.see(0.1) is Severity.OK
    assert watch.see(0.2, status=STATUS_ENCODER) is Severity.STOP
    assert 'encoder' in str(watch.monitor.findings()[0])


def test_an_overloaded_gripper_is_said_and_does_not_slow_the_arm():
    assert Watch().see(1.0, joint=GRIPPER, status=STATUS_OVERLOAD) is Severity.WARN


def test_a_gripper_that_presses_is_eased_until_it_moves():
    watch = Watch()
    press = {'joint': GRIPPER, 'load_fraction': -0.5}
    watch.see(CONFIG.grip_stall_s - 0.1, **press)
    assert not watch.monitor.gripper_is_stalled
    assert watch.see(0.3, **press) is Severity.OK
    assert watch.monitor.gripper_is_stalled
    watch.see(5.0, joint=GRIPPER, load_fraction=-CONFIG.grip_eased_torque)  # what is left to it
    assert watch.monitor.gripper_is_stalled
    watch.see(0.1, joint=GRIPPER, load_fraction=-0.2, velocity=0.5)
    assert not watch.monitor.gripper_is_stalled
    watch.see(5.0, joint=GRIPPER, load_fraction=-0.5, velocity=0.5)
    assert not watch.monitor.gripper_is_stalled


def test_a_servo_that_will_be_too_hot_is_said_so_before():
    watch = Watch()
    for second in range(30):
        watch.see(1.0, temperature_c=float(40 + second // 4))  # 15 degrees a minute
    assert watch.monitor.severity is Severity.WARN
    (finding,) = watch.monitor.findings()
    assert finding.joint == 'elbow_flex'
    assert 'too hot in' in str(finding)
    assert watch.see(90.0, temperature_c=47.0) is Severity.OK
    assert watch.monitor.findings() == []


def presets_health():
    """The health section as a user could copy it."""
    from importlib import resources

    text = resources.files('chefmate_core.safety').joinpath('presets.yaml').read_text()
    return yaml.safe_load(text)['health']


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'temperature_c': 60}, 'expected {warn, derate, stop'),
        ({'temperature_c': None}, 'temperature_c'),
        ({'derate_speed': math.nan}, 'derate_speed must be above 0'),
        ({'derate_speed': 1.5}, 'fraction'),
        ({'grip_load': -0.1}, 'grip_load must be above 0'),
        ({'speed': 1.0}, "unknown keys \\['speed'\\]"),
    ],
)
def test_a_wrong_number_of_the_health_rules_is_named(change, message):
    with pytest.raises(ConfigurationError, match=message):
        health_from_mapping({**presets_health(), **change}, 'here')


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'stop': 50.0}, 'must rise'),
        ({'warn': math.nan}, 'must rise'),
        ({'persistence_s': [1, 1]}, 'three times'),
        ({'persistence_s': [1, 1, math.nan]}, 'three times'),
    ],
)
def test_a_wrong_threshold_is_named(change, message):
    values = presets_health()
    values['temperature_c'] = {**values['temperature_c'], **change}
    with pytest.raises(ConfigurationError, match=f'here: temperature_c.*{message}'):
        health_from_mapping(values, 'here')


def test_every_preset_has_the_same_health_rules():
    assert load_preset('careful').health == load_preset('normal').health
    assert load_preset('fast').health == load_preset('careful').health
    assert dataclasses.asdict(CONFIG)['temperature_c']['stop'] < 70  # the servo's own limit
