"""The STS3215's registers, as data.

Source: Feetech, "Magnetic encoder STS series servo, memory table" (FT-SMS-STS e-manual,
doc.feetech.cn, product STS3215; firmware 3.x), factory values included. Multi-byte registers are
little endian. Signed registers are a magnitude and a sign bit, not two's complement.
"""

from dataclasses import dataclass
from enum import Enum

MODEL_STS3215 = 777
# Registers 128 and up hold nothing that a bus client may use.
MEMORY_SIZE = 128


class Area(Enum):
    """Where a register lives."""

    EEPROM = 'eeprom'  # survives power-off when written with `lock` = 0
    RAM = 'ram'  # lost at power-off
    FACTORY = 'factory'  # tuned by the maker


@dataclass(frozen=True)
class Register:
    """One register: where, how large, how it is read.

    `unit` is what one count means; `factory` the value a new servo has.
    """

    name: str
    address: int
    size: int
    area: Area
    unit: str
    factory: int = 0
    read_only: bool = False
    sign_bit: int | None = None

    @property
    def minimum(self) -> int:
        """Smallest value the register can hold."""
        return 0 if self.sign_bit is None else 1 - (1 << self.sign_bit)

    @property
    def maximum(self) -> int:
        """Largest value the register can hold."""
        return (1 << (8 * self.size if self.sign_bit is None else self.sign_bit)) - 1

    def encode(self, value: int) -> bytes:
        """Return the register's bytes; raise ValueError for a value that does not fit."""
        if not self.minimum <= value <= self.maximum:
            raise ValueError(
                f'register {self.name}: {value} does not fit; allowed {self.minimum} to '
                f'{self.maximum}'
            )
        raw = value if value >= 0 or self.sign_bit is None else -value | (1 << self.sign_bit)
        return raw.to_bytes(self.size, 'little')

    def decode(self, data: bytes | bytearray) -> int:
        """Return the value of the register's bytes."""
        raw = int.from_bytes(data[: self.size], 'little')
        return raw if self.sign_bit is None else decode_sign_magnitude(raw, self.sign_bit)


def decode_sign_magnitude(raw: int, sign_bit: int) -> int:
    """Return the signed value of a magnitude with a sign bit.

    A value with a bit above the sign bit cannot be a magnitude. Some firmware returns the homing
    offset as two's complement of 16 bits; there those bits are all set, so both can be told apart.
    """
    if raw >> (sign_bit + 1):
        return raw - 0x10000 if raw & 0x8000 else raw
    magnitude = raw & ((1 << sign_bit) - 1)
    return -magnitude if raw >> sign_bit else magnitude


_E, _R, _F = Area.EEPROM, Area.RAM, Area.FACTORY

FIRMWARE_MAJOR = Register('firmware_major', 0, 1, _E, '', 3, read_only=True)
FIRMWARE_MINOR = Register('firmware_minor', 1, 1, _E, '', 10, read_only=True)
MODEL_NUMBER = Register('model_number', 3, 2, _E, '', MODEL_STS3215, read_only=True)
SERVO_ID = Register('servo_id', 5, 1, _E, '', 1)
BAUD_RATE = Register('baud_rate', 6, 1, _E, 'code, 0 = 1 Mbaud')
RETURN_DELAY = Register('return_delay', 7, 1, _E, '2 us')
RESPONSE_LEVEL = Register('response_level', 8, 1, _E, '0 = read and ping only, 1 = all', 1)
MIN_POSITION_LIMIT = Register('min_position_limit', 9, 2, _E, 'tick')
MAX_POSITION_LIMIT = Register('max_position_limit', 11, 2, _E, 'tick', 4095)
MAX_TEMPERATURE = Register('max_temperature', 13, 1, _E, 'degree C', 70)
MAX_VOLTAGE = Register('max_voltage', 14, 1, _E, '0.1 V', 80)
MIN_VOLTAGE = Register('min_voltage', 15, 1, _E, '0.1 V', 40)
MAX_TORQUE_LIMIT = Register('max_torque_limit', 16, 2, _E, '0.1 % of stall torque', 1000)
PHASE = Register('phase', 18, 1, _E, 'bits', 12)
UNLOADING_CONDITION = Register('unloading_condition', 19, 1, _E, 'status bits', 44)
LED_ALARM_CONDITION = Register('led_alarm_condition', 20, 1, _E, 'status bits', 47)
P_COEFFICIENT = Register('p_coefficient', 21, 1, _E, '', 32)
D_COEFFICIENT = Register('d_coefficient', 22, 1, _E, '', 32)
I_COEFFICIENT = Register('i_coefficient', 23, 1, _E, '')
MINIMUM_STARTUP_FORCE = Register('minimum_startup_force', 24, 2, _E, '0.1 %', 16)
CW_DEAD_ZONE = Register('cw_dead_zone', 26, 1, _E, 'tick', 1)
CCW_DEAD_ZONE = Register('ccw_dead_zone', 27, 1, _E, 'tick', 1)
PROTECTION_CURRENT = Register('protection_current', 28, 2, _E, '6.5 mA', 500)
ANGULAR_RESOLUTION = Register('angular_resolution', 30, 1, _E, '', 1)
HOMING_OFFSET = Register('homing_offset', 31, 2, _E, 'tick', sign_bit=11)
OPERATING_MODE = Register('operating_mode', 33, 1, _E, '0 = position, 1 speed, 2 PWM, 3 step')
PROTECTIVE_TORQUE = Register('protective_torque', 34, 1, _E, '1 %', 20)
PROTECTION_TIME = Register('protection_time', 35, 1, _E, '10 ms', 200)
OVERLOAD_TORQUE = Register('overload_torque', 36, 1, _E, '1 %', 80)
VELOCITY_P = Register('velocity_p', 37, 1, _E, '', 10)
OVERCURRENT_TIME = Register('overcurrent_time', 38, 1, _E, '10 ms', 200)
VELOCITY_I = Register('velocity_i', 39, 1, _E, '', 200)

TORQUE_ENABLE = Register('torque_enable', 40, 1, _R, '0 = off, 1 = on, 128 = define middle')
ACCELERATION = Register('acceleration', 41, 1, _R, '100 ticks/s^2, 0 = no limit')
GOAL_POSITION = Register('goal_position', 42, 2, _R, 'tick', sign_bit=15)
GOAL_TIME = Register('goal_time', 44, 2, _R, '1 ms')
GOAL_VELOCITY = Register('goal_velocity', 46, 2, _R, 'tick/s, 0 = fastest', sign_bit=15)
TORQUE_LIMIT = Register('torque_limit', 48, 2, _R, '0.1 % of stall torque', 1000)
LOCK = Register('lock', 55, 1, _R, '0 = EEPROM can be written')
PRESENT_POSITION = Register('present_position', 56, 2, _R, 'tick', read_only=True, sign_bit=15)
PRESENT_VELOCITY = Register('present_velocity', 58, 2, _R, 'tick/s', read_only=True, sign_bit=15)
PRESENT_LOAD = Register('present_load', 60, 2, _R, '0.1 %', read_only=True, sign_bit=10)
PRESENT_VOLTAGE = Register('present_voltage', 62, 1, _R, '0.1 V', read_only=True)
PRESENT_TEMPERATURE = Register('present_temperature', 63, 1, _R, 'degree C', read_only=True)
ASYNC_WRITE_FLAG = Register('async_write_flag', 64, 1, _R, '', read_only=True)
STATUS = Register('status', 65, 1, _R, 'status bits', read_only=True)
MOVING = Register('moving', 66, 1, _R, '', read_only=True)
PRESENT_CURRENT = Register('present_current', 69, 2, _R, '6.5 mA', read_only=True, sign_bit=15)

MOVING_THRESHOLD = Register('moving_threshold', 80, 1, _F, '50 ticks/s', 1)
MAXIMUM_ACCELERATION = Register('maximum_acceleration', 85, 1, _F, '100 ticks/s^2', 254)

REGISTERS = {
    register.name: register
    for register in tuple(globals().values())
    if isinstance(register, Register)
}

# `phase` bits. Source: Feetech, STS memory table, "special bytes".
PHASE_VELOCITY_IN_TICKS = 0x04  # set: 1 tick/s (0.0146 rpm); clear: 50 ticks/s (0.732 rpm)
PHASE_MULTI_TURN_FEEDBACK = 0x10  # set: positions may leave 0..4095

# Bits of `status`, of every reply's error byte, and of the conditions.
STATUS_VOLTAGE = 0x01
STATUS_ENCODER = 0x02
STATUS_TEMPERATURE = 0x04
STATUS_CURRENT = 0x08
STATUS_OVERLOAD = 0x20
STATUS_NAMES = {
    STATUS_VOLTAGE: 'voltage',
    STATUS_ENCODER: 'encoder',
    STATUS_TEMPERATURE: 'temperature',
    STATUS_CURRENT: 'current',
    STATUS_OVERLOAD: 'overload',
}

VOLTS_PER_COUNT = 0.1
MILLIAMPERES_PER_COUNT = 6.5
LOAD_PER_COUNT = 0.001
TORQUE_LIMIT_FULL = 1000


def status_names(bits: int) -> tuple[str, ...]:
    """Return the names of the status bits that are set."""
    return tuple(name for bit, name in STATUS_NAMES.items() if bits & bit)
