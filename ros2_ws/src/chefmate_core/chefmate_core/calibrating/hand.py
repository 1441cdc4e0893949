"""A hand that does what a calibration asks, for virtual arms: it moves limp joints bit by bit."""

from collections.abc import Callable

import numpy as np

from chefmate_core.calibrating.views import Step
from chefmate_core.joints import GRIPPER, JOINT_COUNT, LOWER_LIMITS_RAD, UPPER_LIMITS_RAD

# Zero is the middle of the arm's joints; a gripper has its middle elsewhere.
_MIDDLE_RAD = np.zeros(JOINT_COUNT)
_MIDDLE_RAD[GRIPPER] = (LOWER_LIMITS_RAD[GRIPPER] + UPPER_LIMITS_RAD[GRIPPER]) / 2


class SimulatedHand:
    """Moves all joints of a virtual arm, rad, shape (6,), in the order of `JOINT_NAMES`.

    Args:
        place: puts the joints of the limp arm somewhere, as `FirstOrderArm.place` does.
        position_rad: where they are now.
        reach: how much of each joint's mechanical range it uses, shape (6,); 0: it leaves it out.
        step_rad: how far a joint moves in one `act`.
    """

    def __init__(
        self,
        place: Callable[[np.ndarray], None],
        position_rad: np.ndarray,
        reach: np.ndarray | None = None,
        step_rad: float = 0.3,
    ) -> None:
        self.position_rad = np.array(position_rad, dtype=float)
        self.arrived = False  # whether the last move ended at a stop or in the middle
        self.middle_rad = _MIDDLE_RAD.copy()
        self.reach = np.ones(JOINT_COUNT) if reach is None else np.asarray(reach, dtype=float)
        self._place = place
        self._step_rad = step_rad
        self._step: Step | None = None
        self._waypoints: list[np.ndarray] = []

    def act(self, step: Step) -> bool:
        """Make the next small move that a step asks for; return whether it is done with it."""
        if step is not self._step:
            self._step = step
            self._waypoints = self._plan(step)
        self.arrived = False
        if self._waypoints:
            left = self._waypoints[0] - self.position_rad
            self.position_rad = self.position_rad + np.clip(left, -self._step_rad, self._step_rad)
            self._place(self.position_rad)
            if np.abs(left).max() <= self._step_rad:
                self._waypoints.pop(0)
                self.arrived = True
        return not self._waypoints

    def _plan(self, step: Step) -> list[np.ndarray]:
        if step is Step.MIDDLE:
            return [self.middle_rad]
        if step is Step.RANGE:
            return [end for index in range(JOINT_COUNT) for end in self._sweep(index)]
        if step is Step.GRIPPER:
            closed = self.position_rad.copy()
            closed[GRIPPER] = LOWER_LIMITS_RAD[GRIPPER]
            return [closed]
        return []

    def _sweep(self, index: int) -> list[np.ndarray]:
        middle = self.middle_rad[index]
        ends = []
        for limit in (LOWER_LIMITS_RAD[index], UPPER_LIMITS_RAD[index], middle):
            pose = self.middle_rad.copy()
            pose[index] = middle + self.reach[index] * (limit - middle)
            ends.append(pose)
        return ends
