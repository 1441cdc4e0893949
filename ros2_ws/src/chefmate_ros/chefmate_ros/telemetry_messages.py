"""The one place where ServoTelemetry messages are made."""

from collections.abc import Sequence

import numpy as np
from builtin_interfaces.msg import Time

from chefmate_core.joints import JOINT_NAMES
from chefmate_core.safety.health import Finding, Severity
from chefmate_core.servo.readings import ArmHealth
from chefmate_msgs.msg import ServoTelemetry


def servo_telemetry(
    stamp: Time, health: ArmHealth, severity: Severity, findings: Sequence[Finding]
) -> ServoTelemetry:
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
    message.severity = int(severity)
    message.findings = [str(finding) for finding in findings]
    return message
