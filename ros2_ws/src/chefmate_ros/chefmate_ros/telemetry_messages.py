"""The one place where ServoTelemetry messages are made."""

import numpy as np
from builtin_interfaces.msg import Time

from chefmate_core.joints import JOINT_NAMES
from chefmate_core.safety.gate import SafetyGate
from chefmate_core.servo.readings import ArmHealth
from chefmate_msgs.msg import ServoTelemetry


def servo_telemetry(stamp: Time, health: ArmHealth, gate: SafetyGate) -> ServoTelemetry:
    """Return a telemetry block as a message, with what the safety gate makes of it."""
    message = ServoTelemetry()
    message.header.stamp = stamp
    message.name = list(JOINT_NAMES)
    message.temperature = health.temperature_c.tolist()
    message.voltage = health.voltage_v.tolist()
    message.load = health.load_fraction.tolist()
    message.current = (health.current_ma / 1e3).tolist()
    message.status = (health.status_bits & 0xFF).tolist()
    message.moving = health.moving.tolist()
    message.age = np.minimum(health.age_s, 1e6).tolist()
    message.severity = int(gate.health.severity)
    message.speed = gate.speed
    message.findings = [str(finding) for finding in gate.health.findings()]
    return message
