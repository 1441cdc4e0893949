"""One virtual STS3215: answers instructions from its registers and drives one joint of a model."""

import math
import struct
from collections.abc import Callable

from chefmate_core.calibration import TICKS_PER_TURN, ArmCalibration
from chefmate_core.servo import registers as reg
from chefmate_core.servo.protocol import Frame, Instruction, packet
from chefmate_sim.virtual_bus.memory import ServoMemory
from chefmate_sim.virtual_bus.model import ServoArmModel
from chefmate_sim.virtual_bus.overload import OverloadProtection
from chefmate_sim.virtual_bus.profile import GoalProfile

# Source: STS3215 datasheet, 7.4 V version: stall current 2.4 A, supply 6 to 7.4 V.
STALL_CURRENT_MA = 2400.0
_SUPPLY_V = 7.4
# Assumed: below this the servo's own 3.3 V regulator gives up, and its processor restarts.
BROWN_OUT_V = 3.5
_ROOM_TEMPERATURE_C = 31.0
_MOVING_TICKS_S = 10
_SLOW_VELOCITY_TICKS = 50
_SIGN_15 = 0x8000
_SIGN_10 = 0x0400
# Registers 56 to 70 as one block: position, velocity, load, voltage, temperature, async flag,
# status, moving, (67, 68), current.
_PRESENT = struct.Struct('<HHHBBBBBxxH')


class VirtualServo:
    """A servo with its own registers. `index` is its joint in the model and the calibration.

    Its magnet was glued on when the calibration was made: actual tick = reported tick + homing
    offset of `calibration`. So another homing offset in the EEPROM shifts what it reports, as
    on a real servo.
    """

    def __init__(self, index: int, arm: ServoArmModel, calibration: ArmCalibration) -> None:
        joint = calibration.joints[index]
        self.memory = ServoMemory()
        self.temperature_c = _ROOM_TEMPERATURE_C
        self.voltage_v = _SUPPLY_V
        # Of a broken encoder: by how many ticks it is wrong this time; it knows it.
        self.encoder_jump: Callable[[], int] | None = None
        self._jump_ticks = 0
        self.is_powered = True
        self.goals_written = 0
        self.index = index
        self._arm = arm
        self._rad_per_tick = float(calibration.rad_per_tick[index])
        self._zero_actual = float(calibration.zero_ticks[index]) + joint.homing_offset
        self._sign = float(calibration.signs[index])
        self._pending: tuple[int, bytes] | None = None
        self._overload = OverloadProtection(self.memory)
        self._profile = GoalProfile(float(arm.position_rad()[index]))
        self._position_rad = float(arm.position_rad()[index])
        for register, value in (
            (reg.SERVO_ID, joint.id),
            (reg.HOMING_OFFSET, joint.homing_offset),
            (reg.MIN_POSITION_LIMIT, joint.range_min),
            (reg.MAX_POSITION_LIMIT, joint.range_max),
        ):
            self.memory.set_lasting(register, value)
        self.power_on()

    @property
    def servo_id(self) -> int:
        """The id in its EEPROM."""
        return self.memory.live[reg.SERVO_ID.address]

    def power_on(self) -> None:
        """Start as after power-on: torque off, RAM at its defaults, goal where the joint is."""
        self.memory.power_cycle()
        self._overload.reset()
        self._pending = None
        self._arm.set_torque_limit(self.index, 0.0)
        self.measure(float(self._arm.position_rad()[self.index]), 0.0, 0.0)
        self.memory.set(reg.GOAL_POSITION, self.memory.get(reg.PRESENT_POSITION))

    def supply(self, voltage_v: float) -> None:
        """Take another supply voltage; too little switches the servo off, enough on again."""
        self.voltage_v = voltage_v
        if self.is_powered and voltage_v < BROWN_OUT_V:
            self.is_powered = False
            self._arm.set_torque_limit(self.index, 0.0)
        elif not self.is_powered and voltage_v >= BROWN_OUT_V:
            self.is_powered = True
            self.power_on()

    def measure(self, position_rad: float, velocity_rad_s: float, load: float) -> None:
        """Put what the joint does now into the present-value registers."""
        memory = self.memory
        self._position_rad = position_rad
        self._jump_ticks = self.encoder_jump() if self.encoder_jump is not None else 0
        velocity = round(velocity_rad_s / self._rad_per_tick)
        is_moving = abs(velocity) > _MOVING_TICKS_S
        if not memory.live[reg.PHASE.address] & reg.PHASE_VELOCITY_IN_TICKS:
            velocity = round(velocity / _SLOW_VELOCITY_TICKS)
        speed = min(abs(velocity), 0x7FFF)  # a hand may move a joint as fast as it likes
        load_counts = min(round(abs(load) / reg.LOAD_PER_COUNT), 1000)
        current = round(abs(load) * STALL_CURRENT_MA / reg.MILLIAMPERES_PER_COUNT)
        is_negative = load * self._sign < 0
        _PRESENT.pack_into(
            memory.live,
            reg.PRESENT_POSITION.address,
            self._reported_ticks(position_rad),
            speed | _SIGN_15 if velocity < 0 else speed,
            load_counts | _SIGN_10 if is_negative else load_counts,
            min(max(round(self.voltage_v / reg.VOLTS_PER_COUNT), 0), 255),
            min(max(round(self.temperature_c), 0), 255),
            self._pending is not None,
            self._status(),
            is_moving,
            min(current, 0x7FFF) | _SIGN_15 if is_negative else min(current, 0x7FFF),
        )

    def execute(self, frame: Frame) -> bytes | None:
        """Execute an instruction; return the reply, None where a servo gives none."""
        parameters = frame.parameters
        code = frame.code
        if code == Instruction.READ and len(parameters) == 2:
            return self.reply(self.memory.read(parameters[0], parameters[1]))
        if code == Instruction.PING:
            return self.reply()
        if code == Instruction.WRITE and len(parameters) >= 2:
            self.write(parameters[0], parameters[1:])
        elif code == Instruction.REG_WRITE and len(parameters) >= 2:
            self._pending = parameters[0], parameters[1:]
        elif code == Instruction.ACTION:
            if self._pending is not None:
                address, data = self._pending
                self._pending = None
                self.write(address, data)
        else:
            return None
        return self.reply() if self.memory.get(reg.RESPONSE_LEVEL) else None

    def reply(self, parameters: bytes = b'') -> bytes:
        """Return a status packet of this servo."""
        return packet(self.servo_id, self.memory.live[reg.STATUS.address], parameters)

    def write(self, address: int, data: bytes) -> None:
        """Write registers from the bus and act on those that move something."""
        memory = self.memory
        memory.write(address, data)
        end = address + len(data)
        has_goal = address <= reg.GOAL_POSITION.address < end
        if has_goal:
            self.goals_written += 1
            if self._overload.has_tripped:
                self._relieve()
        if address <= reg.TORQUE_ENABLE.address < end:
            self._overload.reset()
            self._apply_goal()
            self._apply_torque()
        elif address <= reg.TORQUE_LIMIT.address < end:
            self._apply_goal()
            self._apply_torque()
        elif has_goal and memory.get(reg.TORQUE_ENABLE):
            self._apply_goal()

    def protect(self, load: float, now_s: float) -> None:
        """Do what the servo does by itself against a load, -1..1, and a bad status."""
        if self.memory.get(reg.TORQUE_ENABLE) == 1:
            speed_rad_s = self.memory.get(reg.GOAL_VELOCITY) * abs(self._rad_per_tick)
            seen_rad = self._profile.advance(speed_rad_s, now_s)
            if speed_rad_s:
                self._arm.set_goal(self.index, seen_rad)
        else:
            self._profile.begin(self._position_rad)
        if self._overload.watch(load * self._sign, now_s):
            self._apply_torque()
        bits = self._status() & ~reg.STATUS_OVERLOAD  # that one has a torque of its own
        if bits & self.memory.get(reg.UNLOADING_CONDITION) and self.memory.get(reg.TORQUE_ENABLE):
            self.memory.set(reg.TORQUE_ENABLE, 0)
            self._apply_torque()

    def _relieve(self) -> None:
        memory = self.memory
        self._overload.relieve(memory.get(reg.GOAL_POSITION), memory.get(reg.PRESENT_POSITION))
        self._apply_torque()

    def _apply_torque(self) -> None:
        memory = self.memory
        limit = min(memory.get(reg.TORQUE_LIMIT), reg.TORQUE_LIMIT_FULL) / reg.TORQUE_LIMIT_FULL
        is_on = memory.get(reg.TORQUE_ENABLE) == 1
        limit = min(limit, self._overload.torque_fraction)
        self._arm.set_torque_limit(self.index, limit if is_on else 0.0)

    def _apply_goal(self) -> None:
        memory = self.memory
        low, high = memory.get(reg.MIN_POSITION_LIMIT), memory.get(reg.MAX_POSITION_LIMIT)
        goal = min(max(memory.get(reg.GOAL_POSITION), low), high)
        self._profile.set_goal(self._rad_of(goal))
        at_once = not memory.get(reg.GOAL_VELOCITY)
        self._arm.set_goal(self.index, self._rad_of(goal) if at_once else self._profile.seen_rad)

    def _reported_ticks(self, position_rad: float) -> int:
        if not math.isfinite(position_rad):
            # A physics model that blew up: the encoder reports an error, not a crash.
            return 0
        actual = round(position_rad / self._rad_per_tick + self._zero_actual)
        actual += self._jump_ticks
        return (actual - self.memory.get(reg.HOMING_OFFSET)) % TICKS_PER_TURN

    def _rad_of(self, reported_ticks: int) -> float:
        actual = reported_ticks + self.memory.get(reg.HOMING_OFFSET)
        return (actual - self._zero_actual) * self._rad_per_tick

    def _status(self) -> int:
        memory = self.memory
        live = memory.live
        bits = 0
        # Compared in the registers' units, as the servo does.
        voltage = round(self.voltage_v / reg.VOLTS_PER_COUNT)
        if not live[reg.MIN_VOLTAGE.address] <= voltage <= live[reg.MAX_VOLTAGE.address]:
            bits |= reg.STATUS_VOLTAGE
        if self.temperature_c > live[reg.MAX_TEMPERATURE.address]:
            bits |= reg.STATUS_TEMPERATURE
        if self._jump_ticks:
            bits |= reg.STATUS_ENCODER
        if self._overload.has_tripped:
            bits |= reg.STATUS_OVERLOAD
        return bits
