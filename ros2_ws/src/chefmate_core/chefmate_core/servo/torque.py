"""Torque: on without moving the arm, off, and what the servos hold while it is on."""

import contextlib
import time
from collections.abc import Callable, Iterable, Sequence

import numpy as np

from chefmate_core.calibration import ArmCalibration
from chefmate_core.errors import BusError
from chefmate_core.joints import GRIPPER, JOINT_COUNT, JOINT_NAMES
from chefmate_core.servo import registers as reg
from chefmate_core.servo.bus import ServoBus
from chefmate_core.servo.errors import ServoReadbackError, ServoSilentError, TorqueLostError
from chefmate_core.servo.registers import decode_sign_magnitude
from chefmate_core.servo.sync import Row, SyncRead, SyncWrite

# A joint that leans on the end of its range is so far outside at most: half a degree.
_LEANING_TICKS = 6


class ServoTorque:
    """The torque switches and goals of six servos; arrays are in the order of `JOINT_NAMES`.

    Args:
        read_ticks: reads every joint afresh and returns the positions, ticks, shape (6,); raises
            a BusError if one does not answer.
    """

    def __init__(
        self, bus: ServoBus, calibration: ArmCalibration, read_ticks: Callable[[], np.ndarray]
    ) -> None:
        self.calibration = calibration
        self.config = bus.config
        self._bus = bus
        self._read_ticks = read_ticks
        ids = calibration.ids
        self._goal = SyncWrite(ids, reg.GOAL_POSITION)
        # Its size is no other block's: a late reply to one is never taken for another's.
        self._torque = SyncRead(ids, (reg.TORQUE_ENABLE, reg.GOAL_POSITION, reg.GOAL_TIME))
        self._gripper_torque = SyncWrite((ids[GRIPPER],), reg.TORQUE_LIMIT)

    @property
    def port(self) -> str:
        """Path of the port."""
        return self._bus.port

    def hold(self) -> np.ndarray:
        """Turn torque on without moving the arm; return what the servos hold, rad, shape (6,).

        A servo without torque is first told that its goal is where it is, by a fresh read and
        with read-back. One that has torque keeps its goal: what it grips would fall. If anything
        fails, it raises, and torque is as it was before on every servo that can be reached.
        """
        had_torque, goal, is_outside = self.settle_goals()
        without = np.flatnonzero(~had_torque)
        coming_in = np.flatnonzero(is_outside)
        try:
            for index in coming_in:  # the servo will run to the end of its range: slowly
                servo_id = self.calibration.ids[index]
                self._bus.write_verified(servo_id, reg.GOAL_VELOCITY, self.config.come_in_ticks_s)
            for index in without:
                self._bus.write(self.calibration.ids[index], reg.TORQUE_ENABLE, 1)
            has_torque, _ = self._read_torque_and_goals()
            if not has_torque.all():
                limp = ', '.join(JOINT_NAMES[index] for index in np.flatnonzero(~has_torque))
                raise ServoReadbackError(
                    f'{self.port}: torque does not come on at {limp}. Check its power and '
                    'temperature; a servo protects itself.'
                )
            if len(coming_in):
                self._wait_until_inside(coming_in)
                self._restore_speed(coming_in)
        except BaseException:
            if self._bus.is_open:
                with contextlib.suppress(BusError):  # the first error is the one to tell
                    self.turn_off(without)
                with contextlib.suppress(BusError):
                    self._restore_speed(coming_in)
            raise
        return self.calibration.ticks_to_rad(goal)

    def turn_off(self, indices: Iterable[int] = range(JOINT_COUNT)) -> None:
        """Turn torque off, going on where one servo fails, then raise that failure."""
        failure: ServoSilentError | ServoReadbackError | None = None
        for index in indices:
            try:
                self._bus.write_verified(self.calibration.ids[index], reg.TORQUE_ENABLE, 0)
            except (ServoSilentError, ServoReadbackError) as error:
                failure = failure or error
        if failure is not None:
            raise failure

    def check(self) -> None:
        """Raise TorqueLostError if a servo that answers has no torque; one sync read."""
        rows = self._bus.sync_read(self._torque)
        limp = [name for name, row in zip(JOINT_NAMES, rows, strict=True) if row and not row[1]]
        if limp:
            raise TorqueLostError(
                f'{self.port}: {", ".join(limp)} lost torque by itself: a power cut, or the '
                "servo's own protection. Check the power supply and what the arm carries."
            )

    def limit_gripper(self, torque_fraction: float | None) -> None:
        """Limit the gripper to a fraction of its stall torque; None: as it is configured.

        Not acknowledged: to be sent again from time to time.
        """
        limit = self.config.gripper_max_torque_limit
        if torque_fraction is not None:
            limit = min(limit, round(torque_fraction * reg.TORQUE_LIMIT_FULL))
        self._bus.sync_write(self._gripper_torque, [limit])

    def holds(self, goal_rad: np.ndarray) -> bool:
        """Return whether every servo has torque and this goal, rad, shape (6,); one sync read."""
        is_on, goal_ticks = self._read_torque_and_goals()
        expected = self.calibration.rad_to_goal_ticks(goal_rad)
        return bool(is_on.all() and (goal_ticks == expected).all())

    def is_on(self) -> np.ndarray:
        """Return which servos have torque on, bool, shape (6,)."""
        return self._read_torque_and_goals()[0]

    def settle_goals(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Give every servo a goal that it may hold.

        Returns who has torque, the goals in ticks, and who has to come into its range for its
        goal; shape (6,) each.

        A servo that has torque keeps its goal, unless that is far away: the servo would run there
        as soon as its speed limit is lifted.
        """
        present = self._read_ticks()
        low, high = self.calibration.range_min_ticks, self.calibration.range_max_ticks
        has_torque, held = self._read_torque_and_goals()
        is_near = np.abs(held - present) <= self.config.adopt_tolerance_ticks
        is_near[GRIPPER] = True  # its distance is its grip
        keeps = has_torque & is_near & (held >= low) & (held <= high)
        outside = np.where(keeps, 0, self._ticks_outside(present))
        if outside.max() > self.config.torque_on_tolerance_ticks:
            worst = int(outside.argmax())
            raise ServoReadbackError(
                f'{self.port}, {JOINT_NAMES[worst]}: at tick {present[worst]}, which is '
                f'{outside[worst]:.0f} outside its calibrated range {low[worst]:.0f} to '
                f'{high[worst]:.0f}; with torque on it would run there. Move the joint into its '
                'range by hand, or calibrate again.'
            )
        goal = np.where(keeps, held, np.clip(present, low, high)).astype(int)
        self._write_goals_verified(goal.tolist())
        return has_torque, goal, outside > _LEANING_TICKS

    def _wait_until_inside(self, indices: np.ndarray) -> None:
        """Let joints come into their range, by the servos' own slow speed."""
        longest_s = 3.0 * self.config.torque_on_tolerance_ticks / self.config.come_in_ticks_s
        ends_s = time.monotonic() + longest_s
        while (self._ticks_outside(self._read_ticks())[indices] > _LEANING_TICKS).any():
            if time.monotonic() > ends_s:
                names = ', '.join(JOINT_NAMES[index] for index in indices)
                raise ServoReadbackError(
                    f'{self.port}: {names} does not come into its calibrated range within '
                    f'{longest_s:.1f} s. Move it there by hand, or calibrate again.'
                )

    def _restore_speed(self, indices: np.ndarray) -> None:
        for index in indices:
            self._bus.write_verified(self.calibration.ids[index], reg.GOAL_VELOCITY, 0)

    def _ticks_outside(self, present: np.ndarray) -> np.ndarray:
        low, high = self.calibration.range_min_ticks, self.calibration.range_max_ticks
        return np.maximum(np.maximum(low - present, present - high), 0)

    def _read_torque_and_goals(self) -> tuple[np.ndarray, np.ndarray]:
        """Return which servos have torque, and their goals in ticks; raise unless all answer."""
        rows: list[Row | None] = [None] * JOINT_COUNT
        for _ in range(1 + self.config.register_retries):
            newest = self._bus.sync_read(self._torque)
            rows = [new or old for new, old in zip(newest, rows, strict=True)]
            if None not in rows:
                _, torque, goal, _ = np.array(rows).T
                return torque == 1, np.array([decode_sign_magnitude(int(raw), 15) for raw in goal])
        raise self._silence(rows)

    def _silence(self, answers: Sequence[object]) -> ServoSilentError:
        silent = [name for name, found in zip(JOINT_NAMES, answers, strict=True) if found is None]
        return ServoSilentError(
            f'{self.port}: no good answer from {", ".join(silent)}. Check the power and the cable '
            'to the servo.'
        )

    def _write_goals_verified(self, goal_ticks: list[int]) -> None:
        found: list[int | None] = [None] * JOINT_COUNT
        for _ in range(1 + self.config.register_retries):
            self._bus.sync_write(self._goal, goal_ticks)
            rows = self._bus.sync_read(self._torque)
            found = [row[2] if row else old for row, old in zip(rows, found, strict=True)]
            if found == goal_ticks:
                return
        if None in found:
            raise self._silence(found)
        raise ServoReadbackError(
            f'{self.port}: the goals do not read back as they were written (sent {goal_ticks}, '
            f'found {found}); torque stays off. Check the bus cable.'
        )
