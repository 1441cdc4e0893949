"""The course of a task: what comes next, and whether what came before has worked."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from chefmate_core.errors import PolicyError
from chefmate_core.geometry import Pose
from chefmate_core.joints import GRIPPER
from chefmate_core.policy.protocol import Observation
from chefmate_sim.expert.grasp_geometry import tilt_rad
from chefmate_sim.expert.kinematics import UnreachableError
from chefmate_sim.expert.planner import InHand, Planner
from chefmate_sim.expert.trajectory import Segment

_JAW_STILL_RAD_S = 0.15
_JAW_MOVED_RAD = 0.08  # a jaw that has not moved by that much has not closed, or opened, yet
_RISEN_M = 0.025


class Part(StrEnum):
    """The parts of a task; the arm stands still between them."""

    START = 'start'
    REACH = 'reach'
    CLOSE = 'close'
    LIFT = 'lift'
    CARRY = 'carry'
    RELEASE = 'release'
    RETREAT = 'retreat'
    HOME = 'home'


@dataclass(frozen=True)
class _Grasp:
    """What was seen when the jaw had closed and all stood still."""

    slice_height_m: float
    in_hand: InHand


class PickAndPlaceTask:
    """Puts slices on the plate, one after the other, then goes home.

    The policy calls `advance` shortly before the plan runs out and appends what it returns.
    """

    def __init__(self, layers: tuple[str, ...], planner: Planner) -> None:
        """Begin the task of stacking `layers`, bottom to top."""
        self._layers = layers
        self._planner = planner
        self._config = planner.config
        self.part = Part.START
        self._layer = -1
        self._attempts = 0
        self._grasp: _Grasp | None = None  # since the jaw last closed
        self._jaw_before_rad = 0.0

    @property
    def slice_name(self) -> str:
        """The slice in work."""
        return self._layers[min(max(self._layer, 0), len(self._layers) - 1)]

    def advance(
        self, observation: Observation, end_rad: np.ndarray, on_time: bool
    ) -> list[Segment]:
        """Return the next part, planned from `end_rad`, or nothing while the last one still acts.

        Args:
            observation: what is seen now, shortly before the end.
            end_rad: joint positions at the end, shape (6,).
            on_time: whether the arm keeps up with the plan; the jaw does not act on a slice
                before the arm is there.

        Raises:
            PolicyError: there is no way on; the message says why.
        """
        match self.part:
            case Part.START:
                return self._next_layer(observation, end_rad)
            case Part.REACH if on_time:
                return self._close(observation, end_rad)
            case Part.CLOSE if self._jaw_has_closed(observation):
                return self._lift(observation, end_rad)
            case Part.LIFT:
                return self._carry_or_retry(observation, end_rad)
            case Part.CARRY if on_time:
                self._jaw_before_rad = float(observation.joint_position_rad[GRIPPER])
                return self._enter(Part.RELEASE, self._planner.release(self.slice_name, end_rad))
            case Part.RELEASE if self._jaw_has_opened(observation):
                return self._enter(Part.RETREAT, self._planner.retreat(self.slice_name, end_rad))
            case Part.RETREAT:
                return self._judge_placement(observation, end_rad)
        return []

    def restart(self, observation: Observation, start_rad: np.ndarray) -> list[Segment]:
        """Return a new way for the part at hand, from where the arm was pushed to."""
        grasp = self._held(observation)
        if self.part in (Part.CARRY, Part.RELEASE) and grasp is not None:
            return self._carry(grasp, observation, start_rad)
        if self.part is Part.LIFT and grasp is not None:
            with suppress(UnreachableError):  # else it is put back, as one that is not held
                return self._lift_further(grasp, observation, start_rad)
        if self.part is Part.RETREAT:
            return self._planner.retreat(self.slice_name, start_rad)
        if self.part is Part.HOME:
            return self._planner.home(start_rad)
        freed = self._planner.back_out(self.slice_name, start_rad)
        end_rad = freed[-1].end_rad if freed else start_rad
        self._layer -= 1
        return [*freed, *self._next_layer(observation, end_rad)]

    # --- parts -----------------------------------------------------------------------------------

    def _enter(self, part: Part, segments: list[Segment]) -> list[Segment]:
        self.part = part
        return segments

    def _next_layer(self, observation: Observation, end_rad: np.ndarray) -> list[Segment]:
        self._layer += 1
        self._attempts = 0
        while self._layer < len(self._layers):
            if not self._is_placed(observation.objects, self.slice_name):
                self._refuse_wrong_order(observation.objects)
                return self._reach(observation, end_rad)
            self._layer += 1
        return self._enter(Part.HOME, self._planner.home(end_rad))

    def _reach(self, observation: Observation, end_rad: np.ndarray) -> list[Segment]:
        name = self.slice_name
        self._attempts += 1
        if self._attempts > self._config.max_attempts:
            raise PolicyError(
                f'{name} could not be picked in {self._config.max_attempts} attempts; see that '
                f'nothing blocks the tray and reset the kitchen'
            )
        pose = _pose(observation.objects, name)
        return self._enter(Part.REACH, self._planner.reach(name, end_rad, pose))

    def _close(self, observation: Observation, end_rad: np.ndarray) -> list[Segment]:
        self._jaw_before_rad = float(end_rad[GRIPPER])
        return self._enter(Part.CLOSE, self._planner.close(self.slice_name, end_rad))

    def _lift(self, observation: Observation, end_rad: np.ndarray) -> list[Segment]:
        height_m = float(_pose(observation.objects, self.slice_name).position_m[2])
        self._grasp = _Grasp(height_m, self._seen_in_hand(observation))
        return self._enter(Part.LIFT, self._planner.lift(self.slice_name, end_rad))

    def _lift_further(
        self, grasp: _Grasp, observation: Observation, start_rad: np.ndarray
    ) -> list[Segment]:
        height_m = float(_pose(observation.objects, self.slice_name).position_m[2])
        risen_m = max(0.0, height_m - grasp.slice_height_m)
        try:
            return self._planner.lift(self.slice_name, start_rad, risen_m)
        except UnreachableError:
            if risen_m <= _RISEN_M:
                raise
            return self._carry(grasp, observation, start_rad)  # it is out of its slot

    def _carry_or_retry(self, observation: Observation, end_rad: np.ndarray) -> list[Segment]:
        grasp = self._held(observation)
        height_m = _pose(observation.objects, self.slice_name).position_m[2]
        if grasp is not None and height_m - grasp.slice_height_m > _RISEN_M:
            return self._carry(grasp, observation, end_rad)
        return self._reach(observation, end_rad)

    def _carry(
        self, grasp: _Grasp, observation: Observation, start_rad: np.ndarray
    ) -> list[Segment]:
        segments = self._planner.carry(
            self.slice_name, start_rad, grasp.in_hand, observation.objects
        )
        return self._enter(Part.CARRY, segments)

    def _judge_placement(self, observation: Observation, end_rad: np.ndarray) -> list[Segment]:
        if self._is_placed(observation.objects, self.slice_name):
            return self._next_layer(observation, end_rad)
        return self._reach(observation, end_rad)  # raises, unless it is back in its slot

    # --- what has been observed ------------------------------------------------------------------

    def _jaw_has_closed(self, observation: Observation) -> bool:
        jaw_rad = observation.joint_position_rad[GRIPPER]
        still = abs(observation.joint_velocity_rad_s[GRIPPER]) < _JAW_STILL_RAD_S
        return bool(still and jaw_rad < self._jaw_before_rad - _JAW_MOVED_RAD)

    def _jaw_has_opened(self, observation: Observation) -> bool:
        jaw_rad = observation.joint_position_rad[GRIPPER]
        return bool(jaw_rad > self._jaw_before_rad + 3 * _JAW_MOVED_RAD)

    def _seen_in_hand(self, observation: Observation) -> InHand:
        tcp = self._planner.arm.forward(observation.joint_position_rad)
        return InHand.measured(tcp, _pose(observation.objects, self.slice_name))

    def _held(self, observation: Observation) -> _Grasp | None:
        """Return the grasp if the slice is still where it has it."""
        if self._grasp is None:
            return None
        moved_m = self._seen_in_hand(observation).position_m - self._grasp.in_hand.position_m
        holds = np.linalg.norm(moved_m) < self._config.held_radius_m
        return self._grasp if holds else None

    def _is_placed(self, objects: Mapping[str, Pose], name: str) -> bool:
        pose, plate = _pose(objects, name), _pose(objects, 'plate')
        off_centre_m = np.linalg.norm((pose.position_m - plate.position_m)[:2])
        flat = tilt_rad(pose.rotation) < self._config.placed_tilt_rad
        return bool(flat and off_centre_m < self._config.placed_radius_m)

    def _refuse_wrong_order(self, objects: Mapping[str, Pose]) -> None:
        on_plate = [
            later for later in self._layers[self._layer + 1 :] if self._is_placed(objects, later)
        ]
        if on_plate:
            raise PolicyError(
                f'{self.slice_name} belongs below {", ".join(on_plate)}, which already lies on '
                f'the plate, and slices that lie flat cannot be picked up; clear the plate first'
            )


def _pose(objects: Mapping[str, Pose], name: str) -> Pose:
    try:
        return objects[name]
    except KeyError:
        found = ', '.join(objects) or 'none'
        raise PolicyError(
            f'the observation holds no pose of {name!r}; it holds: {found}. '
            f'The expert needs the poses that the simulation publishes'
        ) from None
