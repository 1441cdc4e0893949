"""The executor's timeline: joins, drops, starvation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chefmate_core.errors import ConfigurationError
from chefmate_core.motion.spline import JointSpline
from chefmate_core.motion.timeline import ChunkTimeline, TimelineConfig, TimelineState

PERIOD_S = 1 / 30
HOME = np.zeros(6)


def line(start_s, speed_rad_s=0.5, steps=16):
    """A straight motion that passes zero at t = 0."""
    times = start_s + PERIOD_S * np.arange(steps)
    return np.outer(times * speed_rad_s, np.ones(6))


def play(timeline, start_s, end_s, step_s=0.01):
    samples = []
    for now_s in np.arange(start_s, end_s, step_s):
        goal = timeline.sample(now_s)
        samples.append(np.full(6, np.nan) if goal is None else goal.position_rad)
    return np.array(samples)


def test_a_spline_passes_through_its_knots_and_its_velocity_is_its_derivative():
    knots = np.cumsum(np.random.default_rng(1).normal(size=(8, 6)), axis=0)
    spline = JointSpline(2.0, knots, PERIOD_S)
    for index, knot in enumerate(knots):
        assert spline.sample(2.0 + index * PERIOD_S)[0] == pytest.approx(knot, abs=1e-9)
    for time_s in np.linspace(2.0, spline.end_s - 1e-3, 40):
        before, velocity = spline.sample(time_s)[0], spline.sample(time_s + 5e-7)[1]
        after = spline.sample(time_s + 1e-6)[0]
        assert (after - before) / 1e-6 == pytest.approx(velocity, abs=1e-2)


def test_successive_chunks_of_one_motion_are_played_as_that_motion():
    timeline = ChunkTimeline()
    timeline.add(0.0, line(0.0), PERIOD_S, 0.0, HOME)
    for now_s in np.arange(0.3, 3.0, 0.01):
        if round(now_s * 100) % 20 == 0:
            begun_s = now_s - 0.08  # inference took 80 ms
            assert timeline.add(begun_s, line(begun_s), PERIOD_S, now_s, HOME)
        goal = timeline.sample(now_s)
        assert goal.position_rad == pytest.approx(np.full(6, 0.5 * now_s), abs=0.02)
    assert timeline.counters['starvations'] == 0
    assert timeline.counters['steps_dropped'] > 0


def test_at_half_speed_the_same_path_is_played_and_velocities_are_halved():
    timeline = ChunkTimeline()
    timeline.set_speed(0.5, 0.0)
    timeline.add(0.0, line(0.0), PERIOD_S, 0.0, HOME)
    for now_s in np.arange(0.2, 0.9, 0.01):  # after the join
        goal = timeline.sample(now_s)
        assert goal.position_rad == pytest.approx(np.full(6, 0.5 * 0.5 * now_s), abs=1e-6)
        assert goal.velocity_rad_s == pytest.approx(np.full(6, 0.25), abs=1e-6)
    assert timeline.sample(1.02) is not None, 'a chunk of half a second lasts a second'
    assert timeline.state is TimelineState.STOPPING


def test_a_change_of_speed_in_the_middle_of_a_chunk_moves_nothing():
    timeline = ChunkTimeline()
    timeline.add(0.0, line(0.0), PERIOD_S, 0.0, HOME)
    before = timeline.sample(0.25).position_rad
    timeline.set_speed(0.5, 0.25)
    assert timeline.sample(0.25).position_rad == pytest.approx(before)
    timeline.sample(0.35)
    timeline.set_speed(1.0, 0.35)
    assert timeline.sample(0.45).position_rad == pytest.approx([0.5 * (0.25 + 0.05 + 0.1)] * 6)


def test_at_half_speed_a_chunk_begins_where_the_slow_arm_is():
    timeline = ChunkTimeline()
    timeline.set_speed(0.5, 0.0)
    timeline.add(0.0, line(0.0), PERIOD_S, 0.0, HOME)
    for now_s in np.arange(0.2, 2.0, 0.01):
        if round(now_s * 100) % 20 == 0:
            seen_s = now_s - 0.08  # a policy that plans from where it sees the arm
            rows = 0.25 * seen_s + line(0.0)
            assert timeline.add(seen_s, rows, PERIOD_S, now_s, HOME)
        goal = timeline.sample(now_s)
        assert goal.position_rad == pytest.approx(np.full(6, 0.25 * now_s), abs=1e-6)
    assert timeline.counters['starvations'] == 0


@pytest.mark.parametrize('speed', [0.0, -1.0, 1.1, float('nan')])
def test_a_speed_that_is_none_is_refused(speed):
    with pytest.raises(ConfigurationError, match='speed'):
        ChunkTimeline().set_speed(speed, 0.0)


def test_steps_whose_time_has_passed_are_never_played():
    timeline = ChunkTimeline()
    timeline.add(0.0, line(0.0), PERIOD_S, 0.2, np.full(6, 0.1))
    assert timeline.sample(0.2).position_rad == pytest.approx([0.1] * 6)


def test_a_chunk_far_from_the_standing_arm_is_approached_slowly():
    timeline = ChunkTimeline()
    far = np.full((16, 6), 0.2)
    timeline.add(0.0, far, PERIOD_S, 0.0, HOME)
    trace = play(timeline, 0.0, 0.5)
    speed = np.abs(np.diff(trace, axis=0)) / 0.01
    assert np.max(speed) <= TimelineConfig().join_velocity_rad_s + 1e-6
    assert trace[0] == pytest.approx(HOME)


def test_out_of_steps_the_goal_decelerates_and_the_timeline_is_starved():
    timeline = ChunkTimeline()
    timeline.add(0.0, line(0.0), PERIOD_S, 0.0, HOME)
    trace = play(timeline, 0.0, 1.0)
    moving = trace[~np.isnan(trace[:, 0]), 0]
    speed = np.diff(moving[30:]) / 0.01  # after the join
    assert np.all(np.diff(speed) <= 0.01)  # never faster again
    assert np.max(np.abs(np.diff(speed))) / 0.01 <= TimelineConfig().stop_deceleration_rad_s2 + 1.0
    assert timeline.counters['starvations'] == 1
    assert timeline.state is TimelineState.IDLE
    assert np.all(np.isnan(trace[-5:]))


@pytest.mark.parametrize('held_up_s', [0.3, 1.0, 10.0])
def test_an_executor_that_was_held_up_ends_where_the_stop_would_have_ended(held_up_s):
    timeline = ChunkTimeline()
    timeline.add(0.0, line(0.0), PERIOD_S, 0.0, HOME)
    trace = play(timeline, 0.0, 0.49)  # at 0.5 rad/s, to the end of the chunk
    stop_rad = 0.5**2 / (2 * TimelineConfig().stop_deceleration_rad_s2)
    goal = timeline.sample(0.48 + held_up_s)
    assert goal.position_rad[0] == pytest.approx(trace[-1, 0] + stop_rad, abs=1e-3)
    assert np.all(goal.velocity_rad_s == 0.0)


def test_the_end_of_a_final_chunk_is_no_starvation():
    timeline = ChunkTimeline()
    timeline.add(0.0, np.zeros((16, 6)), PERIOD_S, 0.0, HOME, final=True)
    play(timeline, 0.0, 1.0)
    assert timeline.counters['starvations'] == 0
    assert timeline.counters['tasks_ended'] == 1


def test_a_chunk_after_starvation_begins_where_the_arm_stands():
    timeline = ChunkTimeline()
    timeline.add(0.0, line(0.0), PERIOD_S, 0.0, HOME)
    play(timeline, 0.0, 1.0)
    standing = np.full(6, 0.3)
    timeline.add(1.0, line(1.0), PERIOD_S, 1.0, standing)
    assert timeline.sample(1.0).position_rad == pytest.approx(standing)


@pytest.mark.parametrize(
    ('chunk', 'start_s', 'counter'),
    [
        (np.full((16, 6), np.nan), 10.0, 'chunks_refused_not_finite'),
        (np.zeros((16, 6)), np.nan, 'chunks_refused_not_finite'),
        (np.zeros((16, 6)), 9.0, 'chunks_refused_expired'),
        (np.zeros((16, 6)), 11.0, 'chunks_refused_future'),
    ],
)
def test_a_chunk_that_cannot_be_played_is_refused_and_counted(chunk, start_s, counter):
    timeline = ChunkTimeline()
    assert not timeline.add(start_s, chunk, PERIOD_S, 10.0, HOME)
    assert timeline.counters[counter] == 1
    assert timeline.sample(10.0) is None


def test_a_chunk_older_than_the_one_in_force_is_refused():
    timeline = ChunkTimeline()
    timeline.add(1.0, line(1.0), PERIOD_S, 1.1, HOME)
    assert not timeline.add(0.9, line(0.9), PERIOD_S, 1.2, HOME)
    assert timeline.counters['chunks_refused_out_of_order'] == 1


def test_a_chunk_that_expires_unplayed_leaves_the_timeline_idle():
    timeline = ChunkTimeline()
    timeline.add(0.0, np.zeros((16, 6)), PERIOD_S, 0.0, HOME)
    assert timeline.sample(5.0) is None
    assert timeline.state is TimelineState.IDLE


def test_an_interrupted_motion_decelerates_to_a_stand_within_the_cap():
    timeline = ChunkTimeline()
    timeline.add(0.0, line(0.0), PERIOD_S, 0.0, HOME)
    play(timeline, 0.0, 0.2)
    assert timeline.interrupt()
    trace = play(timeline, 0.2, 0.6)
    assert np.nanmax(trace) < 0.5 * 0.2 + 0.03
    assert timeline.state is TimelineState.IDLE
    assert timeline.counters['interruptions'] == 1


def test_a_motion_goes_on_smoothly_where_the_chunk_is_when_the_interruption_ends():
    timeline = ChunkTimeline()
    timeline.add(0.0, line(0.0), PERIOD_S, 0.0, HOME)
    before = play(timeline, 0.0, 0.2)
    timeline.interrupt()
    braking = play(timeline, 0.2, 0.23)
    timeline.go_on(0.23)
    after = play(timeline, 0.23, 0.5)
    trace = np.vstack([before, braking, after])[15:, 0]  # after the join
    speed = np.diff(trace) / 0.01
    assert np.min(speed) > 0.0, 'it never stood'
    assert np.max(np.abs(np.diff(speed))) / 0.01 < 12.0
    assert trace[-1] == pytest.approx(0.5 * 0.49, abs=1e-6)


def test_after_the_stand_an_interrupted_chunk_is_not_taken_up_again():
    timeline = ChunkTimeline()
    timeline.add(0.0, line(0.0), PERIOD_S, 0.0, HOME)
    play(timeline, 0.0, 0.2)
    timeline.interrupt()
    play(timeline, 0.2, 0.4)
    timeline.go_on(0.4)
    assert timeline.sample(0.4) is None
    assert timeline.state is TimelineState.IDLE


def test_the_last_chunk_of_a_task_is_not_interrupted():
    timeline = ChunkTimeline()
    timeline.add(0.0, line(0.0), PERIOD_S, 0.0, HOME, final=True)
    play(timeline, 0.0, 0.2)
    assert not timeline.interrupt()
    assert timeline.state is TimelineState.PLAYING


def test_a_wrong_setting_is_refused():
    with pytest.raises(ConfigurationError, match='join_s'):
        TimelineConfig(join_s=float('nan'))


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0.05, 0.7), st.floats(0.0, 0.3), st.floats(-1, 1)),
        min_size=1,
        max_size=8,
    )
)
def test_whatever_arrives_when_the_goal_never_jumps(arrivals):
    timeline = ChunkTimeline()
    now_s, last, standing = 0.0, HOME, HOME
    for wait_s, latency_s, offset in arrivals:
        timeline.add(now_s - latency_s, np.full((16, 6), offset), PERIOD_S, now_s, standing)
        for _ in range(round(wait_s / 0.01)):
            goal = timeline.sample(now_s)
            if goal is not None:
                assert np.all(np.abs(goal.position_rad - last) < 0.06)
                last = standing = goal.position_rad
            now_s += 0.01
