"""The bytes of a joint state become the same numbers on a topic and in a bag."""

import numpy as np
import pytest
from rclpy.serialization import deserialize_message
from rosbags.typesys import Stores, get_typestore
from sensor_msgs.msg import JointState

from chefmate_core.joints import JOINT_NAMES
from chefmate_core.observing import joint_values
from chefmate_ros.joint_messages import joint_vectors

TYPES = get_typestore(Stores.ROS2_JAZZY)
KIND = 'sensor_msgs/msg/JointState'


def serialised(names, position, velocity):
    types = TYPES.types
    stamp = types['builtin_interfaces/msg/Time'](sec=1, nanosec=2)
    message = types[KIND](
        header=types['std_msgs/msg/Header'](stamp=stamp, frame_id=''),
        name=list(names),
        position=np.array(position, dtype=float),
        velocity=np.array(velocity, dtype=float),
        effort=np.zeros(0),
    )
    return bytes(TYPES.serialize_cdr(message, KIND))


@pytest.mark.parametrize(
    ('names', 'position', 'velocity'),
    [
        (JOINT_NAMES, np.linspace(-1, 1, 6), np.linspace(0, 0.3, 6)),
        (JOINT_NAMES[::-1], np.linspace(-1, 1, 6) / 3, []),
        (('rail', *JOINT_NAMES), np.arange(7) / 7, np.arange(7) / 9),
        (JOINT_NAMES[:5], np.arange(5), np.arange(5)),
        (JOINT_NAMES, np.arange(4), []),
        ((), [], []),
    ],
)
def test_a_joint_state_means_the_same_on_a_topic_and_in_a_bag(names, position, velocity):
    raw = serialised(names, position, velocity)
    live = joint_vectors(deserialize_message(raw, JointState))
    message = TYPES.deserialize_cdr(raw, KIND)
    read = joint_values.joint_vectors(message.name, message.position, message.velocity)
    assert (live is None) == (read is None)
    if live is not None:
        np.testing.assert_array_equal(live, read)
