"""Observations put together by stamps."""

import time

import numpy as np
import pytest
from policies import JOINTS, observed

from chefmate_core.geometry import Pose
from chefmate_core.policy.observations import ObservationBuffer, Unobservable
from chefmate_core.policy.protocol import PolicySpec

EVERYTHING = PolicySpec('test', cameras=('wrist',), needs_objects=True)
IMAGE = np.zeros((4, 4, 3), np.uint8)
POSES = {'patty': Pose(np.zeros(3), np.array([1.0, 0, 0, 0]))}


def test_the_observation_is_of_the_newest_instant_that_every_sensor_has_seen():
    buffer = ObservationBuffer(['wrist'], max_age_s=1.0)
    for index in range(10):
        buffer.add_joints(10.0 + 0.01 * index, np.full(6, index), np.zeros(6))
    buffer.add_image('wrist', 10.042, IMAGE)
    buffer.add_objects(10.08, POSES)
    observation = buffer.observe(10.1, 'cook', EVERYTHING)
    assert observation.stamp_s == pytest.approx(10.04)
    assert np.all(observation.joint_position_rad == 4)
    assert observation.image_stamps_s == {'wrist': 10.042}
    assert observation.objects == POSES


@pytest.mark.parametrize('late', ['joint_states', 'objects', 'camera wrist'])
def test_a_sensor_that_is_old_is_named_and_nothing_is_observed(late):
    buffer = ObservationBuffer(['wrist'], max_age_s=0.2)
    stamps = dict.fromkeys(('joint_states', 'objects', 'camera wrist'), 10.0) | {late: 9.7}
    buffer.add_joints(stamps['joint_states'], *JOINTS)
    buffer.add_objects(stamps['objects'], POSES)
    buffer.add_image('wrist', stamps['camera wrist'], IMAGE)
    observation = buffer.observe(10.0, 'cook', EVERYTHING)
    assert isinstance(observation, Unobservable)
    assert late in observation.reason
    assert '0.30 s old' in observation.reason


def test_a_camera_that_does_not_exist_is_named():
    observation = observed().observe(time.time(), 'cook', PolicySpec('x', cameras=('ceiling',)))
    assert 'ceiling' in observation.reason


def test_after_the_clock_was_set_back_new_samples_are_taken():
    buffer = ObservationBuffer([], max_age_s=0.5)
    buffer.add_joints(5000.0, *JOINTS)
    buffer.add_joints(100.0, *JOINTS)
    assert buffer.observe(100.1, 'cook', PolicySpec('x')).stamp_s == 100.0


def test_an_image_too_far_from_the_observed_instant_is_refused_and_named():
    buffer = ObservationBuffer(['wrist', 'scene'], max_age_s=1.0, max_image_skew_s=0.1)
    spec = PolicySpec('test', cameras=('wrist', 'scene'))
    buffer.add_joints(10.0, *JOINTS)
    buffer.add_joints(10.4, *JOINTS)
    buffer.add_image('wrist', 10.0, IMAGE)
    buffer.add_image('scene', 10.3, IMAGE)
    reason = buffer.observe(10.45, 'cook', spec).reason
    assert 'camera scene' in reason
    assert '0.30 s away, allowed 0.1 s' in reason
    buffer.add_image('scene', 10.31, IMAGE)
    buffer.add_image('wrist', 10.32, IMAGE)
    buffer.add_joints(10.33, *JOINTS)
    buffer.add_joints(10.41, *JOINTS)
    assert not isinstance(buffer.observe(10.45, 'cook', spec), Unobservable)
