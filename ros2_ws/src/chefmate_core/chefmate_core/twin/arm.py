"""A simulated arm in a servo arm's place, so that the driver's loop and its gate drive it.

The arm of `chefmate_core.driver` speaks bytes; this one speaks to a simulator through whoever
gives it states and takes its goals. Loop, gate, emergency stop and blends are the driver's own.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping

import numpy as np

from chefmate_core.joints import GRIPPER, JOINT_COUNT
from chefmate_core.servo.errors import GoalError, ServoSilentError
from chefmate_core.servo.readings import ArmHealth, ArmReading

# Velocities are taken over at least so long: two states may arrive at almost the same time.
VELOCITY_SPAN_S = 0.025
SAGS_RAD = 0.1  # a gripper that has opened by more since it was told to close holds nothing


class TwinStatistics:
    """Counters, as those of a servo bus."""

    def __init__(self) -> None:
        self.states = self.goals = self.reconnects = 0

    def as_dict(self) -> Mapping[str, int]:
        """Flat, for diagnostics."""
        return dict(vars(self))


class TwinArm:
    """The arm in a simulator. `receive` is called by any thread, the rest by the driver's loop.

    A simulator's servos know no torque switch: without torque nothing is sent, and the arm stays
    at its last goal.

    Args:
        topic: where its states come from, for messages.
        send: takes a goal, rad, shape (6,).
        silent_s: without a state for longer, the arm is lost until one comes.
    """

    def __init__(
        self,
        topic: str,
        send: Callable[[np.ndarray], None],
        silent_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.port = topic
        self.statistics = TwinStatistics()
        self._send, self._silent_s, self._clock = send, silent_s, clock
        self._lock = threading.Lock()
        self._position_rad = np.full(JOINT_COUNT, np.nan)
        self._velocity_rad_s = np.zeros(JOINT_COUNT)
        self._measured_s = -np.inf
        # The states of the last span, and the one before them.
        self._recent: deque[tuple[float, np.ndarray]] = deque(maxlen=256)
        self._has_torque = False
        self._goal_rad: np.ndarray | None = None
        self._told_at_rad = self._position_rad  # where the arm was when it was given its goal

    def receive(self, position_rad: np.ndarray, measured_s: float) -> None:
        """The simulator says where its arm was at a time of the steady clock."""
        with self._lock:
            step_s = measured_s - self._measured_s
            if not step_s > 0.0:
                return
            if step_s >= self._silent_s:
                self._recent.clear()
                self._velocity_rad_s = np.zeros(JOINT_COUNT)
            self._recent.append((measured_s, position_rad.copy()))
            while len(self._recent) > 1 and self._recent[1][0] <= measured_s - VELOCITY_SPAN_S:
                self._recent.popleft()
            before_s, before_rad = self._recent[0]
            if measured_s - before_s >= VELOCITY_SPAN_S:
                self._velocity_rad_s = (position_rad - before_rad) / (measured_s - before_s)
            self._position_rad, self._measured_s = position_rad.copy(), measured_s
            self.statistics.states += 1

    # --- what the driver's loop asks of an arm ---------------------------------------------------

    def connect(self) -> None:
        """Raise ServoSilentError unless the simulator speaks."""
        self.read()

    def configure(self) -> None:
        """There is nothing to set up."""

    def hold(self) -> np.ndarray:
        """Hold the arm where it is, and go on gripping; return the goal, rad, shape (6,).

        A gripper that was told to close further has its grip from that. One that is wider open
        than it was then is another simulation's.
        """
        goal_rad = self.read().position_rad.copy()
        if self._has_torque and self._goal_rad is not None:
            closed_rad, open_rad = self._goal_rad[GRIPPER], self._told_at_rad[GRIPPER] + SAGS_RAD
            if closed_rad <= goal_rad[GRIPPER] <= open_rad:
                goal_rad[GRIPPER] = closed_rad
        self._has_torque = True
        return self.write_goal(goal_rad)

    def holds(self, goal_rad: np.ndarray) -> bool:
        """Return whether this was the last goal."""
        return self._has_torque and self._goal_rad is not None and bool(
            np.array_equal(self._goal_rad, goal_rad)
        )  # fmt: skip

    def set_torque(self, enabled: bool) -> None:
        """Hold the arm, or send nothing any more."""
        if enabled:
            self.hold()
        self._has_torque = enabled

    def torque_enabled(self) -> np.ndarray:
        """Return whether goals are sent, bool, shape (6,)."""
        return np.full(JOINT_COUNT, self._has_torque)

    def check_torque(self) -> None:
        """No simulated servo loses its torque."""

    def limit_gripper(self, torque_fraction: float | None) -> None:
        """The topics of a twin carry positions only."""

    def read(self, with_health: bool = False) -> ArmReading:
        """Return the newest state; raise ServoSilentError where it is too old."""
        with self._lock:
            position_rad, velocity_rad_s = self._position_rad, self._velocity_rad_s
            measured_s = self._measured_s
        age_s = self._clock() - measured_s
        if age_s > self._silent_s:
            since = 'has never spoken' if np.isinf(age_s) else f'is {age_s:.1f} s behind'
            raise ServoSilentError(f'{self.port}: the simulator {since}. Does its timeline play?')
        return ArmReading(
            position_rad,
            velocity_rad_s,
            measured_s,
            np.zeros(JOINT_COUNT),
            ok=True,
            health=_no_health(measured_s) if with_health else None,
        )

    def write_goal(self, position_rad: np.ndarray) -> np.ndarray:
        """Send a goal, rad, shape (6,), and return it. Raises GoalError for what is no goal."""
        goal_rad = np.asarray(position_rad, dtype=float)
        if goal_rad.shape != (JOINT_COUNT,) or not np.isfinite(goal_rad).all():
            raise GoalError(f'{self.port}: the goal is {position_rad!r}. Nothing was sent.')
        self._goal_rad, self._told_at_rad = goal_rad.copy(), self._position_rad
        self._send(goal_rad)
        self.statistics.goals += 1
        return goal_rad

    def reconnect(self) -> None:
        """Raise ServoSilentError unless the simulator is back."""
        self.connect()
        self.statistics.reconnects += 1

    def disconnect(self, torque_off: bool) -> None:
        """Send nothing any more; the arm stays at its last goal."""
        self._has_torque = self._has_torque and not torque_off


def _no_health(measured_s: float) -> ArmHealth:
    """A simulator's servos have neither temperature nor voltage: all is unknown, nothing wrong."""
    unknown = np.full(JOINT_COUNT, np.nan)
    return ArmHealth(
        temperature_c=unknown,
        voltage_v=unknown,
        load_fraction=unknown,
        current_ma=unknown,
        status_bits=np.zeros(JOINT_COUNT, dtype=int),
        moving=np.zeros(JOINT_COUNT, dtype=bool),
        steady_time_s=measured_s,
        age_s=np.zeros(JOINT_COUNT),
    )
