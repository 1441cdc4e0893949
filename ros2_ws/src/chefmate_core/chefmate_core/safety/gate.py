"""The safety gate: the last thing between a command and the bytes.

A pure function of commands, measurements and a clock: no thread, no ROS, no serial port. The
driver hands every command to `command` and asks `step` once a cycle for what goes on the bus.
Whatever was commanded, a setpoint is finite, inside the limits less a margin, and within the
velocity and acceleration caps against the setpoint before it.

All times are seconds. `now_s` is a steady clock's. Stamps of commands and `clock_s` are the wall
clock's of sender and receiver, and are only ever compared with one another.
"""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from chefmate_core.errors import ConfigurationError
from chefmate_core.joints import GRIPPER, JOINT_COUNT
from chefmate_core.safety.command import Command, Refusal, parse
from chefmate_core.safety.config import GateConfig


class Mode(StrEnum):
    """What the gate is doing."""

    INACTIVE = 'inactive'  # torque is off: there is no setpoint
    HOLDING = 'holding'  # no command in force: standing still, or coming to a stand
    BLENDING = 'blending'  # approaching the first command of a source at blend speed
    FOLLOWING = 'following'
    ESTOPPED = 'estopped'


@dataclass(frozen=True)
class Setpoint:
    """What goes on the bus in this cycle."""

    position_rad: np.ndarray  # (6,)
    velocity_rad_s: np.ndarray  # (6,)
    mode: Mode


class SafetyGate:
    """See the module's docstring. One thread calls it."""

    def __init__(
        self, config: GateConfig, lower_rad: np.ndarray, upper_rad: np.ndarray, period_s: float
    ) -> None:
        """Take the calibrated range of each joint, shape (6,), and the nominal cycle period."""
        self.config = config
        self._lower = np.asarray(lower_rad, dtype=float) + config.limit_margin_rad
        self._upper = np.asarray(upper_rad, dtype=float) - config.limit_margin_rad
        if not np.all(self._lower < self._upper):
            raise ConfigurationError(
                f'the range of a joint is empty: lower {lower_rad}, upper {upper_rad} rad, '
                f'margin {config.limit_margin_rad} rad; calibrate the arm again'
            )
        # After a stall the arm goes on at its pace instead of making up for the lost time.
        self._longest_step_s = 1.5 * period_s
        self.counters: Counter[str] = Counter()
        self.mode = Mode.INACTIVE
        self._position = np.zeros(JOINT_COUNT)
        self._velocity = np.zeros(JOINT_COUNT)
        self._stepped_s = 0.0
        self._source: str | None = None
        self._stamp_s = -np.inf
        self._stand: np.ndarray | None = None  # where to hold, once the arm has come to a stand
        self._forget_commands()

    # --- life ------------------------------------------------------------------------------------

    def activate(self, measured_rad: np.ndarray, now_s: float) -> None:
        """Seed the setpoint from a successful read, before torque goes on."""
        measured = np.array(measured_rad, dtype=float)
        if measured.shape != (JOINT_COUNT,) or not np.all(np.isfinite(measured)):
            raise ConfigurationError(
                f'the gate is seeded from {JOINT_COUNT} finite positions; found {measured_rad}. '
                'Read the arm successfully first'
            )
        self._position = measured
        self._velocity = np.zeros(JOINT_COUNT)
        self._stepped_s = now_s
        self._forget_commands()
        self.mode = Mode.HOLDING
        if np.any((measured < self._lower) | (measured > self._upper)):
            self.counters['seeded_outside_limits'] += 1

    def deactivate(self) -> None:
        """Torque is off: there is no setpoint until the next `activate`."""
        self.mode = Mode.INACTIVE
        self._forget_commands()

    def engage_estop(self) -> None:
        """Latch the emergency stop: decelerate within the caps and hold, refuse every command."""
        if self.mode is not Mode.ESTOPPED:
            self.counters['estops'] += 1
        self.mode = Mode.ESTOPPED
        self._forget_commands()

    def release_estop(self, measured_rad: np.ndarray, now_s: float) -> None:
        """Release the latch and seed again from a fresh read.

        Where torque stayed on, the gripper keeps its setpoint: what it holds is between its
        measured and its commanded position, and would fall.
        """
        if self.config.estop_mode == 'hold' and np.any(self._velocity != 0.0):
            self._forget_commands()  # released while still braking: go on braking
            self.mode = Mode.HOLDING
            return
        gripper_rad = self._position[GRIPPER]
        self.activate(measured_rad, now_s)
        if self.config.estop_mode == 'hold':
            self._position[GRIPPER] = gripper_rad
            self._target = self._position.copy()

    @property
    def source(self) -> str | None:
        """Who commands the arm now."""
        return self._source

    # --- commands --------------------------------------------------------------------------------

    def command(self, command: Command, clock_s: float, now_s: float) -> Refusal | None:
        """Take a command, or return why it is refused. Every decision is counted."""
        refusal = self._consider(command, clock_s, now_s)
        self.counters[refusal or 'accepted'] += 1
        return refusal

    def _consider(self, command: Command, clock_s: float, now_s: float) -> Refusal | None:
        parsed = parse(command)
        if isinstance(parsed, Refusal):
            return parsed
        if self.mode is Mode.INACTIVE:
            return Refusal.INACTIVE
        if self.mode is Mode.ESTOPPED:
            return Refusal.ESTOP
        if not clock_s - command.stamp_s <= self.config.command_timeout_s:
            return Refusal.STALE
        if not command.stamp_s - clock_s <= self.config.future_tolerance_s:
            return Refusal.FUTURE
        self._notice_silence(now_s)
        taking_over = command.source != self._source
        if not taking_over and command.stamp_s <= self._stamp_s:
            return Refusal.OUT_OF_ORDER

        indices, positions_rad = parsed
        target = self._position.copy() if taking_over else self._target.copy()
        target[indices] = np.clip(positions_rad, self._lower[indices], self._upper[indices])
        if np.any(target[indices] != positions_rad):
            self.counters['clamped_to_limits'] += 1

        if taking_over:
            self._take_over(command.source)
        elif self.mode is Mode.FOLLOWING:
            distance_rad = np.max(np.abs(target - self._position))
            if distance_rad > self.config.reject_distance_rad:
                self._forget_commands()
                self.mode = Mode.HOLDING
                return Refusal.ABSURD
            if distance_rad > self.config.pass_distance_rad:
                self.counters['rate_limited'] += 1
        self._estimate_target_velocity(target, command.stamp_s, taking_over)
        self._target = target
        self._stamp_s = command.stamp_s
        self._accepted_s = now_s
        return None

    def _take_over(self, source: str) -> None:
        self._source = source
        self.mode = Mode.BLENDING
        self.counters['blends'] += 1

    def _estimate_target_velocity(
        self, target: np.ndarray, stamp_s: float, taking_over: bool
    ) -> None:
        """Velocity of the commanded motion, from consecutive stamps; followed without lag."""
        if taking_over:
            self._target_velocity = np.zeros(JOINT_COUNT)
            self._interval_s = 0.0
            return
        self._interval_s = max(stamp_s - self._stamp_s, 1e-3)
        velocity = (target - self._target) / self._interval_s
        cap = self.config.max_velocity_rad_s
        # A jump is no motion to be extrapolated: approach it as a standing target.
        self._target_velocity = np.where(np.abs(velocity) <= cap, velocity, 0.0)

    def _forget_commands(self) -> None:
        self._source = None
        self._target = self._position.copy()
        self._target_velocity = np.zeros(JOINT_COUNT)
        self._stamp_s = -np.inf
        self._accepted_s = -np.inf
        self._interval_s = 0.0
        self._stand = None

    def _notice_silence(self, now_s: float) -> None:
        """Starvation: forget the source, so that its next command is a hand-over again."""
        silent = now_s - self._accepted_s > self.config.command_timeout_s
        if silent and self.mode in (Mode.BLENDING, Mode.FOLLOWING):
            self.counters['starvations'] += 1
            self._forget_commands()
            self.mode = Mode.HOLDING

    # --- setpoints -------------------------------------------------------------------------------

    def step(self, measured_rad: np.ndarray, now_s: float) -> Setpoint:
        """Return the setpoint of this cycle. `measured_rad`, shape (6,), may hold NaN."""
        if self.mode is Mode.INACTIVE:
            raise ConfigurationError('the gate has no setpoint before activate()')
        step_s = min(max(now_s - self._stepped_s, 0.0), self._longest_step_s)
        self._stepped_s = now_s
        self._notice_silence(now_s)
        if step_s > 0.0:
            if self.mode in (Mode.BLENDING, Mode.FOLLOWING):
                self._follow(now_s, step_s)
            else:
                self._stand_still(np.asarray(measured_rad, dtype=float), step_s)
        return Setpoint(self._position.copy(), self._velocity.copy(), self.mode)

    def _follow(self, now_s: float, step_s: float) -> None:
        if self.mode is Mode.BLENDING:
            cap = self.config.blend_velocity_rad_s
            distance_rad = np.max(np.abs(self._target - self._position))
            if distance_rad <= self.config.blend_distance_rad:
                self.mode = Mode.FOLLOWING
        else:
            cap = self.config.max_velocity_rad_s
        # The target is taken to move on only for as long as the next command is due.
        due = now_s - self._accepted_s <= 1.5 * self._interval_s
        self._track(self._target, self._target_velocity if due else np.zeros(JOINT_COUNT),
                    cap, step_s)  # fmt: skip

    def _stand_still(self, measured_rad: np.ndarray, step_s: float) -> None:
        """Decelerate; once standing, hold there, or where the arm is if it could not follow."""
        if self._stand is not None:
            self._track(self._stand, np.zeros(JOINT_COUNT), self.config.blend_velocity_rad_s,
                        step_s)  # fmt: skip
            return
        self._advance(np.zeros(JOINT_COUNT), step_s)
        if np.any(self._velocity != 0.0):
            return
        blocked = np.abs(measured_rad - self._position) > self.config.hold_error_rad  # NaN: False
        blocked[GRIPPER] = False  # its error is its grip: to let go would drop what it holds
        self.counters['holds_relaxed'] += int(np.any(blocked))
        within = np.clip(measured_rad, self._lower, self._upper)
        self._stand = np.where(blocked, within, self._position)

    def _track(
        self, target: np.ndarray, target_velocity: np.ndarray, cap: np.ndarray, step_s: float
    ) -> None:
        """One step towards a target that moves at `target_velocity`, able to stop on it."""
        remaining = target - self._position - target_velocity * step_s
        distance = np.abs(remaining)
        closing = np.minimum(distance / step_s, self._stoppable(distance, step_s))
        wanted = target_velocity + np.sign(remaining) * closing
        self._advance(np.clip(wanted, -cap, cap), step_s)

    def _advance(self, wanted_velocity: np.ndarray, step_s: float) -> None:
        """Integrate one step, within the acceleration caps and able to stop before the limits."""
        change = self.config.max_acceleration_rad_s2 * step_s
        velocity = np.clip(wanted_velocity, self._velocity - change, self._velocity + change)
        # A joint that was seeded outside its limits may stand there and move in, never out.
        room_up = np.maximum(self._upper - self._position, 0.0)
        room_down = np.maximum(self._position - self._lower, 0.0)
        self._velocity = np.clip(
            velocity, -self._stoppable(room_down, step_s), self._stoppable(room_up, step_s)
        )
        self._position = self._position + self._velocity * step_s

    def _stoppable(self, distance_rad: np.ndarray, step_s: float) -> np.ndarray:
        """Highest velocity of this step that leaves room to stop within `distance_rad`.

        This step covers v*T; braking before each later step, however long, covers at most
        v^2/(2a). Both together fill the distance; solved for v.
        """
        acceleration = self.config.max_acceleration_rad_s2
        now = acceleration * step_s
        return np.sqrt(now * now + 2.0 * acceleration * distance_rad) - now
