"""Configuration of an arm's servo bus, validated once."""

import math
from dataclasses import dataclass, fields

from chefmate_core.errors import ConfigurationError


@dataclass(frozen=True)
class ServoConfig:
    """How to talk to the servos and how to set them up.

    Servo values are those of LeRobot's SO-101 follower (`so101_follower.py`, `configure`), so that
    an arm behaves alike under both.
    """

    baud_rate: int = 1_000_000
    # Six replies of 10 bytes need 0.6 ms on the wire and at most two USB frames of 1 ms.
    reply_timeout_s: float = 0.006
    # Silence after the first byte: more than the 1 ms between two USB frames.
    gap_timeout_s: float = 0.003
    # In a cycle: how often the missing servos are asked again.
    cycle_retries: int = 1
    # Single register access, outside the cycle: slower and more stubborn.
    register_timeout_s: float = 0.05
    register_retries: int = 3
    # Reads in a row that a servo may miss before `read` raises: 0.2 s at 100 Hz.
    max_misses: int = 20
    low_latency: bool = True

    p_coefficient: int = 16
    i_coefficient: int = 0
    d_coefficient: int = 32
    return_delay: int = 0
    acceleration: int = 254
    maximum_acceleration: int = 254
    # Half of the stall torque, about 1.6 A, and 25 % when overloaded: a gripper that holds on
    # to something neither burns nor crushes it.
    gripper_max_torque_limit: int = 500
    gripper_protection_current: int = 250
    gripper_overload_torque: int = 25

    # A joint this far outside its calibrated range at torque-on has a wrong calibration; the
    # servo would run to the end of the range at once. 57 ticks are 5 degrees.
    torque_on_tolerance_ticks: int = 57
    # Up to there it comes into its range at 0.2 rad/s.
    come_in_ticks_s: int = 130
    # A servo that holds already keeps a goal this near; 228 ticks are 0.35 rad, the following
    # error that the safety gate stops at.
    adopt_tolerance_ticks: int = 228

    def __post_init__(self) -> None:
        for entry in fields(self):
            value = getattr(self, entry.name)
            low, high = _ALLOWED[entry.name]
            is_whole = isinstance(low, int)
            fits = isinstance(value, int if is_whole else (int, float))
            if not fits or math.isnan(value) or not low <= value <= high:
                raise ConfigurationError(
                    f'servo configuration: {entry.name} is {value!r}, expected a '
                    f'{"whole " if is_whole else ""}number from {low} to {high}'
                )


_ALLOWED: dict[str, tuple[float, float]] = {
    'baud_rate': (38_400, 1_000_000),
    'reply_timeout_s': (0.001, 1.0),
    'gap_timeout_s': (0.001, 1.0),
    'cycle_retries': (0, 10),
    'register_timeout_s': (0.001, 1.0),
    'register_retries': (0, 10),
    'max_misses': (0, 1000),
    'low_latency': (0, 1),
    'p_coefficient': (0, 254),
    'i_coefficient': (0, 254),
    'd_coefficient': (0, 254),
    'return_delay': (0, 254),
    'acceleration': (0, 254),
    'maximum_acceleration': (0, 254),
    'gripper_max_torque_limit': (0, 1000),
    'gripper_protection_current': (0, 511),
    'gripper_overload_torque': (0, 100),
    'torque_on_tolerance_ticks': (0, 4095),
    'come_in_ticks_s': (1, 1000),
    'adopt_tolerance_ticks': (0, 4095),
}
