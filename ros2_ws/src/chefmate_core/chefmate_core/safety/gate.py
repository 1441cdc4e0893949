"""The safety gate: the last thing between a command and the bytes.

A pure function of commands, measurements and a clock: no thread, no ROS, no serial port. The
driver hands every command to `command`, every telemetry block to `observe`, and asks `step` once
a cycle for what goes on the bus. Whatever was commanded, a setpoint is finite, inside the limits
less a margin, and within the velocity and acceleration caps against the setpoint before it.

`docs/safety.md` states what this file guarantees, in this file's order.

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
from chefmate_core.safety.health import HealthMonitor, Severity, StopPersistsError
from chefmate_core.safety.setpoint_motion import SetpointMotion
from chefmate_core.servo.readings import ArmHealth


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
    gripper_torque: float | None = None  # fraction of stall torque; None: as it is configured


class SafetyGate:
    """See the module's docstring. One thread calls it."""

    def __init__(
        self, config: GateConfig, lower_rad: np.ndarray, upper_rad: np.ndarray, period_s: float
    ) -> None:
        """Take the calibrated range of each joint, shape (6,), and the nominal cycle period."""
        self.config = config
        lower = np.asarray(lower_rad, dtype=float) + config.limit_margin_rad
        upper = np.asarray(upper_rad, dtype=float) - config.limit_margin_rad
        if not np.all(lower < upper):
            raise ConfigurationError(
                f'the range of a joint is empty: lower {lower_rad}, upper {upper_rad} rad, '
                f'margin {config.limit_margin_rad} rad; calibrate the arm again'
            )
        self.counters: Counter[str] = Counter()
        self.mode = Mode.INACTIVE
        self.stop_reason = ''
        self.health = HealthMonitor(config.health)
        self._period_s = period_s
        self._longest_step_s = config.longest_step_cycles * period_s
        self._motion = SetpointMotion(
            lower, upper, config.max_acceleration_rad_s2, period_s, self._longest_step_s
        )
        self._activated_s = 0.0
        self._stepped_s = 0.0
        self._severity = Severity.OK
        self._source: str | None = None
        self._distrusted: str | None = None  # a source whose absurd command was refused
        self._refused_s = -np.inf
        self._blend_cap = config.blend_velocity_rad_s
        self._blending_since_s = 0.0
        self._stand: np.ndarray | None = None  # where to hold, once the arm has come to a stand
        self._target = self._motion.position_rad
        self._target_velocity = np.zeros(JOINT_COUNT)
        self._stamp_s = -np.inf
        self._accepted_s = -np.inf
        self._interval_s = 0.0

    # --- life ------------------------------------------------------------------------------------

    def activate(self, held_rad: np.ndarray, now_s: float) -> None:
        """Seed the setpoint from a successful read of what the servos hold.

        That is where the joints are when torque comes on, or the goals of an arm that held
        before: shape (6,), rad. A latched emergency stop stays latched.
        """
        held = np.array(held_rad, dtype=float)
        if held.shape != (JOINT_COUNT,) or not np.all(np.isfinite(held)):
            raise ConfigurationError(
                f'the gate is seeded from {JOINT_COUNT} finite positions; found {held_rad}. '
                'Read the arm successfully first'
            )
        self._motion.seed(held)
        self._activated_s = self._stepped_s = now_s
        self._distrusted = None
        self._forget_commands()
        self.health.forget_following()
        self.mode = Mode.ESTOPPED if self.mode is Mode.ESTOPPED else Mode.HOLDING
        if np.any((held < self._motion.lower_rad) | (held > self._motion.upper_rad)):
            self.counters['seeded_outside_limits'] += 1

    def deactivate(self) -> None:
        """Torque is off: there is no setpoint until the next `activate`."""
        self.mode = Mode.INACTIVE
        self._forget_commands()

    def engage_estop(self, reason: str = 'pressed') -> None:
        """Latch the emergency stop: decelerate within the caps and hold, refuse every command."""
        if self.mode is not Mode.ESTOPPED:
            self.counters['estops'] += 1
            self.stop_reason = reason
        self.mode = Mode.ESTOPPED
        self._forget_commands()

    def release_estop(self) -> None:
        """Release the latch: stand where the servos hold; `activate` first if torque was off.

        Raises StopPersistsError while a servo's health still asks for a stop.
        """
        self.check_health()
        if self.mode is Mode.ESTOPPED:
            self._forget_commands()
            self.mode = Mode.HOLDING

    def check_health(self) -> None:
        """Raise StopPersistsError if a servo's health asks for a stop."""
        self.health.forget_following()  # its cause ends with the stop: the arm stands
        grave = self._grave_findings()
        if grave:
            raise StopPersistsError(
                f'the stop stays latched: {"; ".join(grave)}. Remove the cause, then release again'
            )

    @property
    def setpoint_rad(self) -> np.ndarray:
        """The setpoint as it is now, shape (6,)."""
        return self._motion.position_rad

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
        lower, upper = self._motion.lower_rad[indices], self._motion.upper_rad[indices]
        target = self._motion.position_rad.copy() if taking_over else self._target.copy()
        target[indices] = np.clip(positions_rad, lower, upper)
        if np.any(target[indices] != positions_rad):
            self.counters['clamped_to_limits'] += 1

        distance_rad = np.max(np.abs(target - self._motion.position_rad))
        if self._is_absurd(command.source, distance_rad, now_s):
            return Refusal.ABSURD
        if taking_over:
            self._take_over(command.source, now_s)
        elif self.mode is Mode.FOLLOWING and distance_rad > self.config.pass_distance_rad:
            self.counters['rate_limited'] += 1
        self._estimate_target_velocity(target, command.stamp_s, taking_over)
        self._target = target
        self._stamp_s = command.stamp_s
        self._accepted_s = now_s
        return None

    def _is_absurd(self, source: str, distance_rad: float, now_s: float) -> bool:
        """A stream does not leap; one that did is refused until it is near again, or pauses."""
        if source == self._distrusted and now_s - self._refused_s > self.config.command_timeout_s:
            self._distrusted = None
        is_streaming = self.mode is Mode.FOLLOWING and source == self._source
        if not (is_streaming or source == self._distrusted):
            return False  # a hand-over is blended, however far it is
        if distance_rad <= self.config.reject_distance_rad:
            self._distrusted = None
            return False
        self._distrusted, self._refused_s = source, now_s
        if is_streaming:
            self._forget_commands()
            self.mode = Mode.HOLDING
        return True

    def _take_over(self, source: str, now_s: float) -> None:
        self._source = source
        self.mode = Mode.BLENDING
        self._blend_cap = self.config.blend_velocity_rad_s
        self._blending_since_s = now_s
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
        self._target = self._motion.position_rad.copy()
        self._target_velocity = np.zeros(JOINT_COUNT)
        self._stamp_s = -np.inf
        self._accepted_s = -np.inf
        self._interval_s = 0.0
        self._stand = None

    def _notice_silence(self, now_s: float) -> None:
        """Forget a source that is silent, so that its next command is a hand-over again."""
        silent = now_s - self._accepted_s > self.config.command_timeout_s
        if silent and self.mode in (Mode.BLENDING, Mode.FOLLOWING):
            # A commander that brought the arm to a stand before has finished.
            self.counters['commands_ended' if self._motion.is_standing else 'starvations'] += 1
            self._forget_commands()
            self.mode = Mode.HOLDING

    # --- setpoints -------------------------------------------------------------------------------

    def step(self, measured_rad: np.ndarray, now_s: float) -> Setpoint:
        """Return the setpoint of this cycle. `measured_rad`, shape (6,), may hold NaN."""
        if self.mode is Mode.INACTIVE:
            raise ConfigurationError('the gate has no setpoint before activate()')
        measured = np.asarray(measured_rad, dtype=float)
        motion = self._motion
        self.health.follow(motion.position_rad - measured, motion.velocity_rad_s, now_s)
        self._judge_health()
        self._notice_silence(now_s)
        step_s = self._step_s(now_s)
        if step_s > 0.0:
            if self.mode in (Mode.BLENDING, Mode.FOLLOWING):
                self._follow(now_s, step_s)
            else:
                self._stand_still(measured, step_s)
        eased = self.config.health.grip_eased_torque if self.health.gripper_is_stalled else None
        return Setpoint(motion.position_rad.copy(), motion.velocity_rad_s.copy(), self.mode, eased)

    def _step_s(self, now_s: float) -> float:
        """How long this step is; after a stall the setpoint has stood, and starts from rest."""
        elapsed_s = max(now_s - self._stepped_s, 0.0)
        self._stepped_s = now_s
        if elapsed_s <= self._longest_step_s:
            return elapsed_s
        self.counters['stalls'] += 1
        self._motion.rest()
        return self._period_s

    def _follow(self, now_s: float, step_s: float) -> None:
        # The target is taken to move on only for as long as the next command is due.
        due = now_s - self._accepted_s <= 1.5 * self._interval_s
        target_velocity = self._target_velocity if due else np.zeros(JOINT_COUNT)
        cap = self.config.max_velocity_rad_s
        if self.mode is Mode.BLENDING:
            cap = self._blend(target_velocity, now_s, step_s)
        if now_s - self._activated_s <= self.config.first_motion_s:
            cap = np.minimum(cap, self.config.blend_velocity_rad_s)
        cap = cap * self.speed
        self._motion.track(self._target, target_velocity, cap, step_s)

    def _blend(self, target_velocity: np.ndarray, now_s: float, step_s: float) -> np.ndarray:
        """Return the speed allowed in a blend, rad/s, and end it at its target.

        A target that keeps running away is caught up with in the end: after a while the arm may
        go as much faster as the target moves, and gets there slowly.
        """
        distance_rad = np.max(np.abs(self._target - self._motion.position_rad))
        if distance_rad <= self.config.blend_distance_rad:
            self.mode = Mode.FOLLOWING
        if now_s - self._blending_since_s > self.config.blend_patience_s:
            grown = self._blend_cap + self.config.blend_acceleration_rad_s2 * step_s
            allowed = self.config.blend_velocity_rad_s + np.abs(target_velocity)
            self._blend_cap = np.minimum(
                np.minimum(grown, allowed), self.config.max_velocity_rad_s
            )
        return self._blend_cap

    def _stand_still(self, measured_rad: np.ndarray, step_s: float) -> None:
        """Decelerate; once standing, hold there, or where the arm is if it is blocked.

        An arm that only sags under its weight keeps its setpoint: it would sag lower each time.
        """
        motion = self._motion
        if self._stand is not None:
            motion.track(
                self._stand, np.zeros(JOINT_COUNT), self.config.blend_velocity_rad_s, step_s
            )
            return
        motion.brake(step_s)
        if not motion.is_standing:
            return
        error = np.abs(measured_rad - motion.position_rad)
        blocked = (error > self.config.hold_error_rad) & self.health.is_pressing
        blocked |= error > self.config.health.following_error_rad.stop
        blocked &= np.isfinite(measured_rad)  # where nobody knows the joint to be it does not go
        blocked[GRIPPER] = False  # its error is its grip: to let go would drop what it holds
        self.counters['holds_relaxed'] += int(np.any(blocked))
        within = np.clip(measured_rad, motion.lower_rad, motion.upper_rad)
        self._stand = np.where(blocked, within, motion.position_rad)

    # --- health ----------------------------------------------------------------------------------

    @property
    def speed(self) -> float:
        """Fraction of the velocity caps that is left; who plays a path should slow down by it."""
        return self.config.health.derate_speed if self._severity >= Severity.DERATE else 1.0

    def observe(self, health: ArmHealth, velocity_rad_s: np.ndarray, now_s: float) -> None:
        """Take one telemetry block, and the joints' velocities of the same read, shape (6,)."""
        was_eased = self.health.gripper_is_stalled
        self.health.observe(health, velocity_rad_s, now_s)
        self.counters['grips_eased'] += int(self.health.gripper_is_stalled and not was_eased)
        self._judge_health()

    def _judge_health(self) -> None:
        """Warn, derate, stop: what is beyond its last threshold latches the emergency stop."""
        before, self._severity = self._severity, self.health.severity
        if self._severity > before:
            self.counters[f'health_{self._severity.name.lower()}'] += 1
        is_moving = self.mode not in (Mode.INACTIVE, Mode.ESTOPPED)
        if self._severity is Severity.STOP and is_moving:
            self.engage_estop('; '.join(self._grave_findings()))

    def _grave_findings(self) -> list[str]:
        return [str(one) for one in self.health.findings() if one.severity is Severity.STOP]
