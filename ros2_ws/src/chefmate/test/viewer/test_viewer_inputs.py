"""What the page makes of messages, good and bad; nobody publishes but the test."""

import math
import time

import numpy as np
import pytest
import rclpy
from sensor_msgs.msg import CompressedImage, JointState

from chefmate.nodes.chunk_messages import trajectory_message
from chefmate.nodes.viewer_inputs import ViewerInputs
from chefmate.viewer.feeds import Feeds
from chefmate_core.geometry import Pose
from chefmate_core.joints import JOINT_NAMES
from chefmate_core.kinematics import Chain
from chefmate_description import urdf_path
from chefmate_msgs.msg import ServoTelemetry
from chefmate_ros import qos
from chefmate_ros.image_messages import byte_array
from chefmate_ros.joint_messages import joint_state, time_message
from chefmate_ros.object_messages import objects_message

NOW_S = 50.0
STAMP = time_message(1.7e9)
PATIENCE_S = 20.0


@pytest.fixture
def ros(monkeypatch):
    """A node that publishes, in a ROS of this test alone."""
    from domain_coordinator import domain_id

    with domain_id() as number:
        monkeypatch.setenv('ROS_DOMAIN_ID', str(number))
        monkeypatch.setenv('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST')
        rclpy.init(args=[])
        node = rclpy.create_node('publishes')
        yield node
        node.destroy_node()
        rclpy.try_shutdown()


@pytest.fixture
def inputs(ros):
    inputs = ViewerInputs(Feeds(), Chain.from_urdf(urdf_path()))
    yield inputs
    inputs.close()


def joints(position_rad, names=JOINT_NAMES):
    return joint_state(STAMP, np.asarray(position_rad, dtype=float), np.zeros(6), names=names)


def test_the_newest_message_is_taken_when_it_is_asked_for(ros, inputs):
    publisher = ros.create_publisher(JointState, 'follower/joint_states', qos.STATE)
    inputs.listen()
    end_s = time.monotonic() + PATIENCE_S
    while inputs._feeds.joints.value is None:
        publisher.publish(joints(np.full(6, 0.25)))
        time.sleep(0.05)
        inputs.poll(time.monotonic())
        assert time.monotonic() < end_s
    assert np.all(inputs._feeds.joints.value == 0.25)


def test_who_rests_listens_to_nobody_and_forgets(ros, inputs):
    inputs.listen()
    assert ros.count_subscribers('wrist/image_raw/compressed') in (0, 1)  # discovery takes a while
    inputs._feeds.joints.take(np.zeros(6), NOW_S)
    inputs.rest()
    assert not inputs.listening
    assert inputs._feeds.joints.value is None
    inputs.listen()  # the next one comes
    assert inputs.listening


def test_joints_are_found_by_name(inputs):
    take = inputs._joints(inputs._feeds.joints)
    take(joints(np.arange(6.0)[::-1], JOINT_NAMES[::-1]), NOW_S)
    assert inputs._feeds.joints.value.tolist() == [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


@pytest.mark.parametrize('bad', [math.nan, math.inf])
def test_joints_that_are_no_numbers_are_refused_and_counted(inputs, bad):
    feed = inputs._feeds.joints
    take = inputs._joints(feed)
    take(joints(np.zeros(6)), NOW_S)
    take(joints([0.0, bad, 0.0, 0.0, 0.0, 0.0]), NOW_S + 1)
    assert np.all(feed.value == 0.0) and feed.received_s == NOW_S
    assert feed.refused == 1 and 'not a number' in feed.refusal


@pytest.mark.parametrize('short', ['temperature', 'voltage', 'load'])
def test_telemetry_without_a_value_for_each_joint_is_refused_and_counted(inputs, short):
    values = {column: [30.0] * 6 for column in ('temperature', 'voltage', 'load')}
    feed = inputs._feeds.servos
    inputs._on_servos(ServoTelemetry(name=JOINT_NAMES, **values), NOW_S)
    assert feed.refused == 0 and feed.value.temperature_c.tolist() == [30.0] * 6
    for count in (0, 3, 7):
        broken = values | {short: [30.0] * count}
        inputs._on_servos(ServoTelemetry(name=JOINT_NAMES, **broken), NOW_S)
    assert feed.refused == 3 and 'each joint' in feed.refusal


def test_a_command_of_some_joints_is_no_mistake(inputs):
    feed = inputs._feeds.asked
    inputs._joints(feed)(JointState(name=['gripper'], position=[1.0]), NOW_S)
    assert feed.value is None and feed.refused == 0
    inputs._joints(feed)(JointState(name=['gripper'], position=[]), NOW_S)
    assert feed.refused == 1


def test_a_picture_that_is_no_jpeg_is_refused(inputs):
    feed = inputs._feeds.images['wrist']
    take = inputs._images(feed)
    for content in (b'', b'\x89PNG and so on', b'<svg onload=alert(1)>'):
        message = CompressedImage(data=byte_array(np.frombuffer(content, np.uint8)))
        take(message, NOW_S)
    assert feed.value is None and feed.refused == 3
    take(CompressedImage(data=byte_array(np.frombuffer(b'\xff\xd8..', np.uint8))), NOW_S)
    assert feed.value == b'\xff\xd8..'


def test_things_at_impossible_places_are_refused(inputs):
    feed = inputs._feeds.things
    upright = np.array([1.0, 0.0, 0.0, 0.0])
    for place, kept in ((np.zeros(3), True), (np.array([0.0, math.nan, 0.0]), False)):
        message = objects_message(STAMP, 'base_link', {'plate': Pose(place, upright)})
        inputs._on_things(message, NOW_S)
        assert (feed.refused == 0) is kept
    assert np.all(feed.value['plate'].position_m == 0.0)


def test_a_plan_becomes_a_path_and_a_broken_one_none(inputs):
    feed = inputs._feeds.path
    inputs._on_chunk(trajectory_message(1.7e9, np.zeros((16, 6)), 1 / 30), NOW_S)
    assert feed.value.points_m.shape == (16, 3)
    for broken in (np.full((16, 6), math.nan), np.zeros((0, 6))):
        inputs._on_chunk(trajectory_message(1.7e9, broken, 1 / 30), NOW_S)
    assert feed.refused == 2
