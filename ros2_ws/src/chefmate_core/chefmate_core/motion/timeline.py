"""The executor's timeline: stamped chunks in, a smooth joint goal for every instant out.

A chunk is joined to the running motion: at the instant of its arrival position and velocity go on
where they were, and the difference fades out within the join time. Steps whose time has passed are
never played. When the newest chunk runs out, or is interrupted, the goal decelerates to a stand.
All times are of one steady clock, in seconds.

For an arm that may only go slowly a chunk is played slowly: its path stays as it was planned; a
cap on its velocities would bend it. A chunk that leaps is another matter: the goal goes straight
after it, as fast as the arm may, so that whatever a policy says, the gate is asked for no leap.
"""

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from chefmate_core.errors import ConfigurationError
from chefmate_core.joints import JOINT_COUNT
from chefmate_core.motion.fade import Fade
from chefmate_core.motion.goal import JointGoal
from chefmate_core.motion.reach import Reach
from chefmate_core.motion.spline import JointSpline

_ROUNDING = 1e-6  # of a step: a chunk's last row belongs to it


@dataclass(frozen=True)
class TimelineConfig:
    """How chunks are joined and how the goal comes to a stand."""

    join_s: float = 0.15  # shortest time in which the difference to a new chunk fades out
    join_velocity_rad_s: float = 0.5  # a larger difference fades at this speed
    stop_deceleration_rad_s2: float = 10.0  # on starvation; below the gate's cap of 12
    future_tolerance_s: float = 0.1  # chunks that begin later than this from now are refused

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0.0 < value < 1e3:  # False for NaN
                raise ConfigurationError(f'{name} must be above 0 and finite; found {value}')


class TimelineState(StrEnum):
    """What the timeline has to offer."""

    IDLE = 'idle'  # standing still: there is no goal
    PLAYING = 'playing'
    STOPPING = 'stopping'  # out of steps, or interrupted: decelerating


class ChunkTimeline:
    """See the module's docstring. One thread calls it."""

    def __init__(self, config: TimelineConfig | None = None, reach: Reach | None = None) -> None:
        self._reach = reach or Reach()
        self.config = config or TimelineConfig()
        self.counters: Counter[str] = Counter()
        self.changes = 0  # of the plan: whoever was told what will be played has to be told again
        self.state = TimelineState.IDLE
        self._spline: JointSpline | None = None
        self._join = Fade.nothing()
        self._final = False
        self._last: JointGoal | None = None
        self._last_s = 0.0
        self._speed = 1.0
        self._anchor_s = (0.0, 0.0)  # an instant, and the time of the chunk that is played then

    @property
    def speed(self) -> float:
        """Seconds of a chunk that are played in a second."""
        return self._speed

    def set_speed(self, speed: float, now_s: float) -> None:
        """Play at another pace from now on; the path stays. `speed` is above 0, at most 1."""
        if not 0.0 < speed <= 1.0:  # False for NaN
            raise ConfigurationError(f'the speed must be above 0 and at most 1; found {speed}')
        if speed != self._speed:
            self._anchor_s = (now_s, self._place_s(now_s))
            self._speed = speed
            self.changes += 1

    def _place_s(self, now_s: float) -> float:
        """The time of the chunk that is played now."""
        instant_s, chunk_s = self._anchor_s
        return chunk_s + (now_s - instant_s) * self._speed

    def add(
        self,
        start_s: float,
        positions_rad: np.ndarray,
        period_s: float,
        now_s: float,
        standing_rad: np.ndarray | None,
        final: bool = False,
    ) -> bool:
        """Take a chunk whose row i is the goal for `start_s + i * period_s`.

        `standing_rad`, shape (6,), is where the arm is held: a motion begins there when none runs;
        None, where that is not known, can only join a motion.
        A `final` chunk ends the task, so that its end is no starvation. Returns whether it was
        taken.
        """
        positions = np.asarray(positions_rad, dtype=float)
        if not (np.all(np.isfinite(positions)) and np.isfinite(start_s) and period_s > 0.0):
            self.counters['chunks_refused_not_finite'] += 1
            return False
        spline = JointSpline(start_s, positions, period_s)
        # Since the observation the arm has gone on at this speed.
        place_s = start_s + (now_s - start_s) * self._speed
        if spline.end_s <= place_s:
            self.counters['chunks_refused_expired'] += 1
            return False
        if start_s - now_s > self.config.future_tolerance_s:
            self.counters['chunks_refused_future'] += 1
            return False
        if self._spline is not None and start_s < self._spline.start_s:
            self.counters['chunks_refused_out_of_order'] += 1
            return False
        current = self._current(now_s)
        if current is None:
            if standing_rad is None:
                self.counters['chunks_refused_arm_not_ready'] += 1
                return False
            current = JointGoal(np.asarray(standing_rad, dtype=float), np.zeros(len(standing_rad)))
        self._play(spline, current, place_s, now_s)
        self._final = final
        self.counters['chunks_accepted'] += 1
        self.counters['steps_dropped'] += max(0, int(np.ceil((place_s - start_s) / period_s)))
        return True

    def sample(self, now_s: float, arm_rad: np.ndarray | None = None) -> JointGoal | None:
        """Return the goal of this instant, or None when standing still.

        `arm_rad`, shape (6,), is where the arm is held now: a goal does not run away from an arm
        that is late, or that was stopped for a moment.
        """
        goal = self._current(now_s)
        if goal is not None and arm_rad is not None:
            goal = self._reach.leashed(goal, arm_rad)
        self._last, self._last_s = goal, now_s
        return goal

    def committed(self, now_s: float, step_s: float, horizon_s: float) -> np.ndarray:
        """Return the goals from now on, `step_s` apart, shape (T, 6), as they are planned now.

        As far as the chunk goes and no further than `horizon_s`; T = 0 while nothing is played.
        """
        if self.state is not TimelineState.PLAYING or self._spline is None:
            return np.zeros((0, JOINT_COUNT))
        left_s = (self._spline.end_s - self._place_s(now_s)) / self._speed
        count = int(min(left_s, horizon_s) / step_s + _ROUNDING) + 1 if left_s >= 0.0 else 0
        times = now_s + step_s * np.arange(count)
        return np.array([self._planned(time_s).position_rad for time_s in times]).reshape(
            count, JOINT_COUNT
        )

    def clear(self) -> None:
        """Forget the motion: there is no goal until the next chunk."""
        self.changes += self.state is TimelineState.PLAYING
        self._spline = None
        self._last = None
        self.state = TimelineState.IDLE

    @property
    def interrupted(self) -> bool:
        """Whether `interrupt` is decelerating the motion, which could still go on."""
        return self.state is TimelineState.STOPPING and self._spline is not None

    def interrupt(self) -> bool:
        """Decelerate from the running motion; returns whether there was one to interrupt.

        A task's last chunk is played to its end: no other was to come.
        """
        if self.state is not TimelineState.PLAYING or self._final:
            return False
        self.counters['interruptions'] += 1
        self.changes += 1
        self.state = TimelineState.STOPPING
        if self._last is None:
            self.clear()  # it was never played: nothing moves
        return True

    def go_on(self, now_s: float) -> None:
        """Join what is left of an interrupted chunk, if it has not come to a stand yet."""
        spline, current, place_s = self._spline, self._current(now_s), self._place_s(now_s)
        if spline is not None and current is not None and place_s <= spline.end_s:
            self._play(spline, current, place_s, now_s)

    def _play(self, spline: JointSpline, current: JointGoal, place_s: float, now_s: float) -> None:
        """Join the running motion to a chunk at its time `place_s`."""
        self._anchor_s = (now_s, place_s)
        position, velocity = spline.sample(place_s)
        goal = JointGoal(position, self._reach.limited(velocity * self._speed))
        config = self.config
        self._join = Fade.between(current, goal, now_s, config.join_s, config.join_velocity_rad_s)
        self._spline = spline
        self.state = TimelineState.PLAYING
        self.changes += 1

    def _current(self, now_s: float) -> JointGoal | None:
        if self.state is TimelineState.PLAYING:
            assert self._spline is not None
            place_s = self._place_s(now_s)
            if place_s <= self._spline.end_s:
                return self._reach.toward(self._planned(now_s), self._last, now_s - self._last_s)
            self.counters['tasks_ended' if self._final else 'starvations'] += 1
            self._spline = None
            self.state = TimelineState.STOPPING
            if self._last is None:
                self.clear()  # it expired before it was ever played: nothing moves
        if self.state is TimelineState.STOPPING and self._last is not None:
            goal = self._decelerated(self._last, max(now_s - self._last_s, 0.0))
            if np.any(self._last.velocity_rad_s != 0.0):
                return goal
            self.clear()
        return None

    def _planned(self, now_s: float) -> JointGoal:
        """What the chunk, and the join to it, want at an instant."""
        assert self._spline is not None
        position, velocity = self._spline.sample(self._place_s(now_s))
        offset = self._join.sample(now_s)
        return JointGoal(
            position + offset.position_rad, velocity * self._speed + offset.velocity_rad_s
        )

    def _decelerated(self, goal: JointGoal, step_s: float) -> JointGoal:
        """The goal `step_s` later; all joints brake together, so the path keeps its shape."""
        fastest = float(np.max(np.abs(goal.velocity_rad_s)))
        if fastest == 0.0:
            return goal
        # Whoever was held up for longer than the stop takes has stood at its end since.
        step_s = min(step_s, fastest / self.config.stop_deceleration_rad_s2)
        slower = max(0.0, fastest - self.config.stop_deceleration_rad_s2 * step_s) / fastest
        velocity = goal.velocity_rad_s * slower
        mean = 0.5 * (goal.velocity_rad_s + velocity)
        return JointGoal(goal.position_rad + mean * step_s, velocity)
