"""The DDS client against real ROS nodes, in both directions: every message, every value."""

import os

import numpy as np
import pytest
from builtin_interfaces.msg import Duration as RosDuration
from builtin_interfaces.msg import Time as RosTime
from dds_peers import connected, repeated, until
from rosgraph_msgs.msg import Clock as RosClock
from sensor_msgs.msg import CompressedImage as RosCompressedImage
from sensor_msgs.msg import Image as RosImage
from sensor_msgs.msg import JointState as RosJointState
from std_msgs.msg import Bool as RosBool
from std_msgs.msg import Header as RosHeader
from std_msgs.msg import String as RosString
from trajectory_msgs.msg import JointTrajectory as RosJointTrajectory
from trajectory_msgs.msg import JointTrajectoryPoint as RosJointTrajectoryPoint

from chefmate_core import qos_table
from chefmate_core.dds_client import stamps
from chefmate_core.dds_client.images import CompressedImage, Image
from chefmate_core.dds_client.messages import (
    Bool,
    Clock,
    Duration,
    Header,
    JointState,
    JointTrajectory,
    JointTrajectoryPoint,
    String,
    Time,
)
from chefmate_core.joints import ISAAC_JOINT_NAMES

pytestmark = pytest.mark.system
pytest_plugins = ['dds_fixtures']


# What both sides call the same, and how rclpy spells its fields' types.
PAIRS = [
    (Time, RosTime),
    (Duration, RosDuration),
    (Header, RosHeader),
    (Bool, RosBool),
    (String, RosString),
    (Clock, RosClock),
    (JointState, RosJointState),
    (JointTrajectoryPoint, RosJointTrajectoryPoint),
    (JointTrajectory, RosJointTrajectory),
    (Image, RosImage),
    (CompressedImage, RosCompressedImage),
]


def spelled(annotation):
    """Return an annotation of cyclonedds as rclpy spells that type."""
    if hasattr(annotation, '__idl_typename__'):
        return annotation.__idl_typename__.replace('.msg.dds_.', '/').removesuffix('_')
    if annotation in (str, bool):
        return {str: 'string', bool: 'boolean'}[annotation]
    kind = annotation.__metadata__[0]
    if hasattr(kind, 'subtype'):
        return f'sequence<{spelled(kind.subtype)}>'
    return {'float64': 'double'}.get(kind, kind)


@pytest.mark.parametrize('ours, theirs', PAIRS, ids=lambda kind: kind.__name__)
def test_a_message_has_the_name_and_the_fields_of_ros(ours, theirs):
    module = theirs.__module__.split('.')[0]
    assert ours.__idl_typename__ == f'{module}.msg.dds_.{theirs.__name__}_'
    fields = {name: spelled(kind) for name, kind in ours.__annotations__.items()}
    assert list(fields.items()) == list(theirs.get_fields_and_field_types().items())


STATES = [
    (['Rotation', 'Jaw'], [0.25, -1.5], [0.0, 2.0], []),
    (['Jaw'], [1.0], [], []),
    ([], [], [], []),
    (['Gelenk für Käse', '関節'], [float('inf'), -0.0], [], [1e-300, 5.0]),
]


def test_joint_states_pass_both_ways_with_every_value(dds, ros):
    heard = ros.hear('here_to_ros', RosJointState)
    here_to_ros = dds.publisher('here_to_ros', JointState, qos_table.STATE)
    ros_to_here = ros.speak('ros_to_here', RosJointState)
    here = []
    dds.subscription('ros_to_here', JointState, qos_table.EVERY_STATE, here.append)
    connected(dds, ros)
    stamp = RosTime(sec=5, nanosec=999_999_999)
    sent = [
        RosJointState(
            header=RosHeader(stamp=stamp, frame_id='ä'),
            name=name,
            position=position,
            velocity=velocity,
            effort=effort,
        )
        for name, position, velocity, effort in STATES
    ]
    for message in sent:
        ros_to_here.publish(message)
    until(dds, lambda: len(here) == len(STATES), 'all messages from ROS')
    assert here == [JointState(Header(Time(5, 999_999_999), 'ä'), *state) for state in STATES]
    for message in here:
        here_to_ros.publish(message)
    until(dds, lambda: len(heard) == len(STATES), 'all messages to ROS')
    assert heard == sent


def test_a_chunk_passes_both_ways(dds, ros):
    heard = ros.hear('here_to_ros', RosJointTrajectory, qos_table.CHUNK)
    here_to_ros = dds.publisher('here_to_ros', JointTrajectory, qos_table.CHUNK)
    ros_to_here = ros.speak('ros_to_here', RosJointTrajectory, qos_table.CHUNK)
    here = []
    dds.subscription('ros_to_here', JointTrajectory, qos_table.CHUNK, here.append)
    connected(dds, ros)
    rows = [([0.1 * i] * 6, Duration(i // 30, i * 33_333_333 % 10**9)) for i in range(16)]
    chunk = JointTrajectory(
        Header(Time(1, 2), 'base'),
        list(ISAAC_JOINT_NAMES),
        [JointTrajectoryPoint(positions=row, time_from_start=at) for row, at in rows],
    )
    here_to_ros.publish(chunk)
    until(dds, lambda: heard, 'a chunk to ROS')
    assert [list(point.positions) for point in heard[0].points] == [row for row, _ in rows]
    ros_to_here.publish(heard[0])
    until(dds, lambda: here, 'a chunk from ROS')
    assert here[0] == chunk


def test_the_clock_of_a_simulation_passes_both_ways(dds, ros):
    heard = ros.hear('/here_to_ros', RosClock)
    here_to_ros = dds.publisher('/here_to_ros', Clock, qos_table.STATE)
    ros_to_here = ros.speak('/ros_to_here', RosClock)
    here = []
    dds.subscription('/ros_to_here', Clock, qos_table.LATEST_STATE, here.append)
    connected(dds, ros)
    here_to_ros.publish(Clock(stamps.to_stamp(1_500_000_001)))
    until(dds, lambda: heard, 'the time to ROS')
    ros_to_here.publish(heard[0])
    until(dds, lambda: here, 'the time from ROS')
    assert stamps.from_stamp(here[0].clock) == 1_500_000_001


def test_pictures_pass_both_ways_with_every_pixel(dds, ros):
    heard = ros.hear('here_to_ros', RosImage, qos_table.EVERY_IMAGE)
    here_to_ros = dds.publisher('here_to_ros', Image, qos_table.IMAGE)
    ros_to_here = ros.speak('ros_to_here', RosImage, qos_table.IMAGE)
    here = []
    dds.subscription('ros_to_here', Image, qos_table.EVERY_IMAGE, here.append)
    connected(dds, ros)
    pixels = np.random.default_rng(3).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    picture = Image.from_rgb(stamps.header(frame_id='wrist_camera_optical_frame'), pixels)
    repeated(dds, lambda: here_to_ros.publish(picture), lambda: heard)
    assert (heard[0].width, heard[0].height, heard[0].step) == (640, 480, 1920)
    assert heard[0].encoding == 'rgb8'
    assert bytes(heard[0].data) == pixels.tobytes()
    repeated(dds, lambda: ros_to_here.publish(heard[0]), lambda: here)
    assert here[0] == picture
    assert (here[0].rgb() == pixels).all()


def test_compressed_pictures_pass_both_ways(dds, ros):
    heard = ros.hear('here_to_ros', RosCompressedImage, qos_table.EVERY_IMAGE)
    here_to_ros = dds.publisher('here_to_ros', CompressedImage, qos_table.COMPRESSED_IMAGE)
    ros_to_here = ros.speak('ros_to_here', RosCompressedImage, qos_table.COMPRESSED_IMAGE)
    here = []
    dds.subscription('ros_to_here', CompressedImage, qos_table.EVERY_IMAGE, here.append)
    connected(dds, ros)
    file = CompressedImage(stamps.header(), 'rgb8; jpeg compressed', os.urandom(50_001))
    repeated(dds, lambda: here_to_ros.publish(file), lambda: heard)
    assert bytes(heard[0].data) == file.data
    repeated(dds, lambda: ros_to_here.publish(heard[0]), lambda: here)
    assert here[0] == file
