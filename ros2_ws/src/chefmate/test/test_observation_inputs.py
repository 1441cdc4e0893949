"""What arrives on the topics and what a policy gets of it."""

import numpy as np
import pytest
import rclpy
from rclpy.context import Context

from chefmate.nodes.chunk_messages import trajectory_message
from chefmate.nodes.observation_inputs import ObservationInputs
from chefmate_core.policy.observations import Unobservable
from chefmate_core.policy.protocol import PERIOD_S, PolicySpec
from chefmate_ros.image_messages import image_header, image_message

SPEC = PolicySpec('test', cameras=('wrist',))
GREY = np.full((48, 64, 3), 90, np.uint8)


@pytest.fixture
def node():
    """A node that nobody talks to."""
    context = Context()
    rclpy.init(args=[], context=context)
    node = rclpy.create_node('inputs', context=context)
    yield node
    node.destroy_node()
    rclpy.try_shutdown(context=context)


def see(inputs, image, stamp_s=10.0):
    """Let an image arrive, and the joints of the same instant."""
    inputs._on_image('wrist', image_message(image, image_header(round(stamp_s * 1e9), 'wrist')))
    inputs.buffer.add_joints(stamp_s, np.zeros(6), np.zeros(6))
    return inputs.buffer.observe(stamp_s + 0.01, 'cook', SPEC)


def test_an_image_reaches_the_policy(node):
    inputs = ObservationInputs(node, ['wrist'])
    assert np.all(see(inputs, GREY).images['wrist'] == 90)
    assert inputs.values()['wrist_fault'] == ''


def test_a_black_camera_is_named_and_no_evidence(node):
    inputs = ObservationInputs(node, ['wrist'])
    assert isinstance(see(inputs, np.zeros_like(GREY)), Unobservable)
    assert inputs.values()['wrist_fault'] == 'black'
    assert not isinstance(see(inputs, GREY, 10.1), Unobservable)
    assert inputs.values()['wrist_fault'] == ''


def test_a_camera_that_changes_its_size_is_named(node):
    inputs = ObservationInputs(node, ['wrist'])
    see(inputs, GREY)
    see(inputs, GREY[:20], 10.1)
    assert inputs.values()['wrist_fault'] == 'wrong_size'


def test_a_still_scene_is_no_frozen_camera_unless_that_is_asked_for(node):
    inputs = ObservationInputs(node, ['wrist'])
    for index in range(20):
        see(inputs, GREY, 10.0 + index)
    assert inputs.values()['wrist_fault'] == ''


def test_what_the_executor_will_play_is_kept_until_it_says_that_nothing_is(node):
    inputs = ObservationInputs(node, ['wrist'])
    rows = np.outer(np.arange(5), np.ones(6))
    inputs._on_committed(trajectory_message(10.0, rows, PERIOD_S))
    assert inputs.committed.rows(10.0, 3, PERIOD_S) == pytest.approx(rows[:3], abs=1e-6)
    inputs._on_committed(trajectory_message(10.1, np.zeros((0, 6)), PERIOD_S))
    assert inputs.committed.rows(10.0, 3, PERIOD_S) is None


def test_after_it_was_told_to_measure_anew_old_deliveries_do_not_count(node):
    inputs = ObservationInputs(node, ['wrist'])
    see(inputs, GREY)
    assert inputs.values()['wrist_received'] == 1
    inputs.measure_anew()
    assert inputs.values()['wrist_received'] == 0
