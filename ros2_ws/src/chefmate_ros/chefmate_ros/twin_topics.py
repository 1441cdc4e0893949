"""What a twin says must reach no arm, whatever a parameter or a remapping makes of its topics.

A simulator's states bear an arm's joints and fresh stamps: on an arm's topic they would move it.
"""

from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile
from sensor_msgs.msg import JointState

from chefmate_core.errors import ConfigurationError

# Whoever commands an arm listens to these: to what it is told, and to where it or its leader is.
ARMS = ('follower', 'leader')
MOVING_TOPICS = ('joint_commands', 'joint_commands_applied', 'jog', 'action_chunk')


def twin_publisher(node: Node, topic: str, qos: QoSProfile) -> Publisher:
    """Return a publisher of joints for simulators and screens.

    Raises a ConfigurationError where the topic is one that an arm, or who commands it, listens to.
    """
    refuse_topic_of_an_arm(node.resolve_topic_name(topic))
    return node.create_publisher(JointState, topic, qos)


def refuse_topic_of_an_arm(topic: str) -> None:
    """Raise a ConfigurationError if what is said on this topic could move an arm."""
    parts = topic.split('/')
    if parts[-1] in MOVING_TOPICS or any(arm in parts for arm in ARMS):
        raise ConfigurationError(
            f'{topic} moves an arm, or those who command one listen to it; a twin has topics of '
            'its own, such as isaac_joint_command'
        )
