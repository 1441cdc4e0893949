"""The topics between an arm and its twin, around `chefmate_core.twin.monitor`."""

import threading
import time
from collections import deque
from collections.abc import Callable

import numpy as np
from rclpy.node import Node
from sensor_msgs.msg import JointState

from chefmate.nodes.bridge_parameters import BridgeParameters
from chefmate.nodes.raw_subscription import RawSubscription, message_in
from chefmate_core.diagnosis import Diagnosis, Level
from chefmate_core.joints import JOINT_NAMES
from chefmate_core.twin.mapping import Refusal, TwinMessageError
from chefmate_core.twin.monitor import TwinMonitor
from chefmate_core.twin.states import TwinState
from chefmate_ros import qos
from chefmate_ros.joint_messages import seconds, time_message
from chefmate_ros.timers import steady_timer
from chefmate_ros.twin_topics import refuse_topic_of_an_arm, twin_publisher

# Less than half a servo's tick: nothing that a twin could show.
UNCHANGED_RAD = 0.0007
# An arm at rest is told so often, so that a simulator that starts late learns of it.
REMINDER_S = 0.5

# Ten times what six joints need. To read more would take its time from the arm's joint_states.
LARGEST_BYTES = 8192

# By mode: what it means that nothing is to be followed, where no arm is.
NO_ARM = {
    'command': 'the simulator is not driven',
    'replay': 'the recording is being read',
}

OnState = Callable[[np.ndarray, float], None]


class TwinLink:
    """Tells the simulator where to be, hears where it is, and publishes how far that is off.

    One other thread may call `is_due`, `arm_is_at`, `follow` and `command`. The simulator is heard
    in a thread of its own.

    Args:
        on_state: called in that thread with the simulator's position, rad, shape (6,), and the
            age that its stamp tells, s.
    """

    def __init__(
        self, node: Node, parameters: BridgeParameters, on_state: OnState | None = None
    ) -> None:
        self._node = node
        self._map = parameters.joint_map
        self._names = list(parameters.urdf_names)
        self._twin_names = list(self._map.names)
        self._follows_arm = parameters.mode not in NO_ARM
        no_arm = NO_ARM.get(parameters.mode, TwinState.NO_ARM)
        self._monitor = TwinMonitor(self._map, parameters.twin, no_arm)
        self._lock = threading.Lock()  # of the monitor
        self._on_state = on_state
        self._arm: deque[tuple[float, np.ndarray, float, float]] = deque(maxlen=256)
        self._period_s = 1.0 / parameters.command_rate_hz
        self._due_s = 0.0
        self._told_rad = np.full(len(JOINT_NAMES), np.nan)
        self._told_s = -REMINDER_S
        self.commands = self.unusable = 0
        self._state = TwinState.WAITING
        self._commands = twin_publisher(node, parameters.command_topic, qos.TWIN_COMMAND)
        self._states = twin_publisher(node, 'twin/joint_states', qos.STATE)
        self._errors = twin_publisher(node, 'twin/joint_error', qos.STATE)
        # In mode command what is heard here is an arm's state: another's would be taken for it.
        refuse_topic_of_an_arm(node.resolve_topic_name(parameters.states_topic))
        self._simulator = RawSubscription(
            node, JointState, parameters.states_topic, self._on_twin, qos.TWIN_STATE
        )
        steady_timer(node, 1.0 / parameters.error_rate_hz, self._compare)
        steady_timer(node, 0.5, self._tell_changes)
        if parameters.report_period_s > 0.0:
            steady_timer(node, parameters.report_period_s, self._report)

    def close(self) -> None:
        """End the thread."""
        self._simulator.close()

    def begin_anew(self) -> None:
        """The arm's motion is another from now on."""
        with self._lock:
            self._take_arm()
            self._monitor.begin_anew()

    def line(self) -> str:
        """Return the twin's state in one line."""
        with self._lock:
            self._take_arm()
            return self._monitor.line(time.monotonic())

    def is_due(self) -> bool:
        """Return whether another position is wanted now; at most `command_rate_hz` are."""
        now_s = time.monotonic()
        if now_s < self._due_s:
            return False
        # In step with the period on average, without a burst after a pause.
        self._due_s = max(self._due_s + self._period_s, now_s - self._period_s)
        return True

    def arm_is_at(self, stamp_s: float, position_rad: np.ndarray) -> None:
        """The arm was there, rad, shape (6,), at a stamp; the twin is compared with that."""
        self._arm.append((stamp_s, position_rad, self._clock_s(), time.monotonic()))

    def follow(self, stamp_s: float, position_rad: np.ndarray) -> None:
        """The arm was there, and the simulator is to be: it is told what is news."""
        self.arm_is_at(stamp_s, position_rad)
        moved = not np.max(np.abs(position_rad - self._told_rad)) <= UNCHANGED_RAD
        if moved or time.monotonic() - self._told_s >= REMINDER_S:
            self.command(stamp_s, position_rad)

    def command(self, stamp_s: float, position_rad: np.ndarray) -> None:
        """Send a position to the simulator, under its names and in its units."""
        try:
            positions = self._map.to_twin(position_rad)
        except TwinMessageError:
            self.unusable += 1
            return
        self._told_rad, self._told_s = position_rad, time.monotonic()
        message = JointState(name=self._twin_names)
        message.header.stamp = time_message(stamp_s)
        message.position = positions.tolist()
        self._commands.publish(message)
        self.commands += 1

    def _clock_s(self) -> float:
        return self._node.get_clock().now().nanoseconds * 1e-9

    def _take_arm(self) -> None:
        """Hand what another thread has left to the monitor, whose lock is held."""
        while self._arm:
            self._monitor.arm_moved(*self._arm.popleft())

    def _on_twin(self, raw: bytes) -> None:
        message = message_in(raw, JointState) if len(raw) <= LARGEST_BYTES else None
        clock_s, now_s = self._clock_s(), time.monotonic()
        with self._lock:
            if message is None:
                unread = f'{len(raw)} bytes are no JointState of {len(JOINT_NAMES)} joints'
                self._monitor.refuse(TwinMessageError(Refusal.MALFORMED, unread), now_s)
                return
            position_rad = self._monitor.twin_said(
                seconds(message.header.stamp), message.name, message.position, clock_s, now_s
            )
            stamp_s = self._monitor.twin_stamp_s(clock_s)
        if position_rad is None:
            return
        state = JointState(name=self._names, position=position_rad.tolist())
        state.header.stamp = time_message(stamp_s)
        self._states.publish(state)
        if self._on_state is not None:
            self._on_state(position_rad, clock_s - stamp_s)

    def _compare(self) -> None:
        if self._simulator.failure is not None:
            raise self._simulator.failure
        with self._lock:
            self._take_arm()
            error = self._monitor.compare()
        if error is None:
            return
        message = JointState(name=self._names, position=error.error_rad.tolist())
        message.header.stamp = time_message(self._clock_s() - (time.monotonic() - error.time_s))
        self._errors.publish(message)

    def _tell_changes(self) -> None:
        """An operator learns at once of what is wrong, and that it is over."""
        with self._lock:
            self._take_arm()
            now_s = time.monotonic()
            before, self._state = self._state, self._monitor.state(now_s)
            if self._state is before:
                return
            sentence = self._monitor.sentence(now_s)
        if self._state is TwinState.NO_ARM and not self._follows_arm:
            return  # that is how these modes begin
        log = self._node.get_logger()
        if self._state in (TwinState.FOLLOWING, TwinState.WAITING):
            log.info(sentence)
        elif self._state in (TwinState.ALARM, TwinState.REFUSED):
            log.error(sentence)
        else:
            log.warning(sentence)

    def _report(self) -> None:
        self._node.get_logger().info(self.line())

    def diagnose(self) -> Diagnosis:
        """For /diagnostics: the monitor's, and what was sent."""
        with self._lock:
            self._take_arm()
            found = self._monitor.diagnose(time.monotonic())
        values = {**found.values, 'commands': self.commands, 'unusable': self.unusable}
        return Diagnosis(Level(found.level), found.message, values)
