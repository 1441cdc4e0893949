"""The executor in virtual time: policies that fall silent, arms that do not follow."""

import numpy as np
import pytest

from chefmate_core.errors import ConfigurationError
from chefmate_core.motion.player import REST_S, ChunkPlayer
from chefmate_core.motion.policy_watch import PolicyWatch
from chefmate_core.motion.silence import Silence
from chefmate_core.motion.timeline import TimelineState
from chefmate_core.safety.gate import Mode

PERIOD_S = 1 / 30
CYCLE_S = 0.01
SPEED_RAD_S = 1.7  # as fast as the expert goes


class World:
    """A policy that plans a straight motion, an arm that follows, and an executor between them."""

    def __init__(self, has_heartbeat=True, mode=Mode.FOLLOWING):
        self.player = ChunkPlayer()
        self.now_s = 10.0
        self.position = np.zeros(6)
        self.speed = 0.0
        self.has_heartbeat, self.mode = has_heartbeat, mode
        self.policy_lives = True
        self.driver_lives = True
        self.speeds = []
        self._next_chunk_s = self.now_s

    def chunk(self, final=False):
        """The motion's rows, as seen 20 ms ago."""
        start_s = self.now_s - 0.02
        rows = self.position + np.outer(np.arange(16) * PERIOD_S * SPEED_RAD_S, np.ones(6))
        return self.player.add(start_s, rows, PERIOD_S, self.now_s, final)

    def run(self, seconds):
        for index in range(round(seconds / CYCLE_S)):
            self.now_s += CYCLE_S
            if self.policy_lives and self.has_heartbeat and index % 2 == 0:
                self.player.heartbeat(True)
            if self.policy_lives and self.now_s >= self._next_chunk_s:
                self._next_chunk_s = self.now_s + 0.2
                self.chunk()
            if self.driver_lives:
                self.player.applied(self.position, self.mode, self.now_s)
            goal = self.player.sample(self.now_s)
            if goal is not None:
                self.position = goal.position_rad
            self.speed = 0.0 if goal is None else float(np.max(np.abs(goal.velocity_rad_s)))
            self.speeds.append(self.speed)

    def standing_after_s(self, seconds=2.0):
        """Run on and return after how long the goal stood still for good."""
        first = len(self.speeds)
        self.run(seconds)
        moving = np.flatnonzero(self.speeds[first:])
        return 0.0 if not len(moving) else (moving[-1] + 1) * CYCLE_S


def cooking(**options):
    world = World(**options)
    world.run(0.1)
    world.run(1.0)
    assert world.speed > 1.0
    return world


def test_when_the_policy_dies_the_goal_stands_within_three_tenths_of_a_second():
    world = cooking()
    world.policy_lives = False
    standing_s = world.standing_after_s()
    print(f'standing {standing_s:.2f} s after the last heartbeat')
    assert standing_s <= 0.3
    assert world.player.counters['interruptions'] == 1
    assert world.player.starved_by_silence


def test_the_goal_brakes_and_never_jumps_when_the_policy_dies():
    world = cooking()
    world.policy_lives = False
    world.speeds.clear()
    world.run(1.0)
    assert np.max(np.diff(world.speeds)) < 0.2  # what is left of the last join
    assert np.min(np.diff(world.speeds)) / CYCLE_S >= -12.0


def test_chunks_that_return_are_joined_where_the_arm_stands():
    world = cooking()
    world.policy_lives = False
    world.run(1.0)
    stood = world.position.copy()
    world.policy_lives = True
    world.run(0.03)
    assert world.position == pytest.approx(stood, abs=0.03)
    world.run(0.5)
    assert world.speed > 1.0
    assert not world.player.starved_by_silence


def test_a_policy_that_says_it_is_late_is_not_waited_for():
    world = cooking()
    world.policy_lives = False
    world.player.heartbeat(False)
    assert world.standing_after_s() <= 0.2


def test_a_short_silence_costs_a_dip_of_the_speed_and_no_stand():
    world = cooking()
    world.policy_lives = False
    world.run(0.13)
    world.policy_lives = True
    world.speeds.clear()
    world._next_chunk_s = world.now_s + 0.1
    world.run(0.5)
    assert min(world.speeds) > 0.3
    assert world.player.counters['interruptions'] == 1
    assert world.speed > 1.0


def test_an_inference_that_keeps_the_interpreter_for_80_ms_disturbs_nothing():
    world = cooking()
    for _ in range(5):
        world.policy_lives = False
        world.run(0.08)
        world.policy_lives = True
        world.run(0.2)
    assert world.player.counters['interruptions'] == 0


def test_a_policy_without_a_heartbeat_has_its_chunk_played_to_the_end():
    world = cooking(has_heartbeat=False)
    world.policy_lives = False
    world.run(0.25)
    assert world.player.timeline.state is TimelineState.PLAYING
    world.run(1.0)
    assert world.player.counters['interruptions'] == 0
    assert world.player.counters['starvations'] == 1


def test_a_policy_without_a_heartbeat_may_take_over_from_one_that_had_one():
    world = cooking()
    world.policy_lives = False
    world.run(1.0)
    world.policy_lives, world.has_heartbeat = True, False
    world.run(1.0)
    assert world.speed > 1.0
    assert world.player.counters['interruptions'] == 1


def test_the_last_chunk_of_a_task_is_played_to_its_end_without_heartbeats():
    world = cooking()
    world.policy_lives = False
    assert world.chunk(final=True)
    world.run(1.0)
    assert world.player.counters['interruptions'] == 0
    assert world.player.counters['tasks_ended'] == 1
    assert not world.player.starved_by_silence


def test_an_executor_that_was_stopped_itself_does_not_blame_the_policy():
    world = cooking()
    world.now_s += 0.3
    world._next_chunk_s = world.now_s
    world.player.sample(world.now_s)  # its timer comes first, what was sent meanwhile after it
    world.run(0.1)
    assert world.player.counters['interruptions'] == 0
    assert world.player.counters['arm_let_go'] == 0


@pytest.mark.parametrize('mode', [Mode.BLENDING, Mode.HOLDING])
def test_when_the_gate_begins_anew_the_goal_is_dropped_and_the_arm_rests(mode):
    world = cooking()
    world.mode = mode
    world.run(0.02)
    assert world.player.timeline.state is TimelineState.IDLE
    world.run(REST_S - 0.1)
    assert world.speed == 0.0
    assert world.player.counters['chunks_refused_arm_rests'] > 0
    world.mode = Mode.HOLDING
    world.run(0.3)  # the next chunk begins while the gate has not followed yet
    assert world.player.counters['arm_let_go'] == 1
    assert world.speed > 0.0


def test_a_driver_without_a_mode_is_followed_as_ever():
    world = cooking(mode='')
    assert world.player.counters['arm_let_go'] == 0


def test_when_the_driver_falls_silent_the_goal_is_dropped():
    world = cooking()
    world.driver_lives = False
    world.run(0.3)
    assert world.player.timeline.state is TimelineState.IDLE
    assert world.player.counters['arm_let_go'] == 1


def test_no_motion_begins_at_a_position_of_long_ago():
    world = World()
    world.run(0.0)
    world.player.applied(np.zeros(6), Mode.HOLDING, world.now_s)
    world.now_s += 0.3
    assert not world.chunk()
    assert world.player.counters['chunks_refused_arm_not_ready'] == 1


def test_at_an_emergency_stop_the_goal_is_dropped_and_chunks_are_refused():
    world = cooking()
    world.player.estop(True)
    world.run(0.5)
    assert world.speed == 0.0
    assert world.player.counters['chunks_refused_arm_not_ready'] > 0
    world.player.estop(False)
    world.run(0.5)
    assert world.speed > 0.0


def test_silence_is_counted_in_the_listeners_own_steps():
    silence = Silence()
    silence.step(1.0)
    silence.end()
    silence.step(5.0)
    assert silence.duration_s < 0.05
    for now_s in np.arange(5.0, 6.0, CYCLE_S):
        silence.step(now_s)
    assert silence.duration_s == pytest.approx(1.0, abs=0.05)


@pytest.mark.parametrize('timeout_s', [0.0, -1.0, float('nan'), float('inf')])
def test_a_timeout_that_is_no_time_is_refused(timeout_s):
    with pytest.raises(ConfigurationError, match='heartbeat'):
        PolicyWatch(timeout_s)
