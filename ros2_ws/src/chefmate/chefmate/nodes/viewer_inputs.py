"""What the page listens to while somebody looks: taken when the page is drawn, never before.

A callback for each of 400 messages a second would cost more than the page itself. The
subscriptions belong to a node that no executor spins; DDS keeps the newest message of each, and
`poll` takes it. When nobody looks there are no subscriptions at all: cameras then need not
compress their pictures.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from rclpy.node import Node
from rclpy.subscription import Subscription
from sensor_msgs.msg import CompressedImage, JointState, MultiDOFJointState
from trajectory_msgs.msg import JointTrajectory

from chefmate.nodes.chunk_messages import chunk_rows
from chefmate.viewer.feeds import CAMERAS, Applied, Feed, Feeds, Progress, Servos
from chefmate_core.errors import ConfigurationError
from chefmate_core.joints import JOINT_COUNT, JOINT_NAMES
from chefmate_core.kinematics import Chain
from chefmate_core.kinematics.planned_path import planned_path
from chefmate_msgs.action import ExecuteTask
from chefmate_msgs.msg import ServoTelemetry
from chefmate_ros import qos
from chefmate_ros.joint_messages import joint_vectors, seconds
from chefmate_ros.object_messages import object_poses

JPEG_START = b'\xff\xd8'
FEEDBACK_TOPIC = 'execute_task/_action/feedback'


class ViewerInputs:
    """Fills `feeds`; one thread calls everything here."""

    def __init__(self, feeds: Feeds, chain: Chain, namespace: str = '') -> None:
        self._feeds = feeds
        self._chain = chain
        self._node = Node(
            'viewer_inputs',
            namespace=namespace,
            # A launch names the process's nodes, all of them, after the first.
            cli_args=['--ros-args', '-r', '__node:=viewer_inputs'],
            enable_rosout=False,
            start_parameter_services=False,
            enable_logger_service=False,
        )
        self._subscriptions: list[tuple[Subscription, Callable[[Any, float], None]]] = []

    @property
    def listening(self) -> bool:
        """Whether there are subscriptions."""
        return bool(self._subscriptions)

    def listen(self) -> None:
        """Subscribe to everything."""
        feeds = self._feeds
        self._add(JointState, 'follower/joint_states', self._joints(feeds.joints))
        self._add(JointState, 'follower/joint_commands', self._joints(feeds.asked))
        self._add(JointState, 'follower/joint_commands_applied', self._on_applied)
        self._add(JointState, 'twin/joint_states', self._joints(feeds.twin))
        self._add(JointState, 'twin/joint_error', self._joints(feeds.twin_error))
        self._add(MultiDOFJointState, 'kitchen/objects', self._on_things)
        self._add(JointTrajectory, 'policy/action_chunk', self._on_chunk, qos.CHUNK)
        self._add(ServoTelemetry, 'follower/servo_telemetry', self._on_servos)
        feedback = ExecuteTask.Impl.FeedbackMessage
        self._add(feedback, FEEDBACK_TOPIC, self._on_feedback, qos.LATEST_STATE)
        for camera in CAMERAS:
            self._add(
                CompressedImage,
                f'{camera}/image_raw/compressed',
                self._images(feeds.images[camera]),
                qos.LATEST_IMAGE,
            )

    def rest(self) -> None:
        """End all subscriptions, and forget what they said."""
        for subscription, _ in self._subscriptions:
            self._node.destroy_subscription(subscription)
        self._subscriptions.clear()
        self._feeds.forget()

    def poll(self, now_s: float) -> None:
        """Take the newest message of every topic."""
        for subscription, take in self._subscriptions:
            with subscription.handle:
                taken = subscription.handle.take_message(subscription.msg_type, False)
            if taken is not None:
                take(taken[0], now_s)

    def close(self) -> None:
        """Leave the graph."""
        self.rest()
        self._node.destroy_node()

    def _add(
        self,
        kind: type,
        topic: str,
        take: Callable[[Any, float], None],
        profile=qos.LATEST_STATE,
    ) -> None:
        subscription = self._node.create_subscription(kind, topic, _not_called, profile)
        self._subscriptions.append((subscription, take))

    def _delay_s(self, stamp: Time) -> float:
        return self._node.get_clock().now().nanoseconds * 1e-9 - seconds(stamp)

    def _joints(self, feed: Feed[np.ndarray]) -> Callable[[JointState, float], None]:
        def take(message: JointState, now_s: float) -> None:
            position_rad = _finite_position(message, feed)
            if position_rad is not None:
                feed.take(position_rad, now_s, self._delay_s(message.header.stamp))

        return take

    def _on_applied(self, message: JointState, now_s: float) -> None:
        feed = self._feeds.applied
        position_rad = _finite_position(message, feed)
        if position_rad is not None:
            feed.take(Applied(position_rad, message.header.frame_id), now_s)

    def _on_things(self, message: MultiDOFJointState, now_s: float) -> None:
        poses = object_poses(message)
        if all(
            np.all(np.isfinite(pose.position_m)) and np.all(np.isfinite(pose.quaternion_wxyz))
            for pose in poses.values()
        ):
            self._feeds.things.take(poses, now_s, self._delay_s(message.header.stamp))
        else:
            self._feeds.things.refuse('impossible places of things')

    def _on_chunk(self, message: JointTrajectory, now_s: float) -> None:
        feed = self._feeds.path
        try:
            rows = chunk_rows(message)
            path = planned_path(self._chain, rows.positions_rad, rows.period_s)
        except ConfigurationError as error:
            feed.refuse(str(error))
            return
        feed.take(path, now_s, self._delay_s(message.header.stamp))

    def _on_servos(self, message: ServoTelemetry, now_s: float) -> None:
        if list(message.name) != list(JOINT_NAMES):
            self._feeds.servos.refuse('telemetry of other joints')
            return
        columns = (message.temperature, message.voltage, message.load)
        if any(len(column) != JOINT_COUNT for column in columns):
            self._feeds.servos.refuse('telemetry without a value for each joint')
            return
        temperature_c, voltage_v, load = (np.asarray(column, dtype=float) for column in columns)
        servos = Servos(temperature_c, voltage_v, load, tuple(message.findings))
        self._feeds.servos.take(servos, now_s, self._delay_s(message.header.stamp))

    def _on_feedback(self, message: Any, now_s: float) -> None:
        feedback = message.feedback
        elapsed_s = feedback.elapsed.sec + feedback.elapsed.nanosec * 1e-9
        self._feeds.progress.take(Progress(feedback.phase, elapsed_s), now_s)

    def _images(self, feed: Feed[bytes]) -> Callable[[CompressedImage, float], None]:
        def take(message: CompressedImage, now_s: float) -> None:
            content = bytes(message.data)
            if content.startswith(JPEG_START):
                feed.take(content, now_s, self._delay_s(message.header.stamp))
            else:
                feed.refuse('the camera sends no JPEG pictures')

        return take


def _finite_position(message: JointState, feed: Feed[Any]) -> np.ndarray | None:
    """Return the position of all joints, or refuse it; a command of some joints is no mistake."""
    vectors = joint_vectors(message)
    if vectors is None:
        if len(message.position) != len(message.name) or not message.name:
            feed.refuse('angles without joints')
        return None
    if not np.all(np.isfinite(vectors[0])):
        feed.refuse('impossible joint angles (not a number)')
        return None
    return vectors[0]


def _not_called(message: object) -> None:
    """The callback that rclpy asks for; nobody spins this node."""
    del message
