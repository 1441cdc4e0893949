"""The simulated arm's end of the twin interface, for a simulator that holds no ROS.

arm = JointStateClient(dds)
while simulating:
    goals_rad = arm.goals_rad()         # NaN: nobody has commanded that joint
    ...                                 # one step of the simulator
    arm.publish(position_rad)
"""

import math
import time
from collections import Counter
from collections.abc import Sequence

import numpy as np

from chefmate_core import qos_table
from chefmate_core.dds_client import stamps
from chefmate_core.dds_client.joint_names import JointStateError, positions_by_name
from chefmate_core.dds_client.messages import JointState
from chefmate_core.dds_client.participant import Participant
from chefmate_core.errors import ConfigurationError
from chefmate_core.joints import ISAAC_JOINT_NAMES

# The command comes at 60 Hz or on change, so that silence alone is no fault; this is for display.
STALE_S = 1.0


class JointStateClient:
    """Receives goals on one topic, publishes states on another; positions in rad, by name.

    Args:
        dds: an open participant.
        names: the joints, in the order of this object's arrays, shape (n,).
        command_topic: what is received; `isaac_joint_commands` is the other common spelling.
        states_topic: what is published.
        stale_s: silence after which `stale` says so.
    """

    def __init__(
        self,
        dds: Participant,
        *,
        names: Sequence[str] = ISAAC_JOINT_NAMES,
        command_topic: str = 'isaac_joint_command',
        states_topic: str = 'isaac_joint_states',
        stale_s: float = STALE_S,
    ) -> None:
        self.names = tuple(names)
        if not self.names or len(set(self.names)) != len(self.names):
            raise ConfigurationError(f'joints {self.names}: expected names, each once')
        self.stale_s = stale_s
        self.accepted = 0
        self.refused: Counter[str] = Counter()  # by reason
        self.last_refusal = ''
        self.stamp_ns = 0  # of the newest accepted command; 0 without any
        # Every one, not the newest: two commands between two frames may name different joints.
        self.commands = dds.subscription(command_topic, JointState, qos_table.EVERY_STATE)
        self.states = dds.publisher(states_topic, JointState, qos_table.STATE)
        self._goals_rad = np.full(len(self.names), math.nan)
        self._accepted_s = -math.inf

    @property
    def age_s(self) -> float:
        """How long ago the newest good command was taken, s, steady clock; inf without any."""
        return time.monotonic() - self._accepted_s

    @property
    def stale(self) -> bool:
        """Whether commands have been missing for longer than `stale_s`."""
        return self.age_s > self.stale_s

    def goals_rad(self) -> np.ndarray:
        """Take what has arrived; return the newest goal of each joint, rad, shape (n,).

        A joint that nobody has commanded is NaN. A message that cannot be followed is refused
        whole and counted in `refused`; the goals before it stay.
        """
        for message in self.commands.take():
            try:
                positions = positions_by_name(message, self.names)
            except JointStateError as refusal:
                self.refused[refusal.reason] += 1
                self.last_refusal = f'{self.commands.name}: {refusal}'
                continue
            for name, position_rad in positions.items():
                self._goals_rad[self.names.index(name)] = position_rad
            self.accepted += 1
            self.stamp_ns = stamps.from_stamp(message.header.stamp)
            self._accepted_s = time.monotonic()
        return self._goals_rad.copy()

    def publish(
        self,
        position_rad: Sequence[float] | np.ndarray,
        velocity_rad_s: Sequence[float] | np.ndarray = (),
        stamp_ns: int | None = None,
    ) -> None:
        """Publish where the joints are now.

        Args:
            position_rad: shape (n,), in the order of `names`.
            velocity_rad_s: shape (n,), or empty.
            stamp_ns: when it was measured; now, by the system's clock, unless it is given. A
                simulator with a clock of its own gives its time, as it publishes in `clock`.

        Raises:
            ConfigurationError: not one position for each joint.
        """
        positions = [float(value) for value in position_rad]
        velocities = [float(value) for value in velocity_rad_s]
        if len(positions) != len(self.names) or len(velocities) not in (0, len(self.names)):
            raise ConfigurationError(
                f'{self.states.name}: {len(positions)} positions and {len(velocities)} velocities '
                f'for {len(self.names)} joints: {", ".join(self.names)}'
            )
        self.states.publish(
            JointState(stamps.header(stamp_ns), list(self.names), positions, velocities)
        )
