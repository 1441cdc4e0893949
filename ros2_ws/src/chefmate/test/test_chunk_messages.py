"""Action chunks as messages: there and back, and what is refused in which words."""

import numpy as np
import pytest

from chefmate.nodes.chunk_messages import (
    FINAL,
    chunk_message,
    chunk_rows,
    duration,
    trajectory_message,
)
from chefmate_core.errors import ConfigurationError
from chefmate_core.joints import JOINT_NAMES
from chefmate_core.policy.protocol import PERIOD_S, ActionChunk

ROWS_RAD = np.arange(24.0).reshape(4, 6) / 24.0


@pytest.mark.parametrize('done', [False, True])
def test_a_chunk_comes_back_as_it_was(done):
    rows = chunk_rows(chunk_message(ActionChunk(12.5, ROWS_RAD, 0.05, done=done)))
    assert np.array_equal(rows.positions_rad, ROWS_RAD)
    assert rows.period_s == pytest.approx(0.05)
    assert rows.final is done


def test_joints_may_come_in_any_order():
    message = trajectory_message(0.0, ROWS_RAD[:, ::-1], 0.1)
    message.joint_names = list(JOINT_NAMES)[::-1]
    assert np.array_equal(chunk_rows(message).positions_rad, ROWS_RAD)


def test_one_point_is_a_goal_for_one_step():
    message = trajectory_message(0.0, ROWS_RAD[:1], 0.1)
    message.header.frame_id = FINAL
    rows = chunk_rows(message)
    assert (rows.positions_rad.shape, rows.period_s, rows.final) == ((1, 6), PERIOD_S, True)


def misnamed(message):
    message.joint_names[2] = 'elbow'


def twice_named(message):
    message.joint_names[2] = message.joint_names[1]


def unnamed(message):
    message.joint_names = []


def empty(message):
    message.points = []


def short(message):
    message.points[2].positions = [0.0] * 5


def later(message):
    for index, point in enumerate(message.points):
        point.time_from_start = duration((index + 1) * 0.1)


def uneven(message):
    message.points[3].time_from_start = duration(0.5)


def repeated(message):
    for point in message.points:
        point.time_from_start = duration(0.0)


@pytest.mark.parametrize(
    ('spoil', 'words'),
    [
        (misnamed, ['elbow_flex', 'found', ' elbow,']),
        (twice_named, ['elbow_flex', 'found', 'shoulder_lift, shoulder_lift']),
        (unnamed, ['shoulder_pan', 'found none']),
        (empty, ['at least one point', 'found none']),
        (short, ['6 positions', 'found 5 in point 2']),
        (later, ['time_from_start 0', 'found 0.1 s']),
        (uneven, ['evenly', '0.1 to 0.3 s']),
        (repeated, ['evenly', '0 to 0 s']),
    ],
)
def test_a_malformed_chunk_is_refused_in_words(spoil, words):
    message = trajectory_message(0.0, ROWS_RAD, 0.1)
    spoil(message)
    with pytest.raises(ConfigurationError) as refused:
        chunk_rows(message)
    for word in words:
        assert word in str(refused.value)
