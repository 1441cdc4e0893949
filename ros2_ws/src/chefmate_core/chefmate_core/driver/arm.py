"""What the driver's loop asks of an arm: servos on a bus, or an arm in a simulator."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from chefmate_core.servo.readings import ArmReading


class Statistics(Protocol):
    """Counters since construction."""

    def as_dict(self) -> Mapping[str, int | float]:
        """Flat, for diagnostics."""


class Arm(Protocol):
    """Positions are in rad, shape (6,). A method that cannot do its work raises a BusError."""

    @property
    def port(self) -> str:
        """Where the arm is, for messages."""

    @property
    def statistics(self) -> Statistics:
        """How the connection fares."""

    def connect(self) -> None:
        """Open the connection and read every joint once. Moves nothing."""

    def configure(self) -> None:
        """Set the arm up; one that holds goes on holding where that is possible."""

    def hold(self) -> np.ndarray:
        """Turn torque on without moving the arm; return what it holds."""

    def holds(self, goal_rad: np.ndarray) -> bool:
        """Return whether every joint has torque and this goal."""

    def set_torque(self, enabled: bool) -> None:
        """Hold the arm where it is, or let it go limp."""

    def torque_enabled(self) -> np.ndarray:
        """Return which joints have torque, bool, shape (6,)."""

    def check_torque(self) -> None:
        """Raise TorqueLostError if a joint that answers has no torque."""

    def limit_gripper(self, torque_fraction: float | None) -> None:
        """Limit the gripper to a fraction of its stall torque; None: as it is configured."""

    def read(self, with_health: bool = False) -> ArmReading:
        """Return where the joints are; raise where one has been silent for too long."""

    def write_goal(self, position_rad: np.ndarray) -> np.ndarray:
        """Send the goals, return what went out; raise GoalError for what is no goal."""

    def reconnect(self) -> None:
        """Bring the connection back after it was lost; torque is left as it is."""

    def disconnect(self, torque_off: bool) -> None:
        """End the connection; with `torque_off` the arm goes limp first, else it holds."""
