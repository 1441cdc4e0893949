"""The independent monitor: a second opinion on what a driver tells the servos.

It sits on the servos' side of the virtual bus, behind the bytes, and sees each goal position and
each torque switch as it takes effect, whichever instruction carried it. It shares no code with
the safety gate: a mistake there is not a mistake here.

    monitor = BusMonitor(calibration, load_preset('careful'), period_s=0.01)
    monitor.watch(bus, arm)
    ...
    monitor.assert_clean()
"""

import functools
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from chefmate_core.calibration import ArmCalibration
from chefmate_core.joints import JOINT_NAMES
from chefmate_core.safety.config import GateConfig
from chefmate_core.servo.registers import GOAL_POSITION, TORQUE_ENABLE, Register
from chefmate_sim.virtual_bus.bus import VirtualServoBus
from chefmate_sim.virtual_bus.joint_monitor import JointLimits, JointMonitor, Rule
from chefmate_sim.virtual_bus.model import ServoArmModel
from chefmate_sim.virtual_bus.servo import VirtualServo

_KEPT_VIOLATIONS = 50
_SHOWN_VIOLATIONS = 5


@dataclass(frozen=True)
class Violation:
    """Something that a servo should never have been told. `str` is a sentence."""

    rule: Rule
    joint: str
    time_s: float
    allowed: str
    seen: str
    goals: tuple[tuple[float, float], ...]  # the newest: (arrival s, rad)

    def __str__(self) -> str:
        goals = ', '.join(f'{rad:.4f} rad at {time_s:.4f} s' for time_s, rad in self.goals)
        return (
            f'{self.joint} at {self.time_s:.4f} s, {self.rule}: allowed is {self.allowed}; '
            f'seen was {self.seen}. Newest goals: {goals or "none"}.'
        )


class BusMonitor:
    """Checks every goal and torque write of an arm; see the module's docstring.

    Args:
        calibration: of the arm; its ranges less the preset's margin are the limits.
        config: the preset whose caps the driver was told to keep.
        period_s: the nominal time between two goals.
        clock: what arrivals are stamped with, s.
        slack_s: for a real clock: how much longer or shorter an interval may have been.
    """

    def __init__(
        self,
        calibration: ArmCalibration,
        config: GateConfig,
        period_s: float,
        *,
        clock: Callable[[], float] = time.monotonic,
        slack_s: float = 0.0,
    ) -> None:
        self.violations: list[Violation] = []  # the first ones
        self.counters: Counter[str] = Counter()  # what was seen, and violations by rule
        self._calibration = calibration
        self._clock = clock
        self._now_s = 0.0
        self._lock = threading.Lock()
        self._joints = [
            JointMonitor(limits, period_s, slack_s, functools.partial(self._report, index))
            for index, limits in enumerate(_limits(calibration, config))
        ]
        self._goal_was_written = [False] * len(self._joints)  # since torque was last on

    def watch(self, bus: VirtualServoBus, arm: ServoArmModel) -> None:
        """From now on see what reaches the servos of `bus`, which move `arm`."""
        for servo in bus.servos:
            tapped = functools.partial(self._write, servo, servo.write, arm)
            servo.write = tapped  # type: ignore[method-assign]

    @property
    def violation_count(self) -> int:
        """How many violations there were; `violations` holds the first ones."""
        return self.counters['violations']

    def statistics(self) -> dict[str, float]:
        """Return what was seen, flat: proof that there was something to see."""
        with self._lock:
            values: dict[str, float] = dict(self.counters)
            values['rests'] = sum(joint.rests for joint in self._joints)
            for name, joint in zip(JOINT_NAMES, self._joints, strict=True):
                values[f'{name}_max_velocity_rad_s'] = joint.max_velocity_rad_s
                values[f'{name}_max_acceleration_rad_s2'] = joint.max_acceleration_rad_s2
        return values

    def assert_clean(self) -> None:
        """Raise AssertionError with the first violations, if there was one."""
        if self.violation_count:
            shown = '\n'.join(f'  {entry}' for entry in self.violations[:_SHOWN_VIOLATIONS])
            raise AssertionError(
                f'the servos were told {self.violation_count} things they should not have been; '
                f'the first are\n{shown}'
            )

    def _write(
        self,
        servo: VirtualServo,
        write: Callable[[int, bytes], None],
        arm: ServoArmModel,
        address: int,
        data: bytes,
    ) -> None:
        was_on = servo.memory.get(TORQUE_ENABLE) == 1
        write(address, data)
        has_goal = _touches(GOAL_POSITION, address, data)
        has_torque = _touches(TORQUE_ENABLE, address, data)
        if not has_goal and not has_torque:
            return
        with self._lock:
            now_s = self._clock()
            self._notice_lost_torque(servo.index, was_on)
            goal_ticks = servo.memory.get(GOAL_POSITION)
            if has_goal:
                self.goal_written(servo.index, now_s, goal_ticks)
            if has_torque:
                position_rad = float(arm.position_rad()[servo.index])
                value = servo.memory.live[TORQUE_ENABLE.address]
                self.torque_written(servo.index, now_s, value, goal_ticks, position_rad)

    def goal_written(self, index: int, now_s: float, ticks: int) -> None:
        """A goal arrives in the servo of joint `index`."""
        joint, settings = self._joints[index], self._calibration.joints[index]
        self._now_s = now_s
        self.counters['goals'] += 1
        if not settings.range_min <= ticks <= settings.range_max:
            self._report(
                index,
                Rule.REGISTER,
                f'a goal of the calibrated range, tick {settings.range_min} to '
                f'{settings.range_max}',
                f'tick {ticks}',
            )
        if joint.is_on:
            self.counters['goals_driven'] += 1
            joint.goal(now_s, self._rad(index, ticks))
        else:
            self._goal_was_written[index] = True

    def goal_lost(self, index: int) -> None:
        """A goal was sent to the servo of joint `index` just now and damaged on its way.

        Whoever sent it cannot know: what arrives next may make up for it, within the caps.
        """
        with self._lock:
            self.counters['goals_lost'] += 1
            self._joints[index].goal_lost(self._clock())

    def torque_written(
        self, index: int, now_s: float, value: int, goal_ticks: int, position_rad: float
    ) -> None:
        """The torque switch of joint `index` is written; its goal register and pose are given."""
        joint = self._joints[index]
        self._now_s = now_s
        if value not in (0, 1):
            self._report(index, Rule.REGISTER, 'torque 0 or 1', f'{value}')
        if value == 1 and not joint.is_on:
            self.counters['torque_ons'] += 1
            goal_rad = self._rad(index, goal_ticks)
            joint.torque_on(now_s, goal_rad, position_rad, self._goal_was_written[index])
        elif value != 1 and joint.is_on:
            self.counters['torque_offs'] += 1
            self._torque_went_off(index)

    def _notice_lost_torque(self, index: int, was_on: bool) -> None:
        # Power lost, or the servo let go to protect itself: nobody wrote that.
        if self._joints[index].is_on and not was_on:
            self.counters['torque_losses'] += 1
            self._torque_went_off(index)

    def _torque_went_off(self, index: int) -> None:
        self._joints[index].torque_off()
        self._goal_was_written[index] = False

    def _rad(self, index: int, ticks: int) -> float:
        calibration = self._calibration
        return float((ticks - calibration.zero_ticks[index]) * calibration.rad_per_tick[index])

    def _report(self, index: int, rule: Rule, allowed: str, seen: str) -> None:
        self.counters['violations'] += 1
        self.counters[f'violations_{rule.name.lower()}'] += 1
        if len(self.violations) < _KEPT_VIOLATIONS:
            goals = self._joints[index].recent()
            self.violations.append(
                Violation(rule, JOINT_NAMES[index], self._now_s, allowed, seen, goals)
            )


def _touches(register: Register, address: int, data: bytes) -> bool:
    return address < register.address + register.size and register.address < address + len(data)


def _limits(calibration: ArmCalibration, config: GateConfig) -> list[JointLimits]:
    return [
        JointLimits(*(float(value) for value in values))
        for values in zip(
            calibration.lower_limits_rad + config.limit_margin_rad,
            calibration.upper_limits_rad - config.limit_margin_rad,
            config.max_velocity_rad_s,
            config.max_acceleration_rad_s2,
            config.blend_velocity_rad_s,
            strict=True,
        )
    ]
