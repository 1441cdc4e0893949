"""Open an arm's bus for calibration, and switch its torque."""

from collections.abc import Sequence

from chefmate_core.calibration import MAX_TICK, ArmCalibration, JointCalibration
from chefmate_core.servo import registers as reg
from chefmate_core.servo import setup
from chefmate_core.servo.bus import ServoBus


def open_arm(bus: ServoBus, ids: Sequence[int]) -> None:
    """Open the port and check that an STS3215 answers to every id; it is closed if one does not.

    Raises a BusError (port, who is missing) or a CalibrationError (wrong model).
    """
    bus.open()
    try:
        # Only the ids count here: a servo that was never calibrated holds no calibration.
        whole_turns = tuple(JointCalibration(servo_id, 0, 0, 0, MAX_TICK) for servo_id in ids)
        setup.check_servos(bus, ArmCalibration(whole_turns))
    except BaseException:
        bus.close()
        raise


def torque_is_on(bus: ServoBus, ids: Sequence[int]) -> bool:
    """Return whether a servo holds: the arm would fall if all torque went off."""
    return any(bus.read(servo_id, reg.TORQUE_ENABLE) for servo_id in ids)


def turn_torque_off(bus: ServoBus, ids: Sequence[int]) -> None:
    """Make the arm limp, each servo with read-back."""
    for servo_id in ids:
        bus.write_verified(servo_id, reg.TORQUE_ENABLE, 0)
