"""What becomes of a leader's readings, up to the setpoints behind the safety gate."""

import numpy as np
import pytest
from gate_bench import assert_within_caps
from teleop_bench import MAPPING, STILL, LeaderRig

from chefmate_core.safety.gate import Mode
from chefmate_core.teleop.leader import LeaderRefusal


@pytest.fixture
def rig():
    return LeaderRig()


def speeds(trace, since):
    return np.max(np.abs(np.diff(np.array(trace[since:]), axis=0)), initial=0.0) / 0.01


def test_a_follower_follows_its_leader_to_where_it_is(rig):
    rig.hand(0.3, 100)
    assert rig.gate.mode is Mode.FOLLOWING
    assert rig.position == pytest.approx([0.3] * 6, abs=1e-6)


def test_a_leader_that_is_far_away_at_the_start_is_approached_at_blend_speed(rig):
    rig.hand(1.2, 100)
    assert speeds(rig.bench.trace, 0) <= 1.0 + 1e-9  # the gripper's; the arm's is half of it
    assert_within_caps(rig.bench.trace)
    rig.hand(1.2, 300)
    assert rig.position == pytest.approx([1.2] * 6, abs=1e-6)


def test_a_moving_hand_is_followed_a_cycle_later_and_nothing_is_limited(rig):
    rig.hand(0.0, 60)

    def hand(seconds):
        return 0.3 * (1.0 - np.cos(2.0 * seconds))

    begun = len(rig.bench.trace)
    rig.hand(hand, 300)
    wanted = hand(0.01 * np.arange(300))
    followed = np.array(rig.bench.trace[begun:])[:, 0]
    assert np.max(np.abs(followed - wanted)) < 0.008  # 0.6 rad/s for a cycle
    assert rig.gate.counters['rate_limited'] == 0
    assert rig.teleop.counters['hand_too_fast'] == 0


def test_a_hand_faster_than_the_arm_may_be_is_followed_and_never_refused(rig):
    rig.hand(0.0, 60)
    rig.hand(lambda seconds: min(12.0 * seconds, 1.5), 200)
    assert rig.position == pytest.approx([1.5] * 6, abs=0.05)
    assert rig.gate.counters['refused_absurd'] == 0
    assert rig.teleop.counters['hand_too_fast'] > 0
    assert_within_caps(rig.bench.trace)


def test_one_reading_that_leaps_hardly_moves_the_arm(rig):
    rig.hand(0.2, 100)
    rig.hand(1.5, 1)
    rig.hand(0.2, 20)
    assert np.max(np.abs(np.array(rig.bench.trace[-25:]) - 0.2)) < 0.05
    assert rig.gate.counters['refused_absurd'] == 0


def test_paused_the_arm_holds_and_resumed_it_blends_without_a_jump(rig):
    rig.hand(0.2, 100)
    assert 'paused' in rig.clutch.set(False)
    rig.hand(0.9, 3)  # far shorter than the gate's patience
    held = rig.position
    rig.clutch.set(True)
    begun = len(rig.bench.trace)
    rig.hand(0.9, 1)
    assert rig.gate.mode is Mode.BLENDING
    rig.hand(0.9, 60)
    assert speeds(np.array(rig.bench.trace)[:, :5], begun) <= 0.5 + 1e-9
    assert np.all(rig.position > held)
    rig.hand(0.9, 200)
    assert rig.position == pytest.approx([0.9] * 6, abs=1e-6)


def test_a_paused_clutch_commands_nothing_for_as_long_as_it_takes(rig):
    rig.hand(0.2, 100)
    rig.clutch.set(False)
    sent = len(rig.commands)
    rig.hand(lambda seconds: 0.2 + seconds, 100)
    assert len(rig.commands) == sent
    assert rig.gate.mode is Mode.HOLDING
    assert rig.position == pytest.approx([0.2] * 6, abs=0.01)


def test_the_release_of_an_emergency_stop_moves_nothing_before_the_clutch_is_engaged(rig):
    rig.hand(0.2, 100)
    rig.gate.engage_estop()
    rig.clutch.estop(True)
    rig.hand(0.8, 50)
    assert 'release it first' in rig.clutch.set(True)
    rig.gate.release_estop()
    rig.clutch.estop(False)
    rig.hand(0.8, 100)
    assert rig.position == pytest.approx([0.2] * 6, abs=0.05)
    rig.clutch.set(True)
    rig.hand(0.8, 300)
    assert rig.position == pytest.approx([0.8] * 6, abs=1e-6)


def test_an_unplugged_leader_is_a_hold_and_its_return_a_blend(rig):
    rig.hand(0.2, 100)
    rig.unplug(60)
    assert rig.gate.mode is Mode.HOLDING
    assert 'silent' in rig.teleop.state(rig.bench.now_s)
    begun = len(rig.bench.trace)
    rig.hand(1.0, 1)
    assert rig.gate.mode is Mode.BLENDING
    rig.hand(1.0, 90)
    assert speeds(np.array(rig.bench.trace)[:, :5], begun) <= 0.5 + 1e-9
    assert rig.teleop.counters['leader_returned'] == 1


def test_a_leader_that_returns_before_the_gate_noticed_is_blended_all_the_same(rig):
    rig.hand(0.2, 100)
    rig.unplug(15)  # beyond the leader's timeout, within the gate's
    assert rig.gate.mode is Mode.FOLLOWING
    rig.hand(0.8, 1)
    assert rig.gate.mode is Mode.BLENDING


def test_a_frozen_leader_whose_stamps_stand_still_is_a_hold(rig):
    rig.hand(0.2, 100)
    clock_s = rig.commands[-1].stamp_s
    vectors = (MAPPING.to_leader(np.full(6, 0.2)), STILL)
    for _ in range(60):
        now_s = rig.bench.now_s
        rig.cycle(rig.teleop.read(clock_s, vectors, clock_s + 0.02, now_s))
    assert rig.teleop.counters[LeaderRefusal.REPEATED] == 60
    assert rig.gate.mode is Mode.HOLDING


@pytest.mark.parametrize(
    ('reading', 'refusal'),
    [
        ({'vectors': None}, LeaderRefusal.MALFORMED),
        ({'vectors': (np.full(6, np.nan), STILL)}, LeaderRefusal.NOT_FINITE),
        ({'vectors': (STILL, np.full(6, np.inf))}, LeaderRefusal.NOT_FINITE),
        ({'age_s': float('nan')}, LeaderRefusal.NOT_FINITE),
        ({'age_s': 0.15}, LeaderRefusal.STALE),
        ({'age_s': -0.1}, LeaderRefusal.FUTURE),
    ],
)
def test_a_reading_that_cannot_be_trusted_is_refused_and_counted(rig, reading, refusal):
    assert rig.read(0.1, **reading) is None
    assert rig.teleop.counters == {refusal: 1}
    assert 'waiting for the leader' in rig.teleop.state(rig.bench.now_s)


def test_a_reading_older_than_the_last_is_refused_unless_the_clock_was_set_back(rig):
    rig.hand(0.1, 10)
    assert rig.read(0.1, age_s=0.05) is None
    assert rig.teleop.counters[LeaderRefusal.OUT_OF_ORDER] == 1
    clock_s = rig.commands[-1].stamp_s - 3600.0
    vectors = (MAPPING.to_leader(np.full(6, 0.1)), STILL)
    assert rig.teleop.read(clock_s, vectors, clock_s + 0.001, rig.bench.now_s) is not None


def test_without_a_follower_nothing_is_commanded(rig):
    rig.bench.now_s += 0.3  # its driver has been silent for that long
    assert rig.read(0.1) is None
    assert 'waiting for the follower' in rig.teleop.state(rig.bench.now_s)


def test_the_ends_of_the_leaders_range_lead_to_the_ends_of_the_gates(rig):
    leader = np.full(6, 3.0)  # beyond every joint's end, as far as ticks go
    for _ in range(800):
        rig.cycle(rig.read(0.0, vectors=(leader, STILL)))
    assert rig.gate.counters['clamped_to_limits'] == 0
    assert rig.teleop.counters['beyond_leader_range'] == 800
    assert np.all(rig.position > 1.5)


def test_a_command_bears_the_stamp_of_the_reading(rig):
    command = rig.read(0.1, age_s=0.02)
    clock_s = 1_000_000.0 + rig.bench.now_s
    assert command.stamp_s == pytest.approx(clock_s - 0.02)


def test_starting_paused_waits_for_a_person():
    rig = LeaderRig(engaged=False)
    rig.hand(0.4, 50)
    assert rig.commands == []
    assert rig.clutch.set(True).startswith('engaged')
    assert rig.clutch.set(True) == 'it is engaged already'
    rig.hand(0.4, 200)
    assert rig.position == pytest.approx([0.4] * 6, abs=1e-6)
