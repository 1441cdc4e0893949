"""What one servo may be told: the rules of the independent monitor for one joint.

The goals that arrive are samples of a motion, rounded to encoder ticks. Whatever makes them, a
motion within the caps leaves traces that can be checked without knowing how it was made:

* over any window, its mean velocity is at most the velocity cap;
* over two windows side by side, of d1 and d2 seconds, the mean velocities differ by at most
  (acceleration cap) * (d1 + d2) / 2: that is how far apart the middles of the windows are.

Rounding moves each goal by half a tick at most, which long windows hardly feel. While no goal
arrives the setpoint stands; after a silence the motion begins from rest.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from chefmate_core.calibration import RAD_PER_TICK

SILENCE_PERIODS = 3.0  # without a goal for longer than this, the setpoint has stood still
TORQUE_ON_ERROR_RAD = math.radians(1.0)
FIRST_MOTION_S = 0.5  # after torque-on: no faster than blend speed
_WINDOWS = (1, 2, 4, 8, 16, 32)  # lengths, in goals
_LONG = 8  # goals; from here on rounding is small against the velocity itself
_KEPT = 2 * _WINDOWS[-1] + 1
_EPSILON_RAD = 1e-9
_EPSILON_S = 1e-7


class Rule(StrEnum):
    """What a violation is about."""

    REGISTER = 'register'  # a value that no goal or torque register may ever get
    LIMIT = 'limit'
    VELOCITY = 'velocity'
    ACCELERATION = 'acceleration'
    FIRST_MOTION = 'first motion'
    TORQUE_ON = 'torque on'


@dataclass(frozen=True)
class JointLimits:
    """The limits of one joint. The range is the calibrated one less the margin."""

    lower_rad: float
    upper_rad: float
    max_velocity_rad_s: float
    max_acceleration_rad_s2: float
    blend_velocity_rad_s: float


class JointMonitor:
    """Judges the goals of one servo while its torque is on.

    Args:
        limits: of this joint.
        period_s: the nominal time between two goals.
        slack_s: how much longer or shorter than it looked an interval may have been; above 0
            for arrival times of a real clock on a machine that stalls.
        report: called with the rule, what was allowed and what was seen.
    """

    def __init__(
        self,
        limits: JointLimits,
        period_s: float,
        slack_s: float,
        report: Callable[[Rule, str, str], None],
    ) -> None:
        self.is_on = False
        self.rests = 0  # silences that were long enough for the setpoint to stand
        self.max_velocity_rad_s = 0.0  # mean over long windows, what rounding may add taken off
        self.max_acceleration_rad_s2 = 0.0  # likewise
        self._limits = limits
        self._period_s = period_s
        self._slack_s = slack_s + _EPSILON_S
        self._report = report
        self._history: list[tuple[float, float]] = []  # (arrival s, goal rad), newest last
        self._lower_rad, self._upper_rad = limits.lower_rad, limits.upper_rad
        self._on_s = -math.inf
        self._sent_s = -math.inf  # of the newest goal, arrived or not

    def recent(self, count: int = 6) -> tuple[tuple[float, float], ...]:
        """Return the newest goals since torque-on, (arrival s, goal rad)."""
        return tuple(self._history[-count:])

    def torque_on(
        self, now_s: float, goal_rad: float, position_rad: float, goal_was_written: bool
    ) -> None:
        """Torque comes on with this goal in the register and the joint at `position_rad`."""
        error_rad = abs(goal_rad - position_rad)
        allowed_rad = TORQUE_ON_ERROR_RAD if goal_was_written else RAD_PER_TICK
        if not error_rad <= allowed_rad + _EPSILON_RAD:
            told = 'a goal' if goal_was_written else 'no goal written since torque was off, so one'
            self._report(
                Rule.TORQUE_ON,
                f'{told} within {allowed_rad:.4f} rad of the joint',
                f'the joint at {position_rad:.4f} rad, the goal {error_rad:.4f} rad away',
            )
        self.is_on = True
        self._on_s = self._sent_s = now_s
        # Where it is already outside it may stand, and move in.
        self._lower_rad = min(self._limits.lower_rad, position_rad)
        self._upper_rad = max(self._limits.upper_rad, position_rad)
        self._begin_from_rest(now_s, goal_rad)
        self._check_range(goal_rad)

    def torque_off(self) -> None:
        """Torque goes off, or was found off: whatever comes now moves nothing."""
        self.is_on = False
        self._history.clear()

    def goal(self, now_s: float, goal_rad: float) -> None:
        """Judge a goal that arrives while torque is on."""
        self._notice_silence(now_s)
        self._history.append((now_s, goal_rad))
        if len(self._history) > 2 * _KEPT:
            del self._history[:-_KEPT]
        self._check_range(goal_rad)
        self._check_motion()

    def goal_lost(self, now_s: float) -> None:
        """A goal was sent but did not arrive: the motion goes on without this sample."""
        if self.is_on:
            self._notice_silence(now_s)

    def _notice_silence(self, now_s: float) -> None:
        last_s, last_rad = self._history[-1]
        silence_s = now_s - self._sent_s - SILENCE_PERIODS * self._period_s
        lost_s, self._sent_s = self._sent_s - last_s, now_s
        if silence_s > self._slack_s:
            self.rests += 1
            self._begin_from_rest(now_s - self._period_s, last_rad)
            if lost_s > 0.0:
                # Where the motion came to rest was in goals that nobody heard: judge the speed.
                self._history = [(now_s - self._period_s - lost_s, last_rad)]
        elif silence_s > -self._slack_s:
            # Just as long as the limit: going on and beginning from rest are both right.
            self._history = [(last_s, last_rad)]

    def _begin_from_rest(self, now_s: float, goal_rad: float) -> None:
        self._history = [
            (now_s - back * self._period_s, goal_rad) for back in reversed(range(_KEPT))
        ]

    def _check_range(self, goal_rad: float) -> None:
        lower_rad, upper_rad = self._lower_rad, self._upper_rad
        if not lower_rad - RAD_PER_TICK <= goal_rad + _EPSILON_RAD or not (
            goal_rad - _EPSILON_RAD <= upper_rad + RAD_PER_TICK
        ):
            self._report(
                Rule.LIMIT, f'{lower_rad:.4f} to {upper_rad:.4f} rad', f'{goal_rad:.4f} rad'
            )
        # What was outside and came in by some way may not go out by that way again.
        self._lower_rad = min(self._limits.lower_rad, max(lower_rad, goal_rad))
        self._upper_rad = max(self._limits.upper_rad, min(upper_rad, goal_rad))

    def _check_motion(self) -> None:
        """Check the windows that end with the newest goal; report the first of each rule."""
        seen: set[Rule] = set()
        newest = len(self._history) - 1
        for goals in _WINDOWS:
            middle = self._back(newest, goals)
            if middle is None:
                return
            if finding := self._velocity_finding(middle, newest, goals):
                self._report_once(seen, *finding)
            start = self._back(middle, goals)
            if start is None:
                continue
            if finding := self._acceleration_finding(start, middle, newest, goals):
                self._report_once(seen, *finding)

    def _report_once(self, seen: set[Rule], rule: Rule, allowed: str, found: str) -> None:
        if rule not in seen:
            seen.add(rule)
            self._report(rule, allowed, found)

    def _back(self, index: int, goals: int) -> int | None:
        """Return the goal that is so many goals, and half a period at least, before `index`."""
        start = index - goals
        latest_s = self._history[index][0] - self._period_s / 2
        while start >= 0 and self._history[start][0] > latest_s:
            start -= 1
        return start if start >= 0 else None

    def _velocity_finding(self, start: int, end: int, goals: int) -> tuple[Rule, str, str] | None:
        duration_s, moved_rad = self._between(start, end)
        if goals >= _LONG:
            mean = (abs(moved_rad) - RAD_PER_TICK) / duration_s
            self.max_velocity_rad_s = max(self.max_velocity_rad_s, mean)
        is_first = self._history[end][0] <= self._on_s + FIRST_MOTION_S
        limits = self._limits
        cap = limits.blend_velocity_rad_s if is_first else limits.max_velocity_rad_s
        allowed_rad = cap * (duration_s + self._slack_s) + RAD_PER_TICK + _EPSILON_RAD
        if abs(moved_rad) <= allowed_rad:
            return None
        rule = Rule.FIRST_MOTION if is_first else Rule.VELOCITY
        return (
            rule,
            f'{allowed_rad:.4f} rad in {duration_s:.4f} s ({cap:g} rad/s and rounding)',
            f'{abs(moved_rad):.4f} rad ({abs(moved_rad) / duration_s:.3f} rad/s)',
        )

    def _acceleration_finding(
        self, start: int, middle: int, end: int, goals: int
    ) -> tuple[Rule, str, str] | None:
        slack_s = self._slack_s
        first_s, first_rad = self._between(start, middle)
        second_s, second_rad = self._between(middle, end)
        if min(first_s, second_s) <= 2 * slack_s:
            return None
        apart_s = (first_s + second_s) / 2
        change = _distance(
            _velocities(first_rad, first_s, slack_s), _velocities(second_rad, second_s, slack_s)
        )
        cap = self._limits.max_acceleration_rad_s2
        rounding = RAD_PER_TICK * (1 / (first_s - slack_s) + 1 / (second_s - slack_s))
        if goals >= _LONG:
            mean = (change - rounding) / apart_s
            self.max_acceleration_rad_s2 = max(self.max_acceleration_rad_s2, mean)
        allowed = cap * (apart_s + slack_s) + rounding + _EPSILON_RAD
        if change <= allowed:
            return None
        return (
            Rule.ACCELERATION,
            f'a change of velocity by {allowed:.4f} rad/s between windows of {first_s:.4f} and '
            f'{second_s:.4f} s ({cap:g} rad/s^2 and rounding)',
            f'{change:.4f} rad/s (from {first_rad / first_s:.4f} to '
            f'{second_rad / second_s:.4f} rad/s, {change / apart_s:.1f} rad/s^2)',
        )

    def _between(self, start: int, end: int) -> tuple[float, float]:
        start_s, start_rad = self._history[start]
        end_s, end_rad = self._history[end]
        return end_s - start_s, end_rad - start_rad


def _velocities(moved_rad: float, duration_s: float, slack_s: float) -> tuple[float, float]:
    """Return the lowest and highest mean velocity that the window may have had."""
    slow, quick = moved_rad / (duration_s + slack_s), moved_rad / (duration_s - slack_s)
    return (slow, quick) if moved_rad >= 0 else (quick, slow)


def _distance(first: tuple[float, float], second: tuple[float, float]) -> float:
    """Return how far two intervals are apart; 0 where they overlap."""
    return max(0.0, second[0] - first[1], first[0] - second[1])
