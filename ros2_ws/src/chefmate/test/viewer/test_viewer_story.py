"""What the page says, what its buttons may do, and how old its news is; without ROS or browser."""

import math

import numpy as np
import pytest

from chefmate.cli import view
from chefmate.cli.parser import Parser
from chefmate.nodes.viewer_actions import LONGEST_ANSWER, first_words
from chefmate.nodes.viewer_parameters import KNOWN_TASKS, TOKEN_VARIABLE, read_token
from chefmate.viewer.deeds import READ_ONLY, Deed, Situation, why_not
from chefmate.viewer.feeds import Feed, Feeds, Progress, Servos
from chefmate.viewer.health import (
    ARM,
    PHYSICS,
    POLICY,
    RECORDER,
    SIMULATED_ARM,
    TASK,
    TELEOP,
    Health,
    Report,
)
from chefmate.viewer.history import History
from chefmate.viewer.story import Tone, Verdict, arm_speaks, tell
from chefmate_core.errors import ConfigurationError

NOW_S = 1000.0
BREAD = 'pick up the bread'
OFFERED = frozenset(
    {
        *('emergency_stop', 'execute_task', 'cancel_task', 'kitchen/reset'),
        *('recorder/start_recording', 'recorder/stop_recording', 'recorder/discard_episode'),
    }
)


def health(**parts):
    """Return reports of just now: sentence, or sentence and values."""
    names = {'policy': POLICY, 'task': TASK, 'recorder': RECORDER, 'arm': ARM}
    board = Health()
    for part, said in parts.items():
        sentence, values = said if isinstance(said, tuple) else (said, {})
        level = 2 if 'lost' in sentence or 'latched' in sentence else 0
        board.update(names[part], Report(level, sentence, values, NOW_S - 0.5))
    return board


def situation(control=True, offered=OFFERED, stopped=False, working=False, **parts):
    return Situation(control, offered, stopped, working, health(**parts), NOW_S)


def story(feeds=None, stopped=False, instruction='', verdict=None, **parts):
    if feeds is None:
        feeds = Feeds()
        feeds.joints.take(np.zeros(6), NOW_S - 0.01)
    return tell(feeds, health(**parts), stopped, instruction, verdict, NOW_S)


def test_without_an_arm_the_page_waits():
    assert story(Feeds()).headline == 'Waiting for the arm'


def test_an_arm_that_falls_silent_is_said_in_red():
    feeds = Feeds()
    feeds.joints.take(np.zeros(6), NOW_S - 2.0)
    told = story(feeds)
    assert (told.headline, told.tone) == ('The arm has fallen silent', Tone.BAD)


def test_the_emergency_stop_comes_before_all_else():
    told = story(stopped=True, policy=('ready', {'busy': 'True'}))
    assert 'Stopped' in told.headline
    assert told.tone is Tone.BAD


def test_a_stopped_arm_that_has_fallen_silent_is_not_said_to_hold_still():
    feeds = Feeds()
    feeds.joints.take(np.zeros(6), NOW_S - 2.0)
    told = story(feeds, stopped=True, arm='bus lost, trying again: timeout')
    assert 'holds still' not in told.headline and 'fallen silent' in told.headline
    assert 'fallen silent' in story(feeds, stopped=True).headline
    assert 'holds still' in story(stopped=True).headline


def test_an_arm_that_stopped_by_itself_says_why():
    told = story(stopped=True, arm='emergency stop is latched: elbow_flex 71 C')
    assert told.headline == 'Stopped by itself: elbow_flex 71 C'
    told = story(stopped=True, arm='emergency stop is latched: pressed before')
    assert told.headline == 'Stopped. The arm holds still'


def test_whether_the_arm_speaks_is_known_without_its_joints_too():
    nobody = Feeds()
    assert arm_speaks(nobody, Health(), NOW_S)  # nothing is known against it
    assert arm_speaks(nobody, health(arm='holding: no command in force'), NOW_S)
    assert arm_speaks(nobody, health(arm='emergency stop is latched: pressed'), NOW_S)
    assert not arm_speaks(nobody, health(arm='bus lost, trying again'), NOW_S)
    assert not arm_speaks(nobody, health(arm='holding'), NOW_S + 10.0)
    simulated = Health()
    simulated.update(SIMULATED_ARM, Report(2, 'lost', {}, NOW_S))
    assert not arm_speaks(nobody, simulated, NOW_S)


def test_it_is_said_whether_a_real_arm_moves():
    board = Health()

    def said(name, device='', hardware='', age_s=0.0):
        board.update(name, Report(0, 'holding', {'device': device}, NOW_S - age_s, hardware))
        return board.kind_of_arm(NOW_S)

    assert board.kind_of_arm(NOW_S) == ''
    assert said(ARM, '/dev/pts/5', '/tmp/run/follower') == 'Simulated arm'
    board.update(PHYSICS, Report(0, 'real-time factor 1.00', {}, NOW_S - 1.0))
    assert said(ARM, '/dev/ttyACM0', '/dev/follower') == 'Real arm at /dev/follower'
    assert said(SIMULATED_ARM, hardware='isaac_joint_states') == 'Arm in a simulator'
    assert said(ARM, '/dev/ttyACM0', '/dev/follower') == 'Real arm at /dev/follower'
    assert said(ARM, '', '/dev/follower') == '', 'its port is not there yet'
    assert said(ARM, '/dev/pts/5', age_s=10.0) == '', 'that is no news'
    said(ARM, '/dev/pts/5')
    assert tell(Feeds(), board, False, '', None, NOW_S).arm == 'Simulated arm'


def test_impossible_joint_angles_are_said_and_the_last_good_ones_stay():
    feeds = Feeds()
    feeds.joints.take(np.ones(6), NOW_S - 0.1)
    feeds.joints.refuse('impossible joint angles (not a number)')
    assert 'not a number' in story(feeds).headline
    assert np.all(feeds.joints.value == 1.0)
    feeds.joints.take(np.zeros(6), NOW_S)
    assert 'not a number' not in story(feeds).headline


def test_a_running_task_tells_its_phase_in_words():
    feeds = Feeds()
    feeds.joints.take(np.zeros(6), NOW_S)
    feeds.progress.take(Progress('bread_slice_1: lifting', 7.4), NOW_S - 0.2)
    told = story(feeds, instruction=BREAD, verdict=Verdict(False, 'it lies elsewhere'))
    assert told.headline == 'Bread slice 1: lifting · 7 s'
    assert told.working
    assert told.judged == ''  # while it works, nothing is there yet


def test_the_judge_is_heard_when_the_arm_rests():
    done = story(instruction=BREAD, verdict=Verdict(True, 'achieved'), policy='ready')
    assert (done.headline, done.tone) == ('Done', Tone.GOOD)
    failed = story(
        instruction=BREAD, verdict=Verdict(False, 'bread_slice_1 is tilted; and more'),
        policy='ready',
    )  # fmt: skip
    assert failed.judged == 'Not there yet. Bread slice 1 is tilted'
    assert failed.headline == 'Ready for a task'


def test_a_servo_that_suffers_is_named():
    feeds = Feeds()
    feeds.joints.take(np.zeros(6), NOW_S)
    hot = Servos(np.full(6, 70.0), np.full(6, 7.0), np.zeros(6), ('elbow_flex is hot',))
    feeds.servos.take(hot, NOW_S)
    assert story(feeds).careful == 'Elbow flex is hot'


def test_a_policy_that_has_fallen_silent_is_not_ready():
    board = Health()
    board.update(POLICY, Report(0, 'ready', {}, NOW_S - 10.0))
    assert board.of(POLICY, NOW_S) is None
    assert why_not(Deed.START, Situation(True, OFFERED, False, False, board, NOW_S))


def test_who_only_watches_may_stop_the_arm_and_nothing_else():
    watching = situation(control=False, policy='ready', stopped=True)
    assert why_not(Deed.STOP, watching) == ''
    for deed in set(Deed) - {Deed.STOP}:
        assert why_not(deed, watching) == READ_ONLY


@pytest.mark.parametrize('deed', Deed)
def test_what_nobody_offers_says_so(deed):
    assert why_not(deed, situation(offered=frozenset(), policy='ready'))


def test_a_task_can_be_given_when_the_policy_is_ready():
    assert why_not(Deed.START, situation(policy='ready')) == ''
    assert 'loading' in why_not(Deed.START, situation(policy='loading weights'))
    assert 'is running' in why_not(Deed.START, situation(policy='ready', working=True))
    assert 'move again' in why_not(Deed.START, situation(policy='ready', stopped=True))
    assert 'instruction:=none' in why_not(Deed.START, situation(policy='ready', task='waiting'))


def test_a_kitchen_is_not_laid_while_the_arm_works_in_it():
    assert why_not(Deed.RESET, situation()) == ''
    assert why_not(Deed.RESET, situation(working=True))


def test_recording_is_begun_when_none_runs_and_ended_when_one_does():
    idle, running = (situation(recorder=('', {'state': s})) for s in ('idle', 'recording'))
    assert why_not(Deed.RECORD, idle) == ''
    assert why_not(Deed.SAVE, idle) and why_not(Deed.DISCARD, idle)
    assert why_not(Deed.RECORD, running)
    assert why_not(Deed.SAVE, running) == '' and why_not(Deed.DISCARD, running) == ''


def test_the_stop_is_released_only_when_it_is_latched():
    assert why_not(Deed.RELEASE, situation(stopped=False))
    assert why_not(Deed.RELEASE, situation(stopped=None))
    assert why_not(Deed.RELEASE, situation(stopped=True)) == ''


def test_a_feed_knows_how_old_its_value_is_and_how_often_it_comes():
    feed = Feed()
    assert math.isinf(feed.age_s(NOW_S))
    for index in range(60):
        feed.take(index, NOW_S + index * 0.1, delay_s=0.05)
    now_s = NOW_S + 6.0
    assert feed.age_s(now_s) == pytest.approx(0.15)
    assert feed.rate_hz == pytest.approx(10.0, rel=0.01)
    assert feed.fresh(now_s, 0.2) == 59
    assert feed.fresh(now_s + 1.0, 0.2) is None


def test_a_stamp_of_another_clock_makes_nothing_old():
    feed = Feed()
    for delay_s in (-5.0, 1.7e9, math.nan):
        feed.take(1, NOW_S, delay_s)
        assert feed.age_s(NOW_S) == 0.0


def test_a_history_keeps_the_last_rows_and_gaps_are_gaps():
    history = History(columns=2, rows=3)
    times, rows = history.before(NOW_S)
    assert len(times) == 1 and np.isnan(rows).all()
    for index in range(5):
        history.add(NOW_S + index, np.array([index, np.nan]))
    times, rows = history.before(NOW_S + 4)
    assert times.tolist() == [-2.0, -1.0, 0.0]
    assert rows[:, 0].tolist() == [2.0, 3.0, 4.0]
    assert np.isnan(rows[:, 1]).all()


def test_an_arm_that_is_moved_by_hand_says_so():
    board = health()
    board.update(TELEOP, Report(0, 'following', {}, NOW_S))
    feeds = Feeds()
    feeds.joints.take(np.zeros(6), NOW_S)
    assert tell(feeds, board, False, '', None, NOW_S).headline == 'Moved by hand: following'


def test_of_a_refusal_the_reason_is_shown_and_not_the_list_that_follows():
    assert first_words('it is hot') == 'it is hot'
    assert first_words('unknown word: dance. Understood are:\n  bread\n  cheese') == (
        'unknown word: dance'
    )
    assert len(first_words('word ' * 1000)) <= LONGEST_ANSWER


def test_the_offered_tasks_are_those_of_the_expert():
    language = pytest.importorskip('chefmate_sim.expert.language')
    assert tuple(KNOWN_TASKS) == language.KNOWN_INSTRUCTIONS


def test_a_token_comes_from_a_file_or_the_environment_and_an_empty_file_is_refused(
    tmp_path, monkeypatch
):
    monkeypatch.delenv(TOKEN_VARIABLE, raising=False)
    assert read_token('') is None
    monkeypatch.setenv(TOKEN_VARIABLE, 'of-the-environment')
    assert read_token('') == 'of-the-environment'
    file = tmp_path / 'token'
    file.write_text('of-the-file\n')
    assert read_token(str(file)) == 'of-the-file'
    file.write_text('\n')
    with pytest.raises(ConfigurationError, match='is empty'):
        read_token(str(file))
    with pytest.raises(ConfigurationError, match='no-such-file'):
        read_token(str(tmp_path / 'no-such-file'))


def test_the_command_line_becomes_launch_arguments():
    parser = Parser()
    view.add_parser(parser.add_subparsers(parser_class=Parser))
    args = parser.parse_args(
        ['view', '--control', '--port', '9000', '--token', 'FILE', 'view_host:=0.0.0.0']
    )
    assert view.launch_arguments(args) == {
        'control': 'true', 'view_port': '9000', 'view_token_file': 'FILE',
        'view_host': '0.0.0.0',
    }  # fmt: skip


def test_the_range_of_a_plot_fits_and_seldom_changes():
    plots = pytest.importorskip('chefmate.viewer.panels.plots')
    shown = (0.0, 10.0)
    assert plots.fitting_range(shown, np.full(9, math.nan)) == shown
    assert plots.fitting_range(shown, np.array([math.nan, 3.0])) == shown
    assert plots.fitting_range(shown, np.array([math.nan, 3.0, 41.0])) == (0.0, 50.0)
    assert plots.fitting_range(shown, np.array([-1.0])) == (-10.0, 0.0)
    assert plots.fitting_range((0.0, 30.0), np.array([3.0])) == (0.0, 30.0)
    assert plots.fitting_range((0.0, 90.0), np.array([3.0])) == shown
    assert plots.fitting_range(shown, np.array([0.0, 0.0])) == shown


def test_a_page_that_needs_a_token_is_not_told_as_one_that_can_be_opened():
    page = {'address': 'http://robot:8080/', 'control': 'True', 'needs_token': 'False'}
    assert view.served(page) == 'http://robot:8080/ (control)'
    assert '?token=' in view.served(page | {'needs_token': 'True'})
