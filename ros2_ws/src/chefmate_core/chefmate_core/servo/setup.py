"""Before an arm moves: are these the right servos, and are they set up?

Registers and values follow LeRobot's SO-101 follower (`configure` and `configure_motors`).
"""

from chefmate_core.calibration import ArmCalibration
from chefmate_core.errors import CalibrationError
from chefmate_core.joints import GRIPPER, JOINT_NAMES
from chefmate_core.servo import registers as reg
from chefmate_core.servo.bus import ServoBus
from chefmate_core.servo.config import ServoConfig
from chefmate_core.servo.errors import ServoSilentError
from chefmate_core.servo.registers import Register

_MODE_POSITION = 0


def check_servos(bus: ServoBus, calibration: ArmCalibration) -> None:
    """Check that every id answers and is an STS3215.

    Raises ServoSilentError (who is missing, who is there) or CalibrationError (wrong model).
    """
    present = [servo_id for servo_id in calibration.ids if bus.ping(servo_id, attempts=3)]
    missing = [
        f'{name} (id {servo_id})'
        for name, servo_id in zip(JOINT_NAMES, calibration.ids, strict=True)
        if servo_id not in present
    ]
    if missing and not present:
        raise ServoSilentError(
            f'{bus.port}: no servo answers, expected ids {_listed(calibration.ids)}. Is the '
            "servos' power supply on, the bus cable plugged in, and is this the arm's port?"
        )
    if missing:
        raise ServoSilentError(
            f'{bus.port}: no answer from {", ".join(missing)}; found ids {_listed(present)}, '
            f'expected {_listed(calibration.ids)}. Check the cable before the first missing '
            'servo, and that each servo has its own id: chefmate servo scan, then set-id.'
        )
    for name, servo_id in zip(JOINT_NAMES, calibration.ids, strict=True):
        model = bus.read(servo_id, reg.MODEL_NUMBER)
        if model != reg.MODEL_STS3215:
            raise CalibrationError(
                f'{bus.port}, {name} (id {servo_id}): servo model {model}, expected '
                f'{reg.MODEL_STS3215} (STS3215). Is this the port of an SO-101 arm?'
            )


def check_calibration(bus: ServoBus, calibration: ArmCalibration) -> None:
    """Check that the servos' EEPROM holds what the file says; raise CalibrationError if not."""
    differences = []
    for name, joint in zip(JOINT_NAMES, calibration.joints, strict=True):
        for register, expected in (
            (reg.HOMING_OFFSET, joint.homing_offset),
            (reg.MIN_POSITION_LIMIT, joint.range_min),
            (reg.MAX_POSITION_LIMIT, joint.range_max),
        ):
            found = bus.read(joint.id, register)
            if found != expected:
                found = bus.read(joint.id, register)  # before a file is blamed
            if found != expected:
                differences.append(
                    f'{name} (id {joint.id}): {register.name} is {found} in the servo, '
                    f'{expected} in the file'
                )
    if differences:
        raise CalibrationError(
            f'{bus.port}: the servos do not match {calibration.source}: '
            f'{"; ".join(differences)}. Use the file of this arm (are leader and follower '
            'swapped?), or calibrate again with chefmate calibrate, which writes both.'
        )


def eeprom_settings(config: ServoConfig, index: int) -> list[tuple[Register, int]]:
    """Return what joint `index` must hold to be driven, in the order it is written."""
    settings = [
        (reg.RETURN_DELAY, config.return_delay),
        (reg.OPERATING_MODE, _MODE_POSITION),
        (reg.P_COEFFICIENT, config.p_coefficient),
        (reg.I_COEFFICIENT, config.i_coefficient),
        (reg.D_COEFFICIENT, config.d_coefficient),
        (reg.MAXIMUM_ACCELERATION, config.maximum_acceleration),
    ]
    if index == GRIPPER:
        settings += [
            (reg.MAX_TORQUE_LIMIT, config.gripper_max_torque_limit),
            (reg.PROTECTION_CURRENT, config.gripper_protection_current),
            (reg.OVERLOAD_TORQUE, config.gripper_overload_torque),
        ]
    return settings


def ram_settings(config: ServoConfig, index: int) -> list[tuple[Register, int]]:
    """Return the settings that a servo forgets at power-off."""
    settings = [
        (reg.ACCELERATION, config.acceleration),
        (reg.GOAL_TIME, 0),
        (reg.GOAL_VELOCITY, 0),
    ]
    if index == GRIPPER:
        # The servo copies max_torque_limit here at power-on only.
        settings.append((reg.TORQUE_LIMIT, config.gripper_max_torque_limit))
    return settings


def eeprom_is_set(bus: ServoBus, servo_ids: tuple[int, ...]) -> bool:
    """Return whether `apply_eeprom` would find nothing to write."""
    return all(
        not bus.read(servo_id, reg.PHASE) & reg.PHASE_MULTI_TURN_FEEDBACK
        and all(
            bus.read(servo_id, register) == value
            for register, value in eeprom_settings(bus.config, index)
        )
        for index, servo_id in enumerate(servo_ids)
    )


def apply_eeprom(bus: ServoBus, servo_ids: tuple[int, ...]) -> None:
    """Write the settings that last, where they differ; torque must be off."""
    for index, servo_id in enumerate(servo_ids):
        # Positions beyond 0..4095 come from multi-turn feedback, which nothing here can use.
        phase = bus.read(servo_id, reg.PHASE)
        bus.write_verified(servo_id, reg.PHASE, phase & ~reg.PHASE_MULTI_TURN_FEEDBACK)
        for register, value in eeprom_settings(bus.config, index):
            bus.write_verified(servo_id, register, value)


def apply_ram(bus: ServoBus, servo_ids: tuple[int, ...]) -> None:
    """Write the settings that a power cut loses, where they differ. Moves nothing."""
    for index, servo_id in enumerate(servo_ids):
        for register, value in ram_settings(bus.config, index):
            bus.write_verified(servo_id, register, value)


def _listed(servo_ids: list[int] | tuple[int, ...]) -> str:
    return ', '.join(str(servo_id) for servo_id in servo_ids) or 'none'
