"""What the executor is committed to, told to the policy: the joins of chunks become smooth."""

from pathlib import Path

import numpy as np
import pytest
from engines import NoisyEngine

from chefmate_core.calibration import ArmCalibration
from chefmate_core.motion.committed import CommittedMotion
from chefmate_core.motion.player import ChunkPlayer
from chefmate_core.motion.spline import JointSpline
from chefmate_core.motion.timeline import ChunkTimeline
from chefmate_core.policy.engine_policy import EnginePolicy
from chefmate_core.policy.protocol import PERIOD_S, Observation
from chefmate_core.safety.gate import Mode

CYCLE_S = 0.01
CALIBRATION = ArmCalibration.load(
    Path(__file__).resolve().parents[4] / 'calibration' / 'follower.json'
)
HOME = np.zeros(6)


def line(start_s, speed_rad_s=0.5, steps=16):
    """A straight motion that passes zero at t = 0."""
    return np.outer((start_s + PERIOD_S * np.arange(steps)) * speed_rad_s, np.ones(6))


def test_the_timeline_tells_what_it_then_plays():
    timeline = ChunkTimeline()
    timeline.add(0.0, line(0.0), PERIOD_S, 0.0, HOME)
    timeline.sample(0.1)
    timeline.add(0.1, line(0.1) + 0.2, PERIOD_S, 0.15, HOME)  # a join fades in it
    told = timeline.committed(0.15, PERIOD_S, 0.4)
    assert len(told) == 13
    for index, row in enumerate(told):
        assert timeline.sample(0.15 + index * PERIOD_S).position_rad == pytest.approx(row)


def test_at_half_speed_the_timeline_tells_where_the_slow_arm_will_be():
    timeline = ChunkTimeline()
    timeline.set_speed(0.5, 0.0)
    timeline.add(0.0, line(0.0), PERIOD_S, 0.0, HOME)
    told = timeline.committed(0.3, PERIOD_S, 0.3)
    for index, row in enumerate(told):
        assert timeline.sample(0.3 + index * PERIOD_S).position_rad == pytest.approx(row)


def test_the_timeline_tells_no_further_than_its_chunk_goes():
    timeline = ChunkTimeline()
    assert timeline.committed(0.0, PERIOD_S, 0.6).shape == (0, 6)
    timeline.add(0.0, line(0.0), PERIOD_S, 0.0, HOME)
    timeline.sample(0.4)
    assert len(timeline.committed(0.4, PERIOD_S, 0.6)) == 4
    timeline.interrupt()
    assert timeline.committed(0.4, PERIOD_S, 0.6).shape == (0, 6)


def test_every_change_of_the_plan_is_noticed():
    timeline = ChunkTimeline()
    seen = [timeline.changes]
    for change in (
        lambda: timeline.add(0.0, line(0.0), PERIOD_S, 0.0, HOME),
        lambda: timeline.set_speed(0.5, 0.1),
        lambda: timeline.add(0.1, line(0.1), PERIOD_S, 0.15, HOME),
        timeline.interrupt,
    ):
        timeline.sample(0.15)
        change()
        seen.append(timeline.changes)
    assert seen == sorted(set(seen)), 'a change went unnoticed'
    timeline.add(0.1, line(0.1), PERIOD_S, 0.2, HOME)
    before = timeline.changes
    timeline.clear()
    assert timeline.changes > before


def test_rows_are_told_from_the_asked_instant_on_as_far_as_they_are_known():
    committed = CommittedMotion()
    assert committed.rows(0.0, 5, PERIOD_S) is None
    committed.add(10.0, line(10.0), PERIOD_S)
    assert committed.rows(10.1, 4, PERIOD_S) == pytest.approx(line(10.1, steps=4))
    assert len(committed.rows(10.45, 8, PERIOD_S)) == 2
    assert committed.rows(9.99, 4, PERIOD_S) is None, 'nothing was played then'
    assert committed.rows(10.6, 4, PERIOD_S) is None, 'nothing is played any more'
    assert committed.rows(10.1, 0, PERIOD_S) is None


def test_of_an_instant_before_the_newest_announcement_the_older_one_tells():
    committed = CommittedMotion()
    committed.add(10.0, line(10.0), PERIOD_S)
    committed.add(10.1, line(10.1) + 1.0, PERIOD_S)
    rows = committed.rows(10.05, 3, PERIOD_S)
    assert rows[:, 0] == pytest.approx(
        [0.5 * 10.05, 0.5 * (10.05 + PERIOD_S), 1.0 + 0.5 * (10.05 + 2 * PERIOD_S)]
    )


def test_after_the_end_of_a_motion_or_a_jump_of_the_clock_the_old_is_forgotten():
    committed = CommittedMotion()
    committed.add(10.0, line(10.0), PERIOD_S)
    committed.clear()
    assert committed.rows(10.1, 4, PERIOD_S) is None
    committed.add(10.0, line(10.0), PERIOD_S)
    committed.add(3.0, line(3.0), PERIOD_S)
    assert committed.rows(10.1, 4, PERIOD_S) is None


def jumps_of_joins(honours_committed, seconds=8.0):
    """Play a noisy model in virtual time; return by how much each new chunk leaps at its join."""
    policy = EnginePolicy(NoisyEngine(3, honours_committed), CALIBRATION, ('scene', 'wrist'))
    policy.reset('cook')
    player, committed = ChunkPlayer(), CommittedMotion()
    images = dict.fromkeys(('scene', 'wrist'), np.zeros((2, 2, 3), np.uint8))
    position, jumps, pending, told = HOME.copy(), [], None, 0
    for cycle in range(round(seconds / CYCLE_S)):
        now_s = 100.0 + cycle * CYCLE_S
        player.applied(position, Mode.FOLLOWING, now_s)
        player.heartbeat(True)
        if pending is not None and now_s >= pending[0]:
            chunk, pending = pending[1], None
            goal = player.sample(now_s)
            if goal is not None:
                place = JointSpline(chunk.stamp_s, chunk.positions_rad, PERIOD_S).sample(now_s)
                jumps.append(float(np.max(np.abs(place[0] - goal.position_rad))))
            assert player.add(chunk.stamp_s, chunk.positions_rad, PERIOD_S, now_s)
        elif pending is None and cycle % 20 == 0:
            stamp_s = now_s - 0.05  # the images' age; the answer comes after 0.1 s
            rows = committed.rows(stamp_s, 5, PERIOD_S)
            observation = Observation(
                stamp_s, 'cook', position, np.zeros(6), images, committed_rad=rows
            )
            pending = now_s + 0.1, policy.infer(observation)
        goal = player.sample(now_s)
        if goal is not None:
            position = goal.position_rad
        if player.timeline.changes != told:
            told = player.timeline.changes
            rows = player.committed(now_s)
            if len(rows):
                committed.add(now_s, rows, PERIOD_S)
            else:
                committed.clear()
    return np.array(jumps)


def test_a_model_that_begins_with_what_is_committed_is_joined_without_a_jump():
    with_prefix, without = jumps_of_joins(True), jumps_of_joins(False)
    print(f'jump p50 {np.median(with_prefix):.4f} with, {np.median(without):.4f} rad without')
    assert len(with_prefix) > 30
    assert np.median(with_prefix) < 0.1 * np.median(without)
    assert with_prefix.max() < 0.25 * without.max()
