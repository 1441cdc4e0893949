"""`joint_states`: the follower as the rest of ROS wants it, under the names of its URDF."""

from collections.abc import Sequence

from rclpy.node import Node
from sensor_msgs.msg import JointState

from chefmate.nodes.raw_subscription import message_in
from chefmate_core.joints import JOINT_NAMES
from chefmate_ros import qos
from chefmate_ros.joint_messages import joint_vectors
from chefmate_ros.twin_topics import twin_publisher


class JointRelay:
    """Publishes what the driver says. Where the names are the same, its bytes go on unread.

    Of a relay at 100 Hz most of the cost would be to read each message and to write it again.

    Args:
        publishes: False beside another bridge, whose part it is then.
    """

    def __init__(self, node: Node, urdf_names: Sequence[str], publishes: bool = True) -> None:
        self._publisher = None
        if publishes:
            self._publisher = twin_publisher(node, 'joint_states', qos.STATE)
        self._names = None if tuple(urdf_names) == JOINT_NAMES else list(urdf_names)
        self.relayed = self.malformed = 0

    def pass_on(self, raw: bytes) -> None:
        """Publish a serialised message of the driver."""
        if self._publisher is None:
            return
        if self._names is None:
            self._publisher.publish(raw)
            self.relayed += 1
            return
        message = message_in(raw, JointState)
        if message is None:
            self.malformed += 1
        else:
            self.publish(message)

    def publish(self, message: JointState) -> None:
        """Publish a message with our joints; one that lacks any is counted and left out."""
        if self._publisher is None:
            return
        if self._names is not None:
            vectors = joint_vectors(message)
            if vectors is None:
                self.malformed += 1
                return
            renamed = JointState(header=message.header, name=self._names)
            renamed.position, renamed.velocity = (vector.tolist() for vector in vectors)
            message = renamed
        self._publisher.publish(message)
        self.relayed += 1
