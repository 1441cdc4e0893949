"""The scripted expert as a policy: observations in, chunks of joint goals out."""

import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from chefmate_core.errors import ConfigurationError, PolicyError
from chefmate_core.joints import JOINT_COUNT
from chefmate_core.policy.protocol import (
    HORIZON,
    PERIOD_S,
    ActionChunk,
    Observation,
    PolicySpec,
)
from chefmate_description import mjcf_path
from chefmate_sim.expert.config import ExpertConfig
from chefmate_sim.expert.kinematics import ARM_JOINT_COUNT, ArmKinematics
from chefmate_sim.expert.language import KNOWN_INSTRUCTIONS, parse_instruction
from chefmate_sim.expert.plan import Plan
from chefmate_sim.expert.planner import Planner
from chefmate_sim.expert.task import Part, PickAndPlaceTask
from chefmate_sim.expert.tracking import Tracker

_ROWS_S = np.arange(HORIZON) * PERIOD_S
_ARRIVED_RAD = 0.06  # of every arm joint from home
_MAX_PARTS_AT_ONCE = 4  # that may be planned in one call


class ExpertPolicy:
    """Picks and places by inverse kinematics, from privileged object poses; simulation only.

    The plan lives on the clock of the observations: row i of a chunk is the plan at the
    observation's stamp + i periods, so chunks agree with one another whatever the latency; that
    clock goes as slowly as the arm does. Where the arm is on its path is measured at every call:
    an arm that was held goes on from where it is.
    """

    def __init__(self, model_path: Path | str | None = None, **options: Any) -> None:
        """Build the expert.

        Args:
            model_path: MJCF of the arm; None means the one of chefmate_description.
            **options: fields of `ExpertConfig` to change.
        """
        try:
            self._config = ExpertConfig(**options)
        except TypeError as error:
            known = ', '.join(ExpertConfig.__dataclass_fields__)
            raise ConfigurationError(
                f'the expert has no such option: {error}. Options are: model_path, {known}'
            ) from error
        arm = ArmKinematics(Path(model_path) if model_path else mjcf_path())
        self._planner = Planner(arm, self._config)
        self._task: PickAndPlaceTask | None = None
        self._tracker: Tracker | None = None
        self._previous_s = -np.inf

    @property
    def spec(self) -> PolicySpec:
        """What the expert needs: object poses, no camera."""
        return PolicySpec(name='expert', needs_objects=True, known_instructions=KNOWN_INSTRUCTIONS)

    def reset(self, instruction: str) -> None:
        """Begin a task; raise UnknownInstructionError if it is not understood."""
        self._task = PickAndPlaceTask(parse_instruction(instruction), self._planner)
        self._tracker = None
        self._previous_s = -np.inf

    def infer(self, observation: Observation) -> ActionChunk:
        """Return the next 16 goals; raise PolicyError if the task cannot go on."""
        begun_s = time.perf_counter()
        task, tracker = self._task, self._tracker
        if task is None:
            raise PolicyError('infer() needs a task; call reset(instruction) first')
        _check(observation)
        stamp_s = observation.stamp_s
        if tracker is None or stamp_s < self._previous_s:  # begin, or the clock was set back
            tracker = self._tracker = self._begin(task, observation)
        else:
            tracker.plan.delay((1.0 - observation.speed) * (stamp_s - self._previous_s))
            tracker.follow(observation, partial(task.restart, observation))
        if not tracker.waits:
            self._extend(tracker, task, observation)
        self._previous_s = stamp_s
        plan, done = tracker.plan, _is_done(tracker.plan, task, observation)
        plan.forget_before(stamp_s - self._config.recall_s)
        return ActionChunk(
            stamp_s=stamp_s,
            positions_rad=plan.sample(stamp_s + _ROWS_S),
            phase='done' if done else plan.phase_at(stamp_s) + tracker.note,
            done=done,
            timings_s={'plan': time.perf_counter() - begun_s},
        )

    def close(self) -> None:
        """Nothing is held."""

    def _begin(self, task: PickAndPlaceTask, observation: Observation) -> Tracker:
        position_rad = np.array(observation.joint_position_rad, float)
        plan = Plan(observation.stamp_s, position_rad)
        if task.part is not Part.START:
            plan.append(task.restart(observation, position_rad), observation.stamp_s)
        return Tracker(plan, self._config)

    def _extend(self, tracker: Tracker, task: PickAndPlaceTask, observation: Observation) -> None:
        """Append the parts that are due. Several can be: a part without motion takes no time."""
        plan = tracker.plan
        for _ in range(_MAX_PARTS_AT_ONCE):
            if plan.end_s - observation.stamp_s > self._config.lookahead_s:
                return
            segments = task.advance(observation, plan.end_rad, tracker.is_on_time(observation))
            if not segments:
                return
            plan.append(segments, observation.stamp_s)


def _is_done(plan: Plan, task: PickAndPlaceTask, observation: Observation) -> bool:
    if task.part is not Part.HOME or plan.end_s > observation.stamp_s:
        return False
    away_rad = (plan.end_rad - observation.joint_position_rad)[:ARM_JOINT_COUNT]
    return bool(np.max(np.abs(away_rad)) < _ARRIVED_RAD)


def _check(observation: Observation) -> None:
    for name in ('joint_position_rad', 'joint_velocity_rad_s'):
        value = np.asarray(getattr(observation, name), float)
        if value.shape != (JOINT_COUNT,) or not np.all(np.isfinite(value)):
            raise PolicyError(
                f'the expert needs {name} of {JOINT_COUNT} finite values; found {value}'
            )
    if not np.isfinite(observation.stamp_s):
        raise PolicyError(f'the expert needs a finite stamp_s; found {observation.stamp_s}')
    if not isinstance(observation.objects, Mapping) or not observation.objects:
        raise PolicyError(
            'the observation holds no object poses; the expert works in simulation only, where '
            'they are published'
        )
