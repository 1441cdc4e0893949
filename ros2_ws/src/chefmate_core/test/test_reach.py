"""Whatever a policy says, the goals of the executor stay within the arm's reach."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chefmate_core.errors import ConfigurationError
from chefmate_core.joints import LOWER_LIMITS_RAD, UPPER_LIMITS_RAD
from chefmate_core.motion.reach import Reach
from chefmate_core.motion.timeline import ChunkTimeline, TimelineState
from chefmate_core.safety.config import load_preset

PERIOD_S = 1 / 30
CYCLE_S = 0.01
CAPS = load_preset('careful').max_velocity_rad_s


def wild_chunk(rng, size):
    return rng.uniform(-size, size, (16, 6))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), size=st.sampled_from([0.3, 2.0, 50.0]))
def test_wild_chunks_leave_neither_the_limits_nor_the_caps(seed, size):
    rng = np.random.default_rng(seed)
    timeline = ChunkTimeline(reach=Reach(CAPS, LOWER_LIMITS_RAD, UPPER_LIMITS_RAD))
    last = np.zeros(6)
    for cycle in range(300):
        now_s = cycle * CYCLE_S
        if cycle % 13 == 0 and cycle < 200:
            timeline.add(now_s - 0.1, wild_chunk(rng, size), PERIOD_S, now_s, last)
        goal = timeline.sample(now_s)
        if goal is None:
            continue
        assert np.all(np.abs(goal.position_rad - last) <= CAPS * CYCLE_S * 1.001 + 1e-9)
        assert np.all(np.abs(goal.velocity_rad_s) <= CAPS * 1.001)
        if timeline.state is TimelineState.PLAYING:
            assert np.all(goal.position_rad >= LOWER_LIMITS_RAD - 1e-9)
            assert np.all(goal.position_rad <= UPPER_LIMITS_RAD + 1e-9)
        last = goal.position_rad
    assert timeline.state is TimelineState.IDLE, 'it did not come to a stand'


def test_a_motion_within_reach_is_played_as_it_is():
    free, held = ChunkTimeline(), ChunkTimeline(reach=Reach(CAPS))
    rows = np.outer(np.arange(16) * PERIOD_S * 1.4, np.ones(6))
    for timeline in (free, held):
        timeline.add(0.0, rows, PERIOD_S, 0.0, np.zeros(6))
    for now_s in np.arange(0.0, 0.5, CYCLE_S):
        one, other = free.sample(now_s), held.sample(now_s)
        assert one.position_rad == pytest.approx(other.position_rad, abs=1e-12)
        assert one.velocity_rad_s == pytest.approx(other.velocity_rad_s, abs=1e-9)


def test_a_leap_is_gone_after_in_a_straight_line_and_reached():
    timeline = ChunkTimeline(reach=Reach(CAPS))
    rows = np.tile([0.0, 0.2, 0.4, 0.0, 0.0, 0.0], (16, 1))
    timeline.add(0.0, np.zeros((16, 6)), PERIOD_S, 0.0, np.zeros(6))
    timeline.sample(0.0)
    rows[:3] = 0.0
    timeline.add(0.0, rows, PERIOD_S, 0.0, np.zeros(6))
    path = np.array([timeline.sample(now_s).position_rad for now_s in np.arange(0, 0.5, CYCLE_S)])
    assert path[-1] == pytest.approx(rows[-1], abs=1e-9)
    assert path[:, 2] == pytest.approx(2 * path[:, 1], abs=1e-9)


@pytest.mark.parametrize(
    'limits',
    [
        {'max_velocity_rad_s': np.zeros(6)},
        {'max_velocity_rad_s': np.full(6, np.nan)},
        {'max_velocity_rad_s': np.ones(5)},
        {'leash_rad': 0.0},
        {'lower_rad': np.ones(6), 'upper_rad': np.zeros(6)},
    ],
)
def test_limits_that_are_none_are_refused(limits):
    with pytest.raises(ConfigurationError):
        Reach(**limits)


def test_a_goal_does_not_run_away_from_an_arm_that_was_stopped():
    timeline = ChunkTimeline(reach=Reach(CAPS, leash_rad=0.5))
    rows = np.outer(np.arange(16) * PERIOD_S * 1.5, np.ones(6))
    timeline.add(0.0, rows, PERIOD_S, 0.0, np.zeros(6))
    arm = np.zeros(6)
    for now_s in np.arange(0.0, 0.5, CYCLE_S):
        goal = timeline.sample(now_s, arm)
        assert np.all(goal.position_rad <= 0.5 + 1e-9)
    for now_s in np.arange(0.5, 0.8, CYCLE_S):  # it ends softly, too
        goal = timeline.sample(now_s, arm)
        assert goal is None or np.all(goal.position_rad <= 0.5 + 1e-9)
