"""An arm and a twin on clocks of their own: what the monitor makes of them."""

import math

import numpy as np
import pytest

from chefmate_core.diagnosis import Level
from chefmate_core.errors import ConfigurationError
from chefmate_core.joints import ISAAC_JOINT_NAMES
from chefmate_core.twin.config import TwinConfig
from chefmate_core.twin.history import History
from chefmate_core.twin.lag import estimate_lag_s
from chefmate_core.twin.mapping import joint_map
from chefmate_core.twin.monitor import TwinMonitor
from chefmate_core.twin.states import TwinState

WALL_S = 1.7e9  # what the node's clock is ahead of the steady clock
SPEEDS = np.array([1.0, 1.1, 0.9, 0.7, 1.3, 0.5])


def motion(time_s):
    """Where the arm is, rad, shape (6,)."""
    return 0.4 * np.sin(SPEEDS * time_s + np.arange(6))


def standing(time_s):
    del time_s
    return np.array([0.3, -0.5, 0.7, 0.4, -0.6, 0.8])


class Pair:
    """An arm at 60 Hz and its twin at 60 Hz, in simulated time.

    The twin is where the arm was `follows_s` ago, plus `off_rad`; it says so `lag_s` later.
    """

    def __init__(self, where=motion, config=None):
        self.monitor = TwinMonitor(joint_map(), config)
        self.where = where
        self.now_s = 100.0
        self.follows_s = self.lag_s = 0.0
        self.off_rad = np.zeros(6)
        self.stamp = lambda time_s: WALL_S + time_s
        self.arm_stamp = lambda time_s: WALL_S + time_s
        self.names = ISAAC_JOINT_NAMES
        self.scale = 1.0
        self.twin_speaks = True
        self.errors = []

    def run(self, seconds):
        for _ in range(round(seconds * 60)):
            self.now_s += 1 / 60
            now_s = self.now_s
            self.monitor.arm_moved(
                self.arm_stamp(now_s - 0.001), self.where(now_s - 0.001), WALL_S + now_s, now_s
            )
            if self.twin_speaks:
                self.say(now_s)
            error = self.monitor.compare()
            if error is not None:
                self.errors.append(error)
        return self

    def say(self, now_s, positions=None, names=None):
        measured_s = now_s - self.lag_s - 0.005
        there = self.where(measured_s - self.follows_s) + self.off_rad
        return self.monitor.twin_said(
            self.stamp(measured_s),
            names or self.names,
            self.scale * there if positions is None else positions,
            WALL_S + now_s,
            now_s,
        )

    @property
    def state(self):
        return self.monitor.state(self.now_s)

    @property
    def sentence(self):
        return self.monitor.sentence(self.now_s)

    @property
    def values(self):
        return self.monitor.diagnose(self.now_s).values


def test_a_twin_that_is_where_the_arm_is_has_no_error():
    pair = Pair().run(3.0)
    assert pair.state is TwinState.FOLLOWING
    assert max(np.max(np.abs(error.error_rad)) for error in pair.errors) < 1e-3
    assert pair.monitor.diagnose(pair.now_s).level is Level.OK


def test_the_error_is_real_minus_simulated():
    pair = Pair(standing)
    pair.off_rad = np.array([0.0, 0.0, 0.05, 0.0, 0.0, 0.0])
    pair.run(1.0)
    assert pair.errors[-1].error_rad == pytest.approx([0, 0, -0.05, 0, 0, 0], abs=1e-9)


def test_a_twin_that_is_told_late_of_its_states_is_compared_with_the_arm_of_then():
    pair = Pair()
    pair.lag_s = 0.3
    pair.run(4.0)
    assert np.max(np.abs(pair.errors[-1].error_rad)) < 1e-3


def test_a_twin_that_follows_behind_has_an_error_in_motion():
    pair = Pair()
    pair.follows_s = 0.1
    pair.run(4.0)
    expected = motion(pair.errors[-1].time_s) - motion(pair.errors[-1].time_s - 0.1)
    assert pair.errors[-1].error_rad == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize('behind_s', [0.02, 0.06, 0.25, 2.0])
def test_the_latency_is_the_time_by_which_the_twin_follows_behind(behind_s):
    pair = Pair()
    pair.follows_s = behind_s
    pair.run(8.0)
    assert pair.monitor.lag_s(pair.now_s) == pytest.approx(behind_s, abs=0.005)


def test_without_motion_there_is_no_latency_to_be_told():
    pair = Pair(standing).run(6.0)
    assert pair.monitor.lag_s(pair.now_s) is None
    assert 'latency unknown' in pair.monitor.line(pair.now_s)


def test_a_latency_is_forgotten_when_the_arm_has_rested_for_a_while():
    pair = Pair()
    pair.follows_s = 0.05
    pair.run(8.0)
    assert 'latency 50 ms' in pair.monitor.line(pair.now_s)
    pair.where = standing
    for _ in range(8):  # a report every two seconds, as the node's
        pair.run(2.0)
        line = pair.monitor.line(pair.now_s)
    assert 'latency unknown' in line
    assert pair.values['latency_ms'] == ''


def test_a_silent_twin_has_no_latency():
    pair = Pair()
    pair.follows_s = 0.05
    pair.run(8.0)
    assert pair.monitor.lag_s(pair.now_s) is not None
    pair.twin_speaks = False
    pair.run(3.0)
    assert 'latency unknown' in pair.monitor.line(pair.now_s)


def test_a_twin_that_has_caught_up_has_no_latency_of_before():
    pair = Pair()
    pair.follows_s = 0.3
    pair.run(8.0)
    assert pair.monitor.lag_s(pair.now_s) == pytest.approx(0.3, abs=0.005)
    pair.follows_s = 0.0
    pair.run(8.0)
    assert pair.monitor.lag_s(pair.now_s) == pytest.approx(0.0, abs=0.005)


def test_a_latency_can_be_asked_for_at_any_time_from_the_first_state_on():
    real, twin = History(), History()
    for index in range(60):
        real.add(index / 60, motion(index / 60))
        twin.add(index / 60 + 0.001, motion(index / 60))
        lag_s = estimate_lag_s(real, twin)
        assert lag_s is None or 0.0 <= lag_s < 1.0


def test_a_twin_that_does_something_else_has_no_latency():
    pair = Pair()
    pair.where = lambda time_s: motion(1.7 * time_s) if pair.is_twin else motion(time_s)
    pair.is_twin = False
    say = pair.say

    def say_other(now_s):
        pair.is_twin = True
        say(now_s)
        pair.is_twin = False

    pair.say = say_other
    pair.run(8.0)
    assert pair.monitor.lag_s(pair.now_s) is None


def test_a_large_error_is_told_after_the_hold_off_and_over_after_it_too():
    pair = Pair(standing, TwinConfig(hold_off_s=1.0)).run(2.0)
    pair.off_rad = np.array([0.0, 0.2, 0.0, 0.0, 0.0, 0.0])
    assert pair.run(0.8).state is TwinState.FOLLOWING
    assert pair.run(0.5).state is TwinState.DEVIATING
    assert 'shoulder_lift' in pair.sentence
    pair.off_rad = np.array([0.0, 0.5, 0.0, 0.0, 0.0, 0.0])
    assert pair.run(1.3).state is TwinState.ALARM
    assert pair.monitor.diagnose(pair.now_s).level is Level.ERROR
    pair.off_rad = np.zeros(6)
    assert pair.run(0.8).state is TwinState.ALARM
    assert pair.run(0.5).state is TwinState.FOLLOWING


def test_a_short_error_is_no_alarm():
    pair = Pair(standing).run(2.0)
    pair.off_rad = np.full(6, 0.6)
    pair.run(0.5)
    pair.off_rad = np.zeros(6)
    assert pair.run(2.0).state is TwinState.FOLLOWING
    assert pair.values['elbow_flex_error_max_rad'] == pytest.approx(0.6)


def test_an_error_before_and_after_a_silence_has_not_lasted_over_it():
    pair = Pair(standing).run(2.0)
    pair.off_rad = np.full(6, 0.5)
    pair.run(0.05)
    pair.twin_speaks = False
    pair.run(18.0)
    pair.twin_speaks = True
    assert pair.run(0.1).state is TwinState.FOLLOWING
    assert pair.run(1.5).state is TwinState.ALARM


def test_all_of_a_long_window_is_looked_at():
    pair = Pair(standing, TwinConfig(window_s=60.0))
    pair.off_rad = np.full(6, 0.1)
    pair.run(5.0)
    pair.off_rad = np.zeros(6)
    pair.run(45.0)
    assert pair.values['gripper_error_max_rad'] == pytest.approx(0.1)


def test_a_window_that_is_longer_than_what_is_kept_is_refused():
    with pytest.raises(ConfigurationError, match='window_s is 600; at most 120'):
        TwinConfig(window_s=600.0)


def test_rms_and_maximum_are_those_of_the_window():
    pair = Pair(standing, TwinConfig(window_s=2.0))
    pair.off_rad = np.full(6, 0.1)
    pair.run(3.0)
    assert pair.values['gripper_error_rms_rad'] == pytest.approx(0.1)
    pair.off_rad = np.zeros(6)
    pair.run(3.0)
    assert pair.values['gripper_error_max_rad'] == 0.0


def test_degrees_by_mistake_are_called_that_even_where_they_are_small():
    pair = Pair(lambda time_s: 0.1 * motion(time_s))
    pair.scale = 180.0 / math.pi
    pair.run(3.0)
    assert pair.state is TwinState.ALARM
    assert 'degrees' in pair.sentence
    assert 'unit: deg' in pair.sentence


def test_large_degrees_by_mistake_are_refused_and_called_that():
    pair = Pair(standing)
    pair.scale = 180.0 / math.pi
    pair.run(1.0)
    assert pair.state is TwinState.REFUSED
    assert 'unit: deg' in pair.sentence


@pytest.mark.parametrize(
    ('names', 'counter', 'said'),
    [
        (ISAAC_JOINT_NAMES[:5], 'refused_missing_name', 'Jaw is missing'),
        ((*ISAAC_JOINT_NAMES[:5], 'Elbow'), 'refused_duplicate_name', 'Elbow is named twice'),
        ((*ISAAC_JOINT_NAMES[:5], 'Thumb'), 'refused_unknown_name', 'Thumb is unknown'),
    ],
)
def test_messages_with_wrong_names_are_refused_counted_and_told(names, counter, said):
    pair = Pair().run(1.0)
    for _ in range(60):
        pair.now_s += 1 / 60
        pair.monitor.arm_moved(
            WALL_S + pair.now_s, motion(pair.now_s), WALL_S + pair.now_s, pair.now_s
        )
        assert pair.say(pair.now_s, np.zeros(len(names)), names) is None
    assert pair.values[counter] == 60
    assert pair.state is TwinState.REFUSED
    assert said in pair.sentence


def test_one_bad_message_among_good_ones_is_counted_and_the_twin_goes_on():
    pair = Pair().run(1.0)
    assert pair.say(pair.now_s, [math.nan] * 6) is None
    pair.run(2.0)
    assert pair.values['refused_not_finite'] == 1
    assert np.max(np.abs(pair.errors[-1].error_rad)) < 1e-3


def test_a_silent_twin_is_called_that_and_its_return_is_noticed():
    pair = Pair().run(2.0)
    pair.twin_speaks = False
    pair.run(2.0)
    assert pair.state is TwinState.SILENT
    assert '2.0 s' in pair.sentence
    pair.twin_speaks = True
    assert pair.run(1.0).state is TwinState.FOLLOWING
    assert pair.values['silences'] == 1


def test_a_twin_that_never_spoke_is_waited_for():
    pair = Pair()
    pair.twin_speaks = False
    assert pair.run(2.0).state is TwinState.WAITING


def test_a_twin_that_is_2_s_late_is_called_late_and_still_compared_with_the_arm_of_then():
    pair = Pair()
    pair.lag_s = 2.0
    pair.run(6.0)
    assert pair.state is TwinState.LATE
    assert '2.0 s old' in pair.sentence
    assert np.max(np.abs(pair.errors[-1].error_rad)) < 1e-3


@pytest.mark.parametrize(
    ('stamp', 'state'),
    [
        (lambda time_s: time_s - 95.0, TwinState.FOREIGN_CLOCK),  # simulation time
        (lambda time_s: WALL_S + time_s + 3600.0, TwinState.FOREIGN_CLOCK),
        (lambda time_s: 0.0, TwinState.UNSTAMPED),
    ],
)
def test_stamps_of_another_clock_are_told_and_times_of_arrival_taken(stamp, state):
    pair = Pair()
    pair.stamp = stamp
    pair.run(3.0)
    assert pair.state is state
    assert np.max(np.abs(pair.errors[-1].error_rad)) < 0.01  # 5 ms of motion


def test_a_twin_whose_clock_was_ours_is_late_however_late_it_is():
    pair = Pair(standing).run(2.0)
    pair.lag_s = 12.0
    pair.now_s += 12.0  # what is on its way arrives late from now on
    pair.run(2.0)
    assert pair.state is TwinState.LATE
    assert '12.0 s old' in pair.sentence
    clock_s = WALL_S + pair.now_s
    assert clock_s - pair.monitor.twin_stamp_s(clock_s) == pytest.approx(12.0, abs=0.01)


def test_clocks_that_are_set_back_by_less_than_a_restart_cost_two_states():
    pair = Pair(standing).run(2.0)
    pair.stamp = lambda time_s: WALL_S + time_s - 0.08
    before = len(pair.errors)
    pair.run(0.2)
    assert len(pair.errors) - before >= 8
    assert pair.values['twin_stamps_out_of_order'] == 2


def test_an_arm_on_another_clock_than_the_bridge_is_told():
    pair = Pair()
    pair.arm_stamp = lambda time_s: time_s
    assert pair.run(3.0).state is TwinState.FOREIGN_CLOCK
    assert pair.values['arm_clock'] == 'foreign'


def test_a_twin_that_restarts_begins_anew():
    pair = Pair(standing)
    pair.stamp = lambda time_s: time_s
    pair.off_rad = np.full(6, 0.6)
    pair.run(3.0)
    assert pair.state is TwinState.ALARM
    pair.stamp = lambda time_s: time_s - 102.0  # simulation time begins at zero again
    pair.off_rad = np.zeros(6)
    pair.run(0.5)
    assert pair.values['twin_stamps_restarts'] == 1
    assert pair.state is TwinState.FOREIGN_CLOCK
    assert pair.values['elbow_flex_error_max_rad'] == pytest.approx(0.0)


def test_states_out_of_order_and_repeated_ones_are_left_out_and_counted():
    pair = Pair().run(1.0)
    now_s = pair.now_s
    for behind_s in (0.0, 0.1, 0.1):
        pair.say(now_s - behind_s)
    assert pair.values['twin_stamps_repeated'] == 1
    assert pair.values['twin_stamps_out_of_order'] == 2


def test_an_arm_that_is_silent_is_told_and_nothing_is_made_up_for_it():
    pair = Pair().run(1.0)
    before = len(pair.errors)
    for _ in range(60):
        pair.now_s += 1 / 60
        pair.say(pair.now_s)
        assert pair.monitor.compare() is None or len(pair.errors) == before
    assert pair.state is TwinState.NO_ARM


def test_nothing_is_interpolated_over_a_gap_of_the_arm():
    pair = Pair(standing).run(1.0)
    for _ in range(60):  # a second without the arm, the twin somewhere else
        pair.now_s += 1 / 60
        pair.say(pair.now_s, standing(0) + 0.6)
    pair.run(0.1)
    assert pair.values['elbow_flex_error_max_rad'] == pytest.approx(0.0)


def test_a_history_keeps_the_newest_and_interpolates():
    history = History(kept=8)
    for index in range(100):
        assert history.add(float(index), np.full(6, 2.0 * index))
    assert not history.add(99.0, np.zeros(6))
    assert 8 <= len(history) <= 16
    assert history.at(np.array([97.25]))[0] == pytest.approx(np.full(6, 194.5))


@pytest.mark.parametrize(
    'wrong', [{'warn_rad': math.nan}, {'hold_off_s': 0.0}, {'warn_rad': 0.4, 'alarm_rad': 0.3}]
)
def test_thresholds_that_cannot_be_are_refused(wrong):
    with pytest.raises(ConfigurationError, match=next(iter(wrong))):
        TwinConfig(**wrong)
