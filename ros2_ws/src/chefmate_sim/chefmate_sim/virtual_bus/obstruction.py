"""Joints that are stuck: a wall between the servos and the arm that they move."""

import numpy as np

from chefmate_core.joints import JOINT_COUNT
from chefmate_sim.virtual_bus.model import ServoArmModel

# Assumed, for LeRobot's P of 16: the error at which a servo gives all its torque. It agrees with
# the 0.05 rad by which a quarter of the stall torque, gravity, sags a real arm.
FULL_TORQUE_ERROR_RAD = 0.2


class ObstructedArm:
    """A `ServoArmModel` in which single joints can be blocked, whatever arm is behind it.

    A blocked joint is held where it is, at full torque of the arm behind, so that a physics model
    agrees with what is reported: it stands still whatever its goal, also with torque off. Its
    servo pushes with the torque that the error asks for, up to its torque limit.
    """

    def __init__(self, arm: ServoArmModel) -> None:
        self._arm = arm
        self._goal_rad = arm.position_rad().tolist()
        self._torque_limit = [0.0] * JOINT_COUNT
        self._blocked: set[int] = set()

    def block(self, index: int) -> None:
        """Block a joint where it is."""
        position_rad = float(self._arm.position_rad()[index])
        self._blocked.add(index)
        self._arm.set_goal(index, position_rad)
        self._arm.set_torque_limit(index, 1.0)

    def free(self, index: int) -> None:
        """Take the obstacle away: the joint goes where its servo was pushing it."""
        if index in self._blocked:
            self._blocked.remove(index)
            self._arm.set_goal(index, self._goal_rad[index])
            self._arm.set_torque_limit(index, self._torque_limit[index])

    def position_rad(self) -> np.ndarray:
        """Return the joint positions, rad, shape (6,)."""
        return self._arm.position_rad()

    def velocity_rad_s(self) -> np.ndarray:
        """Return the joint velocities, rad/s, shape (6,)."""
        return self._arm.velocity_rad_s()

    def load_fraction(self) -> np.ndarray:
        """Return the motors' torque as a fraction of stall torque, -1..1, shape (6,)."""
        load = self._arm.load_fraction()
        if self._blocked:
            position_rad = self._arm.position_rad()
            for index in self._blocked:
                limit = self._torque_limit[index]
                push = (self._goal_rad[index] - position_rad[index]) / FULL_TORQUE_ERROR_RAD
                load[index] = min(max(push, -limit), limit)
        return load

    def set_goal(self, index: int, position_rad: float) -> None:
        """Set the goal of one joint, rad."""
        self._goal_rad[index] = position_rad
        if index not in self._blocked:
            self._arm.set_goal(index, position_rad)

    def set_torque_limit(self, index: int, fraction: float) -> None:
        """Set the torque limit of one joint, 0..1; 0 is torque off."""
        self._torque_limit[index] = fraction
        if index not in self._blocked:
            self._arm.set_torque_limit(index, fraction)
