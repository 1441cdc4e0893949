"""A gate with a clock and a healthy arm on it, for the tests of the gate."""

import numpy as np

from chefmate_core.joints import (
    GRIPPER,
    JOINT_COUNT,
    JOINT_NAMES,
    LOWER_LIMITS_RAD,
    UPPER_LIMITS_RAD,
)
from chefmate_core.safety.command import Command
from chefmate_core.safety.config import load_preset
from chefmate_core.safety.gate import SafetyGate
from chefmate_core.servo.readings import ArmHealth

PERIOD_S = 0.01
CONFIG = load_preset('careful')
WALL_S = 1_000_000.0  # the sender's clock when the steady clock reads zero


def telemetry(temperature_c=31.0, gripper_load=0.1, arm_load=0.1):
    load = np.full(JOINT_COUNT, arm_load)
    load[GRIPPER] = gripper_load
    none = np.zeros(JOINT_COUNT)
    return ArmHealth(
        temperature_c=np.full(JOINT_COUNT, temperature_c),
        voltage_v=np.full(JOINT_COUNT, 7.4),
        load_fraction=load,
        current_ma=load * 2400.0,
        status_bits=none.astype(int),
        moving=none.astype(bool),
        steady_time_s=0.0,
        age_s=none,
    )


class Bench:
    """A gate with a clock and a healthy arm that follows perfectly."""

    def __init__(self, start=0.0, config=CONFIG):
        self.gate = SafetyGate(config, LOWER_LIMITS_RAD, UPPER_LIMITS_RAD, PERIOD_S)
        self.now_s = 0.0
        self.position = np.full(JOINT_COUNT, float(start))
        self.gate.activate(self.position, self.now_s)
        self.trace = [self.position.copy()]
        self.health = telemetry()
        self.telemetry_due_s = 0.0
        self.sag_rad = 0.0  # the arm is measured so far below its setpoint

    def send(self, positions, names=JOINT_NAMES, age_s=0.0, source='test'):
        clock_s = WALL_S + self.now_s
        command = Command(names, positions, clock_s - age_s, source)
        return self.gate.command(command, clock_s, self.now_s)

    def step(self, cycles=1, period_s=PERIOD_S, measured=None):
        for _ in range(cycles):
            self.now_s += period_s
            if self.health is not None and self.now_s >= self.telemetry_due_s:
                self.telemetry_due_s = self.now_s + 0.1
                self.gate.observe(self.health, np.zeros(JOINT_COUNT), self.now_s)
            seen = self.position - self.sag_rad if measured is None else measured
            setpoint = self.gate.step(seen, self.now_s)
            self.position = setpoint.position_rad
            self.trace.append(self.position.copy())
        return setpoint

    def stream(self, function, seconds, source='test'):
        for _ in range(round(seconds / PERIOD_S)):
            self.send(function(self.now_s), source=source)
            self.step()


def assert_within_caps(trace, config=CONFIG, period_s=PERIOD_S):
    velocity = np.diff(np.array(trace), axis=0) / period_s
    fastest = np.max(np.abs(velocity), axis=0)
    assert np.all(fastest <= config.max_velocity_rad_s + 1e-9), f'{fastest} rad/s'
    acceleration = np.diff(np.vstack([np.zeros(JOINT_COUNT), velocity]), axis=0) / period_s
    hardest = np.max(np.abs(acceleration), axis=0)
    assert np.all(hardest <= config.max_acceleration_rad_s2 + 1e-6), f'{hardest} rad/s^2'
