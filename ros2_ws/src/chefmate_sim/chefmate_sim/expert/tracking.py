"""Keeps the plan and the arm together: an arm that is held or moved must not be raced ahead of.

The plan runs on the clock of the observations. If the arm falls behind it (emergency stop,
starvation), the plan stands still at the place where the arm is on its path, a small step ahead
of it. Only an arm that takes this step is free again, and the plan goes on from there. If the arm
has left the path, a new way is made once it has come to rest. Neither follows the arm while it
moves, so the two cannot chase one another.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from chefmate_core.policy.protocol import Observation
from chefmate_sim.expert.config import ExpertConfig
from chefmate_sim.expert.kinematics import ARM_JOINT_COUNT
from chefmate_sim.expert.plan import Plan
from chefmate_sim.expert.trajectory import Segment, segment_through

_SLOW_RAD_S = 0.08  # below: the arm stands
_STEP_S = 0.5  # in which the small step is offered


@dataclass(frozen=True)
class _Waiting:
    """What goes on once the arm is free."""

    path: Plan
    resume_s: float | None  # where on the path; None: by a new way


NewWay = Callable[[np.ndarray], list[Segment]]  # from joint positions (6,); the jaw's are goals


class Tracker:
    """Holds the plan in force."""

    def __init__(self, plan: Plan, config: ExpertConfig) -> None:
        self.plan = plan
        self._config = config
        self._previous_s = plan.end_s
        self._waiting: _Waiting | None = None  # while `plan` stands still
        self.note = ''  # for people, mostly nothing

    @property
    def waits(self) -> bool:
        """Whether the plan stands still until the arm is free again."""
        return self._waiting is not None

    def is_on_time(self, observation: Observation) -> bool:
        """Return whether the arm is where the plan has it, as far as its servos can be."""
        stamp_s, config = observation.stamp_s, self._config
        reached_s, beside_rad = self.plan.nearest(
            observation.joint_position_rad, stamp_s - config.lag_s, stamp_s
        )
        return stamp_s - reached_s < config.late_s and beside_rad < config.step_rad

    def follow(self, observation: Observation, new_way: NewWay) -> None:
        """Compare the arm with the plan, and stop or resume the plan where that is due."""
        self.note = ''
        if self._waiting is not None:
            self._wait(self._waiting, observation, new_way)
        elif self._has_lost_the_arm(observation):
            self._stop(observation)
        if self.waits:
            self.note = ' (waiting: the arm was held or moved)'
        self._previous_s = observation.stamp_s

    def _has_lost_the_arm(self, observation: Observation) -> bool:
        """Return whether the arm stands while the plan moves on, or is beside its path."""
        config, stamp_s = self._config, observation.stamp_s
        lag_s, beside_rad = config.lag_s, config.on_path_rad
        if _stands(observation):
            lag_s, beside_rad = config.stall_s, config.step_rad
        _, found_rad = self.plan.nearest(observation.joint_position_rad, stamp_s - lag_s, stamp_s)
        return found_rad > beside_rad

    def _stop(self, observation: Observation) -> None:
        config, stamp_s = self._config, observation.stamp_s
        recalled_s = min(stamp_s, self._previous_s) - config.recall_s
        recalled_s = max(recalled_s, self.plan.jaw_moved_s(stamp_s))
        left_s, beside_rad = self.plan.nearest(observation.joint_position_rad, recalled_s, stamp_s)
        path = self.plan
        if beside_rad > 2 * config.on_path_rad:
            self._waiting = _Waiting(path, None)
            self.plan = self._standing_here(observation)
            return
        self._waiting = _Waiting(path, path.ahead(left_s, config.step_rad))
        step = path.sample(np.array([left_s, self._waiting.resume_s]))
        self.plan = Plan(stamp_s, step[0])
        segment = segment_through(path.phase_at(left_s), step, config.caps)
        self.plan.append([segment.lasting(_STEP_S)], stamp_s)

    def _standing_here(self, observation: Observation) -> Plan:
        """Return the plan to stay where the arm is now; what the jaw holds it shall keep."""
        jaw_rad = self.plan.sample(np.array([observation.stamp_s]))[0, ARM_JOINT_COUNT:]
        here = np.append(observation.joint_position_rad[:ARM_JOINT_COUNT], jaw_rad)
        return Plan(observation.stamp_s, here)

    def _wait(self, waiting: _Waiting, observation: Observation, new_way: NewWay) -> None:
        if not _stands(observation):
            return
        stamp_s = observation.stamp_s
        away_rad = _distance_rad(self.plan.end_rad, observation)
        if waiting.resume_s is not None and away_rad <= 2 * self._config.on_path_rad:
            # Half a step: what stands still is not taken for what has moved.
            if away_rad <= 0.5 * self._config.step_rad:
                self.plan = waiting.path.resumed(waiting.resume_s, stamp_s, self._config.caps)
                self._waiting = None
            return
        self.plan = self._standing_here(observation)
        self.plan.append(new_way(self.plan.end_rad), stamp_s)
        self._waiting = None


def _stands(observation: Observation) -> bool:
    return bool(np.max(np.abs(observation.joint_velocity_rad_s[:ARM_JOINT_COUNT])) < _SLOW_RAD_S)


def _distance_rad(position_rad: np.ndarray, observation: Observation) -> float:
    difference = (position_rad - observation.joint_position_rad)[:ARM_JOINT_COUNT]
    return float(np.max(np.abs(difference)))
