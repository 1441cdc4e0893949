"""A leader arm as the source: each of its readings becomes one command, at once.

Nothing waits for a timer: a command is as old as the reading, and bears its stamp, so that the
safety gate knows the motion's true velocity and refuses what took too long.

While the leader is silent there is no command, and the gate holds. What begins anew, after a pause
of whatever kind, is a hand-over: the gate approaches it at blend speed. While the gate follows,
goals keep within its speeds and near the arm, so that a hand that is faster than the arm may be
leaves it behind, and is no leap that would be refused.
"""

import math
from collections import Counter
from enum import StrEnum

import numpy as np

from chefmate_core.motion.goal import JointGoal
from chefmate_core.motion.reach import Reach
from chefmate_core.teleop.clutch import Clutch, ClutchState
from chefmate_core.teleop.config import TeleopConfig
from chefmate_core.teleop.follower import FollowerWatch, TeleopCommand
from chefmate_core.teleop.range_map import RangeMap

_BEYOND_RANGE_RAD = 0.02  # a hand leans on the stop; 13 ticks more than the calibration are none


class LeaderRefusal(StrEnum):
    """Why a reading of the leader was not used. The names are the counters in diagnostics."""

    MALFORMED = 'refused_malformed'  # a joint is missing, or lengths differ
    NOT_FINITE = 'refused_not_finite'
    STALE = 'refused_stale'
    FUTURE = 'refused_future'
    REPEATED = 'refused_repeated'  # a stamp that stands still: a frozen leader
    OUT_OF_ORDER = 'refused_out_of_order'


class LeaderTeleop:
    """See the module's docstring. One thread calls it; `now_s` is of one steady clock."""

    def __init__(
        self, mapping: RangeMap, reach: Reach, clutch: Clutch, config: TeleopConfig
    ) -> None:
        """Take the follower's limits and speeds as `reach`."""
        self.clutch = clutch
        self.follower = FollowerWatch(config.follower_timeout_s)
        self.counters: Counter[str] = Counter()
        self.wanted_rad: np.ndarray | None = None  # (6,), the newest reading, mapped; no limits
        self._mapping = mapping
        self._reach = reach
        self._config = config
        self._stamp_s = -math.inf
        self._heard_s = -math.inf
        self._last: JointGoal | None = None  # of this engagement
        self._last_stamp_s = -math.inf

    def read(
        self,
        stamp_s: float,
        vectors: tuple[np.ndarray, np.ndarray] | None,
        clock_s: float,
        now_s: float,
    ) -> TeleopCommand | None:
        """Take a reading of the leader; return what it commands, if anything.

        Args:
            stamp_s: wall clock of the reading.
            vectors: position_rad and velocity_rad_s, shape (6,) each; None: a joint is missing.
            clock_s: wall clock now.
            now_s: steady clock now.
        """
        refusal = self._judge(stamp_s, vectors, clock_s)
        if refusal is not None or vectors is None:
            self.counters[refusal or LeaderRefusal.MALFORMED] += 1
            return None
        if not self.is_heard(now_s):
            self.counters['leader_returned'] += self._heard_s > -math.inf
            self._last = None
        self._stamp_s, self._heard_s = stamp_s, now_s
        position_rad, velocity_rad_s = vectors
        self.wanted_rad = self._mapping.to_follower(position_rad)
        back_rad = self._mapping.to_leader(self.wanted_rad)
        beyond = np.abs(back_rad - position_rad) > _BEYOND_RANGE_RAD
        self.counters['beyond_leader_range'] += int(np.any(beyond))
        return self._command(velocity_rad_s * self._mapping.scale, now_s)

    def _judge(
        self, stamp_s: float, vectors: tuple[np.ndarray, np.ndarray] | None, clock_s: float
    ) -> LeaderRefusal | None:
        if vectors is None:
            return LeaderRefusal.MALFORMED
        if not all(np.all(np.isfinite(values)) for values in (stamp_s, *vectors)):
            return LeaderRefusal.NOT_FINITE
        if clock_s - stamp_s > self._config.leader_timeout_s:
            return LeaderRefusal.STALE
        if stamp_s - clock_s > self._config.future_tolerance_s:
            return LeaderRefusal.FUTURE
        if stamp_s == self._stamp_s:
            return LeaderRefusal.REPEATED
        clock_was_set_back = self._stamp_s - clock_s > self._config.future_tolerance_s
        if stamp_s < self._stamp_s and not clock_was_set_back:
            return LeaderRefusal.OUT_OF_ORDER
        return None

    def _command(self, velocity_rad_s: np.ndarray, now_s: float) -> TeleopCommand | None:
        setpoint_rad = self.follower.setpoint_rad(now_s)
        if not self.clutch.is_engaged or setpoint_rad is None or self.wanted_rad is None:
            self._last = None
            return None
        if self._last is None:
            self.clutch.begin_anew()
        wanted = JointGoal(self.wanted_rad, velocity_rad_s)
        goal = self._reach.toward(wanted, self._last, self._stamp_s - self._last_stamp_s)
        if self.follower.is_following and self._last is not None:
            goal = self._reach.leashed(goal, setpoint_rad)
        # What the joints' limits take away is no hurry of the hand.
        behind_rad = np.max(np.abs(self._reach.toward(wanted, None, 0.0).position_rad
                                   - goal.position_rad))  # fmt: skip
        self.counters['hand_too_fast'] += int(behind_rad > 1e-6)
        self._last, self._last_stamp_s = goal, self._stamp_s
        return TeleopCommand(goal, self._stamp_s, self.clutch.source)

    def is_heard(self, now_s: float) -> bool:
        """Whether the leader has been read lately."""
        return now_s - self._heard_s <= self._config.leader_timeout_s

    def state(self, now_s: float) -> str:
        """What goes on, for people."""
        if self.clutch.state is not ClutchState.ENGAGED:
            return str(self.clutch.state)
        if not self.is_heard(now_s):
            never = self._heard_s == -math.inf
            return 'waiting for the leader' if never else 'the leader is silent: the arm holds'
        if self.follower.setpoint_rad(now_s) is None:
            return 'waiting for the follower: it has no torque, or its driver is gone'
        return self.follower.mode or 'following'
