"""`joint_state_bridge_node`: the follower for RViz and all of ROS, and its twin in a simulator.

Nothing here can move a real arm: no topic that one listens to is ever published.
"""

import time

from rclpy.executors import ExternalShutdownException
from rclpy.node import Node
from sensor_msgs.msg import JointState

from chefmate.nodes.bridge_parameters import declared_parameters
from chefmate.nodes.joint_relay import JointRelay
from chefmate.nodes.raw_subscription import RawSubscription, message_in
from chefmate.nodes.replay_loading import ReplayLoading
from chefmate.nodes.simulated_arm import SimulatedArm
from chefmate.nodes.twin_link import TwinLink
from chefmate_core.diagnosis import Diagnosis, Level
from chefmate_core.twin.replay import Playback, Recording
from chefmate_ros import qos
from chefmate_ros.diagnostics import DiagnosticsPublisher
from chefmate_ros.joint_messages import joint_state, joint_vectors, seconds, time_message
from chefmate_ros.running import run_node
from chefmate_ros.timers import steady_timer

SILENT_S = 1.0


class JointStateBridgeNode(Node):
    """Parameters and messages around `chefmate_core.twin`."""

    def __init__(self) -> None:
        super().__init__('joint_state_bridge')
        parameters = declared_parameters(self)
        self._relay = JointRelay(self, parameters.urdf_names, parameters.relays)
        self._link: TwinLink | None = None
        self._simulated: SimulatedArm | None = None
        self._loading: ReplayLoading | None = None
        self._playback: Playback | None = None
        self._arm: RawSubscription | None = None
        self._malformed = 0
        self._heard_s = 0.0
        self._diagnostics = DiagnosticsPublisher(self)
        if parameters.relays:
            self._diagnostics.add('joint_states', self._diagnose)
        if parameters.mode == 'command':
            self._simulated = SimulatedArm(self, parameters, self._relay)
            self._link = self._simulated.link
            self._diagnostics.add('arm', self._simulated.diagnose)
        elif parameters.mode == 'replay':
            self._replayed = parameters
            self._link = TwinLink(self, parameters)
            self._loading = ReplayLoading(parameters.bag, self.get_logger().info)
            steady_timer(self, 1.0 / parameters.command_rate_hz, self._play)
        else:
            if parameters.mode == 'mirror':
                self._link = TwinLink(self, parameters)
            self._arm = RawSubscription(
                self, JointState, 'follower/joint_states', self._on_arm, qos.LATEST_STATE
            )
            steady_timer(self, 0.5, self._watch_arm)
        if self._link is not None:
            self._diagnostics.add('twin', self._link.diagnose)
        self.get_logger().info(
            f'mode {parameters.mode}'
            + (f': {parameters.command_topic}, {parameters.states_topic}' if self._link else '')
        )

    def close(self) -> None:
        """End the threads."""
        if self._arm is not None:
            self._arm.close()
        if self._simulated is not None:
            self._simulated.close()
        if self._link is not None:
            self._link.close()

    def _on_arm(self, raw: bytes) -> None:
        """In the subscription's thread: every message goes on; the twin is told of some."""
        self._relay.pass_on(raw)
        self._heard_s = time.monotonic()
        if self._link is None or not self._link.is_due():
            return
        message = message_in(raw, JointState)
        vectors = joint_vectors(message) if message is not None else None
        if message is None or vectors is None:
            self._malformed += 1
            return
        self._link.follow(seconds(message.header.stamp), vectors[0])

    def _watch_arm(self) -> None:
        if self._arm is not None and self._arm.failure is not None:
            raise self._arm.failure

    def _begin_playback(self, recordings: list[Recording]) -> Playback:
        bag, speed = self._replayed.bag, self._replayed.speed
        total_s = sum(recording.duration_s for recording in recordings) / speed
        self.get_logger().info(
            f'{bag}: {len(recordings)} recording{"s" * (len(recordings) > 1)}, '
            f'{total_s:.0f} s at speed {speed:g}'
        )
        return Playback(recordings, speed)

    def _play(self) -> None:
        """The recorded arm, now; the end of the recording is the end of the node."""
        loading, link = self._loading, self._link
        assert loading is not None and link is not None
        if self._playback is None:
            recordings = loading.recordings()
            if recordings is None:
                return
            self._playback = self._begin_playback(recordings)
        playback = self._playback
        index = playback.index
        position_rad = playback.position_rad(time.monotonic())
        if playback.is_done:
            self.get_logger().info(f'the recording is over. {link.line()}')
            raise ExternalShutdownException  # run_node ends without an error then
        if playback.index != index:
            link.begin_anew()
            self.get_logger().info(f'{playback.recording.name}')
        stamp_s = self.get_clock().now().nanoseconds * 1e-9
        self._relay.publish(joint_state(time_message(stamp_s), position_rad, 0.0 * position_rad))
        self._heard_s = time.monotonic()
        link.follow(stamp_s, position_rad)

    def _diagnose(self) -> Diagnosis:
        relayed = self._relay.relayed
        values = {'relayed': relayed, 'malformed': self._relay.malformed + self._malformed}
        if self._simulated is not None or self._loading is not None:
            return Diagnosis(Level.OK, 'joint_states are those of the twin', values)
        if not relayed:
            return Diagnosis(Level.WARN, 'waiting for follower/joint_states', values)
        silent_s = time.monotonic() - self._heard_s
        if silent_s > SILENT_S:
            return Diagnosis(Level.WARN, f'the arm is silent for {silent_s:.1f} s', values)
        return Diagnosis(Level.OK, 'the arm goes to joint_states', values)


def main() -> int:
    """Entry point."""
    return run_node(JointStateBridgeNode)
