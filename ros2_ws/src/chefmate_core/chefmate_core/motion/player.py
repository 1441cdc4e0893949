"""The executor without ROS: chunks, heartbeats and the driver's setpoints in, joint goals out.

Its timeline plays the chunks. It is interrupted when the policy falls silent, and emptied when
the arm does not follow: at an emergency stop, when the driver is gone, and when the safety gate
has begun anew. The arm then rests for a moment, so that it stands, and is seen to stand, before
a chunk moves it again.
"""

import math
from collections import Counter

import numpy as np

from chefmate_core.motion.arm_watch import ArmWatch
from chefmate_core.motion.committed import HORIZON_S
from chefmate_core.motion.goal import JointGoal
from chefmate_core.motion.policy_watch import PolicyWatch
from chefmate_core.motion.reach import Reach
from chefmate_core.motion.timeline import ChunkTimeline, TimelineConfig, TimelineState
from chefmate_core.policy.protocol import PERIOD_S

REST_S = 0.5  # the safety gate's slow beginning after it was seeded (first_motion_s)


class ChunkPlayer:
    """See the module's docstring. One thread calls it; times are of one steady clock, s."""

    def __init__(
        self,
        config: TimelineConfig | None = None,
        heartbeat_timeout_s: float = 0.1,
        reach: Reach | None = None,
    ) -> None:
        self.timeline = ChunkTimeline(config, reach)
        self._policy = PolicyWatch(heartbeat_timeout_s)
        self._arm = ArmWatch()
        self._estopped = False
        self._is_interrupted = False
        self._rests_until_s = -math.inf

    @property
    def counters(self) -> Counter[str]:
        """What was accepted, refused, interrupted."""
        return self.timeline.counters

    @property
    def starved_by_silence(self) -> bool:
        """Whether the last motion was interrupted because the policy fell silent."""
        return self._is_interrupted and self._policy.is_silent

    def heartbeat(self, alive: bool) -> None:
        """Take a heartbeat of the policy; False: it vouches no longer for its chunks."""
        self._policy.beat(alive)

    def applied(self, position_rad: np.ndarray, mode: str, now_s: float) -> None:
        """Take what the driver applies, rad, shape (6,), and the gate's mode, '' if unknown."""
        self._arm.applied(position_rad, mode, now_s)

    def estop(self, active: bool) -> None:
        """Take the state of the emergency stop."""
        self._estopped = active
        if active:
            self.timeline.clear()

    def add(
        self,
        start_s: float,
        positions_rad: np.ndarray,
        period_s: float,
        now_s: float,
        final: bool = False,
    ) -> bool:
        """Take a chunk, as `ChunkTimeline.add` does; return whether it was taken."""
        self._policy.chunk()
        standing_rad = self._arm.standing_rad(now_s)
        begins = self.timeline.state is TimelineState.IDLE
        if self._estopped or (begins and standing_rad is None):
            self.counters['chunks_refused_arm_not_ready'] += 1
            return False
        if now_s < self._rests_until_s:
            self.counters['chunks_refused_arm_rests'] += 1
            return False
        taken = self.timeline.add(start_s, positions_rad, period_s, now_s, standing_rad, final)
        if taken:
            self._is_interrupted = False
            if begins:
                self._arm.begin()
        return taken

    def committed(self, now_s: float) -> np.ndarray:
        """Return what will be played from now on, `PERIOD_S` apart, shape (T, 6)."""
        return self.timeline.committed(now_s, PERIOD_S, HORIZON_S)

    def sample(self, now_s: float) -> JointGoal | None:
        """Return the goal of this instant, or None when standing still."""
        self._policy.step(now_s)
        self._arm.step(now_s)
        if self.timeline.state is not TimelineState.IDLE and not self._arm.follows:
            self.timeline.clear()
            self.counters['arm_let_go'] += 1
            self._rests_until_s = now_s + REST_S
        elif not self._policy.vouches:
            self._is_interrupted |= self.timeline.interrupt()
        elif self.timeline.interrupted:
            self.timeline.go_on(now_s)
        return self.timeline.sample(now_s, self._arm.standing_rad(now_s))
