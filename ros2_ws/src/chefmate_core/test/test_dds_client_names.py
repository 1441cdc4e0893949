import math

import pytest

from chefmate_core.dds_client.joint_names import JointStateError, positions_by_name
from chefmate_core.dds_client.messages import JointState
from chefmate_core.dds_client.naming import dds_topic, resolved, ros_type
from chefmate_core.errors import ConfigurationError
from chefmate_core.joints import ISAAC_JOINT_NAMES


@pytest.mark.parametrize(
    'name, namespace, full',
    [
        ('joint_states', '/', '/joint_states'),
        ('wrist/image_raw', '', '/wrist/image_raw'),
        ('joint_states', '/left', '/left/joint_states'),
        ('joint_states', 'left', '/left/joint_states'),
        ('/emergency_stop_active', '/left', '/emergency_stop_active'),
    ],
)
def test_names_are_resolved_as_ros_does(name, namespace, full):
    assert resolved(name, namespace) == full


@pytest.mark.parametrize('name', ['', '/', 'a/', '1st', 'a//b', 'a b', '~/a', 'a__b', 'rt/ä'])
def test_what_is_no_name_of_ros_is_refused(name):
    with pytest.raises(ConfigurationError, match='not the name of a topic'):
        resolved(name)


def test_a_namespace_that_is_none_is_refused():
    with pytest.raises(ConfigurationError, match='not a namespace'):
        resolved('a', '/le ft')


def test_topics_and_types_are_mangled_as_ros_does():
    assert dds_topic('/follower/joint_states') == 'rt/follower/joint_states'
    assert ros_type('sensor_msgs::msg::dds_::JointState_') == 'sensor_msgs/msg/JointState'
    assert ros_type('HelloWorld') == 'HelloWorld'


def joints(names, positions):
    return JointState(name=list(names), position=list(positions))


@pytest.mark.parametrize('names', [['x'] * 20_000, ['J' * 100_000], ['J' * 100_000] * 6])
def test_whatever_is_refused_the_refusal_stays_one_line(names):
    with pytest.raises(JointStateError) as refused:
        positions_by_name(joints(names, [0.0] * len(names)), ISAAC_JOINT_NAMES)
    assert len(str(refused.value)) < 1000


def test_joints_are_found_by_name_in_any_order_and_in_part():
    message = joints(['Jaw', 'Rotation'], [0.5, -1.0])
    assert positions_by_name(message, ISAAC_JOINT_NAMES) == {'Jaw': 0.5, 'Rotation': -1.0}


@pytest.mark.parametrize(
    'names, positions, reason, said',
    [
        ([], [0.1, 0.2], 'unnamed', '2 positions without names'),
        ([], [], 'unnamed', 'expected some of Rotation, Pitch'),
        (['gripper', 'Jaw'], [0.1, 0.2], 'unknown', 'unknown joints gripper'),
        (['Jaw', 'Jaw'], [0.1, 0.2], 'duplicated', 'more than once: Jaw'),
        (['Jaw', 'Pitch'], [0.1], 'length', '2 names and 1 positions'),
        (['Jaw'], [], 'length', '1 names and 0 positions'),
        (['Jaw', 'Pitch'], [0.1, math.nan], 'not_finite', 'Pitch'),
        (['Jaw'], [-math.inf], 'not_finite', 'Jaw'),
        (['Jaw', 'Pitch'], [0.1, -45.0], 'implausible', 'Pitch at -45 rad.*degrees'),
    ],
)
def test_a_message_that_cannot_be_followed_is_refused_with_its_reason(
    names, positions, reason, said
):
    with pytest.raises(JointStateError, match=said) as refusal:
        positions_by_name(joints(names, positions), ISAAC_JOINT_NAMES)
    assert refusal.value.reason == reason
