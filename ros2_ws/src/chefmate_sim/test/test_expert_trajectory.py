"""Segments run from rest to rest, smoothly, below the caps, along the path they were given."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from chefmate_core.errors import ConfigurationError
from chefmate_sim.expert.trajectory import (
    MotionCaps,
    chebyshev_fractions,
    hold,
    minimum_jerk,
    segment_through,
)

CAPS = MotionCaps()
joints = arrays(float, 6, elements=st.floats(-1.5, 1.5))


def derivatives(segment, count=2001):
    time = np.linspace(0.0, segment.duration_s, count)
    velocity = np.gradient(segment.sample(time), time, axis=0, edge_order=2)
    return velocity, np.gradient(velocity, time, axis=0, edge_order=2)


@given(joints, joints)
def test_a_move_ends_where_it_should_and_keeps_the_caps(start, end):
    segment = segment_through('move', np.array([start, end]), CAPS)
    np.testing.assert_allclose(segment.start_rad, start, atol=1e-9)
    np.testing.assert_allclose(segment.end_rad, end, atol=1e-9)
    if segment.duration_s > 0.05:
        velocity, acceleration = derivatives(segment)
        assert np.all(np.abs(velocity) <= CAPS.velocity_rad_s * 1.01)
        assert np.all(np.abs(acceleration) <= CAPS.acceleration_rad_s2 * 1.03)


@given(joints, joints)
def test_a_move_uses_what_the_caps_allow(start, end):
    segment = segment_through('move', np.array([start, end]), CAPS)
    if segment.duration_s > 0.05:
        velocity, acceleration = derivatives(segment)
        use = max(
            np.max(np.abs(velocity) / CAPS.velocity_rad_s),
            np.max(np.abs(acceleration) / CAPS.acceleration_rad_s2),
        )
        assert use > 0.95


def test_a_curved_path_is_met_at_its_points_and_between_them():
    def curve(s):
        return np.stack([np.sin(s), np.cos(s), s**2, s, 0 * s, -s], axis=-1)

    segment = segment_through('curve', curve(chebyshev_fractions(8)), CAPS)
    fraction = np.linspace(0.0, 1.0, 101)
    np.testing.assert_allclose(segment.at_fraction(fraction), curve(fraction), atol=1e-6)


def test_a_move_starts_and_ends_at_rest():
    segment = segment_through('move', np.array([np.zeros(6), np.ones(6)]), CAPS)
    velocity, _ = derivatives(segment)
    assert np.max(np.abs(velocity[[0, -1]])) < 1e-2


def test_a_tail_begins_at_rest_where_the_path_was_left_and_has_the_same_end():
    segment = segment_through('move', np.array([np.zeros(6), np.ones(6)]), CAPS)
    tail = segment.tail(0.4, CAPS)
    np.testing.assert_allclose(tail.start_rad, 0.4)
    np.testing.assert_allclose(tail.end_rad, 1.0)
    velocity, acceleration = derivatives(tail)
    assert np.all(np.abs(velocity) <= CAPS.velocity_rad_s * 1.01)
    assert np.all(np.abs(acceleration) <= CAPS.acceleration_rad_s2 * 1.03)
    assert tail.duration_s < segment.duration_s


def test_a_slower_speed_takes_longer():
    points = np.array([np.zeros(6), np.ones(6)])
    slow = segment_through('slow', points, CAPS, speed=0.5)
    assert slow.duration_s > segment_through('fast', points, CAPS).duration_s * 1.3


def test_a_move_to_where_it_is_takes_no_time_and_stays_finite():
    segment = segment_through('stay', np.zeros((2, 6)), CAPS)
    assert segment.duration_s == 0.0
    assert np.all(np.isfinite(segment.sample(np.linspace(-1.0, 1.0, 5))))


def test_a_hold_holds():
    segment = hold('wait', np.arange(6.0), 0.5)
    np.testing.assert_array_equal(segment.sample(np.array([0.0, 0.3, 9.0])), [np.arange(6.0)] * 3)
    assert segment.duration_s == 0.5


def test_minimum_jerk_stays_within_its_ends():
    blend = minimum_jerk(np.linspace(-1.0, 2.0, 301))
    assert blend.min() == 0.0 and blend.max() == 1.0
    assert np.all(np.diff(blend) >= 0.0)


@pytest.mark.parametrize('value', [np.zeros(6), np.full(6, np.nan), np.ones(5), -np.ones(6)])
def test_caps_that_make_no_sense_are_refused(value):
    with pytest.raises(ConfigurationError, match='velocity_rad_s'):
        MotionCaps(velocity_rad_s=value)
