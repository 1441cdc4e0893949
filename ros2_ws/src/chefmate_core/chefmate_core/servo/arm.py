"""The arm behind a servo bus: positions, velocities and goals in rad, one call for each need."""

import time
from collections.abc import Callable

import numpy as np

from chefmate_core.calibration import MAX_TICK, ArmCalibration
from chefmate_core.joints import JOINT_COUNT, JOINT_NAMES
from chefmate_core.servo import registers as reg
from chefmate_core.servo import setup
from chefmate_core.servo.bus import ServoBus
from chefmate_core.servo.config import ServoConfig
from chefmate_core.servo.errors import (
    GoalError,
    ServoReadbackError,
    ServoSilentError,
)
from chefmate_core.servo.readings import ArmHealth, ArmReading
from chefmate_core.servo.registers import decode_sign_magnitude
from chefmate_core.servo.statistics import BusStatistics
from chefmate_core.servo.sync import Row, SyncRead, SyncWrite
from chefmate_core.servo.torque import ServoTorque

_SIGN_15 = 0x8000
_MOTION = (reg.PRESENT_POSITION, reg.PRESENT_VELOCITY)
_HEALTH = (
    reg.PRESENT_LOAD,
    reg.PRESENT_VOLTAGE,
    reg.PRESENT_TEMPERATURE,
    reg.STATUS,
    reg.MOVING,
    reg.PRESENT_CURRENT,
)
_SLOW_VELOCITY_TICKS = 50


class FeetechArm:
    """Six STS3215 on one port. One thread owns it; arrays are in the order of `JOINT_NAMES`."""

    def __init__(
        self,
        port: str,
        calibration: ArmCalibration,
        config: ServoConfig | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self.calibration = calibration
        self._bus = ServoBus(port, config)
        self.config = self._bus.config
        ids = calibration.ids
        self._motion = SyncRead(ids, _MOTION)
        self._everything = SyncRead(ids, _MOTION + _HEALTH)
        self._goal = SyncWrite(ids, reg.GOAL_POSITION)
        self._torque = ServoTorque(self._bus, calibration, self._read_ticks)
        self._rad_s_per_count = calibration.rad_per_tick.copy()
        self._position_ticks = [0] * JOINT_COUNT
        self._velocity_counts = [0] * JOINT_COUNT
        self._read_at_s = [-np.inf] * JOINT_COUNT
        self._misses = [0] * JOINT_COUNT
        self._no_age = np.zeros(JOINT_COUNT)
        self._no_age.setflags(write=False)
        self._health_values = np.full((JOINT_COUNT, 6), np.nan)
        self._health_at_s = np.full(JOINT_COUNT, -np.inf)

    @property
    def port(self) -> str:
        """Path of the port."""
        return self._bus.port

    @property
    def is_connected(self) -> bool:
        """Whether the port is open and was not found gone."""
        return self._bus.is_open

    @property
    def statistics(self) -> BusStatistics:
        """Counters since construction; `as_dict()` is flat, for diagnostics."""
        return self._bus.statistics

    def connect(self) -> None:
        """Open the port, check servos and calibration, read every joint once. Moves nothing.

        Raises a BusError (port, silent servo) or a CalibrationError (model, EEPROM); the port is
        closed again then.
        """
        self._bus.open()
        try:
            setup.check_servos(self._bus, self.calibration)
            setup.check_calibration(self._bus, self.calibration)
            self._learn_velocity_unit()
            self._misses = [0] * JOINT_COUNT
            self._read_ticks()
        except BaseException:
            self._bus.close()
            raise

    def configure(self) -> None:
        """Set the servos up with read-back.

        An arm that holds goes on holding where its EEPROM is as it should be, so that a driver
        that starts again does not drop it; else torque is off afterwards and the arm is limp.
        """
        ids = self.calibration.ids
        if not (self._torque.is_on().all() and setup.eeprom_is_set(self._bus, ids)):
            self._torque.turn_off()
            setup.apply_eeprom(self._bus, ids)
        else:
            self._torque.settle_goals()
        setup.apply_ram(self._bus, ids)

    def hold(self) -> np.ndarray:
        """Turn torque on without moving the arm; return what the servos hold, rad, shape (6,).

        See `ServoTorque.hold`.
        """
        return self._torque.hold()

    def holds(self, goal_rad: np.ndarray) -> bool:
        """Return whether every servo has torque and this goal, rad, shape (6,)."""
        return self._torque.holds(goal_rad)

    def set_torque(self, enabled: bool) -> None:
        """Hold the arm where it is, or let it go limp."""
        if enabled:
            self._torque.hold()
        else:
            self._torque.turn_off()

    def torque_enabled(self) -> np.ndarray:
        """Return which servos have torque on, bool, shape (6,)."""
        return self._torque.is_on()

    def check_torque(self) -> None:
        """Raise TorqueLostError if a servo that answers has no torque; one sync read."""
        self._torque.check()

    def limit_gripper(self, torque_fraction: float | None) -> None:
        """Limit the gripper to a fraction of its stall torque; None: as it is configured.

        Not acknowledged: to be sent again from time to time.
        """
        self._torque.limit_gripper(torque_fraction)

    def read(self, with_health: bool = False) -> ArmReading:
        """Read positions and velocities, on demand also health, by one sync read.

        The missing servos are asked again. A joint that does not answer keeps its last value and
        its age grows. Raises PortLostError when the port is gone, ServoSilentError when a joint
        missed more than `max_misses` reads. A position with an encoder error is no position.
        """
        rows = self._bus.sync_read(self._everything if with_health else self._motion)
        now_s = self._clock()
        is_fresh = True
        positions, velocities = self._position_ticks, self._velocity_counts
        for index, row in enumerate(rows):
            if row is not None:
                position, velocity = row[1], row[2]
                if row[0] & reg.STATUS_ENCODER:
                    is_fresh = False  # it answers, and does not know where it is
                    self._misses[index] = 0
                    continue
                if position <= MAX_TICK:
                    positions[index] = position
                    velocities[index] = velocity if velocity < _SIGN_15 else _SIGN_15 - velocity
                    self._read_at_s[index] = now_s
                    self._misses[index] = 0
                    continue
                self.statistics.implausible_values += 1
            is_fresh = False
            self._misses[index] += 1
        if is_fresh:
            age_s = self._no_age
        else:
            age_s = now_s - np.array(self._read_at_s)
            if max(self._misses) > self.config.max_misses:
                raise self._missed_too_often(age_s)
        calibration = self.calibration
        return ArmReading(
            (np.array(positions) - calibration.zero_ticks) * calibration.rad_per_tick,
            np.array(velocities) * self._rad_s_per_count,
            now_s,
            age_s,
            is_fresh,
            self._health(rows, now_s) if with_health else None,
        )

    def write_goal(self, position_rad: np.ndarray) -> np.ndarray:
        """Send the goals, rad, shape (6,); return what went out after rounding and limits, rad.

        Raises GoalError for a wrong shape, NaN or infinity: nothing is sent then.
        """
        goal_rad = np.asarray(position_rad, dtype=float)
        if goal_rad.shape != (JOINT_COUNT,) or not np.isfinite(goal_rad).all():
            raise GoalError(
                f'{self.port}: the goal is {position_rad!r}; expected {JOINT_COUNT} finite '
                'numbers in rad. Nothing was sent.'
            )
        ticks = self.calibration.rad_to_goal_ticks(goal_rad)
        self._bus.sync_write(self._goal, ticks.tolist())
        return self.calibration.ticks_to_rad(ticks)

    def reconnect(self) -> None:
        """Open the port anew after it was lost or fell silent, check everything, read afresh.

        Torque is left as the servos have it; `hold` makes sure of it.
        Raises as `connect` does as long as the arm is not back.
        """
        self._bus.close()
        self.connect()
        try:
            if self._torque.is_on().any():
                self._torque.settle_goals()
            setup.apply_ram(self._bus, self.calibration.ids)
        except BaseException:
            self._bus.close()
            raise
        self.statistics.reconnects += 1

    def disconnect(self, torque_off: bool) -> None:
        """Close the port; with `torque_off` the arm goes limp first, else it holds its goal."""
        try:
            if torque_off and self._bus.is_open:
                self._torque.turn_off()
        finally:
            self._bus.close()

    def _read_ticks(self) -> np.ndarray:
        """Read until every joint has answered; raise after `register_retries`."""
        begun_s = self._clock()
        for _ in range(1 + self.config.register_retries):
            reading = self.read()
            if min(self._read_at_s) >= begun_s:
                return np.array(self._position_ticks)
        missing = np.array(self._read_at_s) < begun_s
        blind = np.flatnonzero(missing & (np.array(self._misses) == 0))
        if len(blind):
            raise ServoReadbackError(
                f'{self.port}: {", ".join(JOINT_NAMES[index] for index in blind)} reports an '
                'encoder error: its position is not known. Switch the power off and on; if it '
                'stays, replace the servo.'
            )
        raise self._missed_too_often(reading.age_s)

    def _missed_too_often(self, age_s: np.ndarray) -> ServoSilentError:
        silent = [
            f'{JOINT_NAMES[index]} (id {self.calibration.ids[index]}, '
            f'{"never read" if np.isinf(age_s[index]) else f"last read {age_s[index]:.2f} s ago"})'
            for index, misses in enumerate(self._misses)
            if misses
        ]
        count = max(self._misses)
        return ServoSilentError(
            f'{self.port}: no good answer from {", ".join(silent)} in {count} '
            f'read{"s" if count > 1 else ""} in a row. Check the power and the cable to the servo.'
        )

    def _learn_velocity_unit(self) -> None:
        for index, servo_id in enumerate(self.calibration.ids):
            phase = self._bus.read(servo_id, reg.PHASE)
            ticks = 1 if phase & reg.PHASE_VELOCITY_IN_TICKS else _SLOW_VELOCITY_TICKS
            self._rad_s_per_count[index] = ticks * self.calibration.rad_per_tick[index]

    def _health(self, rows: list[Row | None], now_s: float) -> ArmHealth:
        for index, row in enumerate(rows):
            if row is not None:
                self._health_values[index] = self._health_of(index, row)
                self._health_at_s[index] = now_s
        load, voltage, temperature, status, moving, current = self._health_values.T.copy()
        return ArmHealth(
            temperature_c=temperature,
            voltage_v=voltage,
            load_fraction=load,
            current_ma=current,
            status_bits=np.nan_to_num(status).astype(int),
            moving=np.nan_to_num(moving).astype(bool),
            steady_time_s=now_s,
            age_s=now_s - self._health_at_s,
        )

    def _health_of(self, index: int, row: Row) -> tuple[float, ...]:
        error, _, _, load, voltage, temperature, status, moving, current = row
        sign = self.calibration.signs[index]
        return (
            decode_sign_magnitude(load, 10) * reg.LOAD_PER_COUNT * sign,
            voltage * reg.VOLTS_PER_COUNT,
            temperature,
            status | error,
            moving,
            decode_sign_magnitude(current, 15) * reg.MILLIAMPERES_PER_COUNT * sign,
        )
