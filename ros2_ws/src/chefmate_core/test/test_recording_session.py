import json
import re
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import recording_rig as rig

from chefmate_core.errors import ConfigurationError
from chefmate_core.recording import recorder as recorder_module
from chefmate_core.recording.errors import RecordingError, SessionError
from chefmate_core.recording.message_queue import Message, MessageQueue
from chefmate_core.recording.recorder_config import RecorderConfig, State
from chefmate_core.recording.schedule import Schedule, ScheduleConfig, Step
from chefmate_core.recording.session import SessionFolder
from chefmate_core.recording.session_info import SessionInfo

CALIBRATION = Path(__file__).resolve().parents[4] / 'calibration'


@pytest.fixture
def recorder(tmp_path):
    made = []

    def make(**settings):
        made.append(rig.make_recorder(tmp_path / 'session', **settings))
        return made[-1]

    yield make
    for each in made:
        each.close()


def names(session):
    return sorted(path.name for path in session.iterdir() if path.name != '.lock')


def again(recorder, make, **settings):
    recorder.close()
    return make(**settings)


def test_a_session_is_continued_with_the_next_index(recorder, tmp_path):
    first = recorder()
    assert [rig.record(first, rig.episode_messages(0.3)) for _ in range(2)] == [0, 1]
    second = again(first, recorder)
    assert rig.record(second, rig.episode_messages(0.3)) == 2
    assert second.session.finished() == [0, 1, 2]


def test_an_index_that_a_crash_left_open_is_not_given_again(recorder, tmp_path):
    (tmp_path / 'session' / '.open_episode_000004').mkdir(parents=True)
    assert rig.record(recorder(), rig.episode_messages(0.3)) == 5
    assert (tmp_path / 'session' / '.open_episode_000004').is_dir()


def test_overwriting_happens_only_when_asked_and_takes_all(recorder, tmp_path):
    first = recorder()
    rig.record(first, rig.episode_messages(0.3))
    rig.record(first, rig.episode_messages(0.3))
    second = again(first, recorder, overwrite=True)
    assert second.session.next_index == 0
    assert rig.record(second, rig.episode_messages(0.3)) == 0
    assert names(tmp_path / 'session') == ['episode_000000', 'episode_000000.json', 'session.json']


def test_a_recorder_that_never_begins_an_episode_overwrites_nothing(recorder, tmp_path):
    first = recorder()
    rig.record(first, rig.episode_messages(0.3))
    before = names(tmp_path / 'session')
    second = again(first, recorder, overwrite=True)
    with pytest.raises(RecordingError):
        second.start(rig.START_NS)  # every topic is silent
    second.close()
    assert names(tmp_path / 'session') == before


def test_a_folder_of_something_else_is_refused_and_left_alone(recorder, tmp_path):
    (tmp_path / 'session').mkdir()
    (tmp_path / 'session' / 'thesis.txt').write_text('mine')
    for overwrite in (False, True):
        with pytest.raises(SessionError, match=r'thesis\.txt'):
            recorder(overwrite=overwrite)
    assert names(tmp_path / 'session') == ['thesis.txt']


def test_two_recorders_cannot_write_to_one_session(recorder, tmp_path):
    recorder()
    with pytest.raises(SessionError, match='another recorder'):
        SessionFolder(tmp_path / 'session')


def test_a_session_of_other_cameras_or_rates_is_refused(recorder):
    first = recorder()
    rig.record(first, rig.episode_messages(0.3))
    second = again(first, recorder, fps=15)
    with pytest.raises(SessionError, match='fps 30, now it is 15'):
        rig.record(second, rig.episode_messages(0.3))


def test_a_discarded_episode_leaves_nothing_and_its_index_is_free(recorder, tmp_path):
    made = recorder()
    messages = list(rig.episode_messages(0.3))
    for each in messages:
        made.add(each)
    assert made.start(rig.START_NS) == 0
    for each in messages:
        made.add(each)
    assert made.discard() == 0
    assert made.wait(30.0)
    assert names(tmp_path / 'session') == ['session.json']
    assert rig.record(made, messages) == 0


def test_the_episode_saved_last_can_still_be_discarded(recorder, tmp_path):
    made = recorder()
    rig.record(made, rig.episode_messages(0.3))
    rig.record(made, rig.episode_messages(0.3))
    assert made.discard() == 1
    assert made.session.finished() == [0]
    assert rig.record(made, rig.episode_messages(0.3)) == 1


def test_episodes_of_an_earlier_run_cannot_be_discarded(recorder):
    first = recorder()
    rig.record(first, rig.episode_messages(0.3))
    second = again(first, recorder)
    with pytest.raises(RecordingError, match='none was saved by this recorder'):
        second.discard()
    assert second.session.finished() == [0]


def test_no_episode_begins_while_a_camera_is_silent(recorder):
    made = recorder()
    for each in rig.episode_messages(0.3):
        if 'wrist' not in each.name:
            made.add(each)
    with pytest.raises(RecordingError, match='no message on wrist/image_raw/compressed'):
        made.start(rig.START_NS)


def test_no_episode_begins_without_an_instruction(recorder):
    made = recorder()
    made.instruction = ' '
    with pytest.raises(RecordingError, match='no instruction is in force'):
        rig.record(made, rig.episode_messages(0.3))


def test_no_episode_begins_on_a_disk_that_is_nearly_full(recorder):
    with pytest.raises(RecordingError, match='MB must stay'):
        rig.record(recorder(stop_free_mb=1e12), rig.episode_messages(0.3))


def test_nothing_can_be_stopped_that_was_not_started(recorder):
    with pytest.raises(RecordingError, match='no episode is open'):
        recorder().finish()


def test_a_disk_that_fills_up_ends_the_episode_and_saves_it(recorder, tmp_path):
    made = recorder()
    messages = list(rig.episode_messages(0.3))
    for each in messages:
        made.add(each)
    made.start(rig.START_NS)
    object.__setattr__(made.config, 'stop_free_mb', 1e12)  # as if the disk had filled up
    for each in messages:
        made.add(each)
    rig.until(lambda: made.state is State.IDLE)
    record = json.loads((tmp_path / 'session/episode_000000.json').read_text())
    assert any('the disk is nearly full' in text for text in record['report']['findings'])
    assert record['report']['topics']['follower/joint_states']['messages'] == 30


def stalled(recorder, **settings):
    """A recorder whose wrist camera has been pulled in the middle of an episode."""
    made = recorder(stall_timeout_s=0.3, **settings)
    messages = list(rig.episode_messages(0.3))
    for each in messages:
        made.add(each)
    made.start(rig.START_NS)
    said = []

    def one_more():
        for each in messages[:12]:
            if 'wrist' not in each.name:
                made.add(each)
        said.append(made.watch())
        return any(said)

    rig.until(one_more)
    return made, ''.join(said)


def test_a_pulled_camera_ends_the_episode_and_is_named(recorder, tmp_path):
    made, said = stalled(recorder)
    assert 'wrist/image_raw/compressed fell silent' in said
    assert made.wait(30.0)
    record = json.loads((tmp_path / 'session/episode_000000.json').read_text())
    assert any('fell silent' in text for text in record['report']['findings'])
    assert 'fell silent' in record['ended_by']


def test_a_pulled_camera_is_named_and_the_episode_goes_on_if_so_wanted(recorder, tmp_path):
    made, said = stalled(recorder, on_stall='continue')
    assert 'fell silent' in said
    assert made.state is State.RECORDING
    assert made.watch() == ''  # said once
    made.finish()
    assert made.wait(30.0)
    record = json.loads((tmp_path / 'session/episode_000000.json').read_text())
    assert any('fell silent' in text for text in record['report']['findings'])


@pytest.fixture
def machine(monkeypatch):
    """The steady clock of the recorder, which stands until it is moved."""

    class Machine:
        now_s = 1000.0

        def runs(self, made, seconds, messages=()):
            """Let time pass in a machine that runs: the recorder hears and watches."""
            said = []
            for _ in range(round(seconds / 0.05)):
                self.now_s += 0.05
                for each in messages:
                    made.add(each)
                said.append(made.watch())
            return ''.join(said)

    machine = Machine()
    clock = SimpleNamespace(monotonic=lambda: machine.now_s, time_ns=time.time_ns)
    monkeypatch.setattr(recorder_module, 'time', clock)
    return machine


@pytest.mark.parametrize('asleep_s', [0.6, 1.2, 30.0])
def test_a_recorder_that_was_held_up_itself_blames_no_camera(recorder, machine, asleep_s):
    made = recorder(stall_timeout_s=1.0)
    messages = list(rig.episode_messages(0.3))
    machine.runs(made, 0.1, messages)
    made.start(rig.START_NS)
    assert machine.runs(made, 0.3) == ''  # a camera stumbles
    machine.now_s += asleep_s  # the whole machine stands
    assert machine.runs(made, 0.3) == ''  # and each camera needs a moment to come back
    assert machine.runs(made, 2.0, messages) == ''
    assert made.state is State.RECORDING


def test_a_camera_that_stays_silent_after_the_machine_stood_is_named(recorder, machine):
    made = recorder(stall_timeout_s=1.0)
    messages = list(rig.episode_messages(0.3))
    machine.runs(made, 0.1, messages)
    made.start(rig.START_NS)
    machine.now_s += 5.0
    others = [each for each in messages if 'wrist' not in each.name]
    assert 'wrist/image_raw/compressed fell silent' in machine.runs(made, 1.5, others)
    assert made.wait(30.0)
    assert made.last.failure == ''


def test_a_disk_that_cannot_keep_up_fails_the_episode_and_says_what_was_lost(recorder, tmp_path):
    made = recorder(queue_mb=0.01)
    messages = list(rig.episode_messages(2.0))
    for each in messages:
        made.add(each)
    made.start(rig.START_NS)
    for each in messages:
        made.add(each)
    rig.until(lambda: made.state is State.IDLE)
    assert 'FAILED: the disk could not keep up' in made.last.failure
    assert re.search('messages were lost: 1 of (follower|wrist|scene)/', made.last.failure)
    assert made.session.finished() == []
    assert made.session.left_open() == [0]  # what came before is kept
    assert made.why_not() == ''  # the next one can begin


def test_the_queue_counts_what_does_not_fit():
    queue = MessageQueue(limit_bytes=10)
    fits = [queue.put(Message('topic', 0, 0, b'1234')) for _ in range(4)]
    assert fits == [True, True, False, False]
    assert queue.overflowed == {'topic': 2}
    messages, ended = queue.take(0.0)
    assert (len(messages), ended) == (2, False)
    queue.end()
    assert not queue.put(Message('topic', 0, 0, b''))
    assert queue.take(0.0) == ([], True)


def test_settings_that_make_no_sense_are_refused():
    with pytest.raises(ConfigurationError, match='end, continue'):
        RecorderConfig(on_stall='explode')
    with pytest.raises(ConfigurationError, match='queue_mb'):
        RecorderConfig(queue_mb=float('nan'))
    with pytest.raises(ConfigurationError, match='reset_time_s'):
        ScheduleConfig(reset_time_s=-1.0)


def test_the_schedule_runs_a_session_by_the_clock():
    schedule = Schedule(ScheduleConfig(2, episode_time_s=10.0, reset_time_s=5.0, autostart=True))
    assert schedule.due(100.0, recording=False, elapsed_s=0.0, saved=0) is Step.START
    schedule.started()
    assert schedule.due(109.0, recording=True, elapsed_s=9.0, saved=0) is Step.NOTHING
    assert schedule.due(110.0, recording=True, elapsed_s=10.0, saved=0) is Step.FINISH
    schedule.ended(110.0)
    assert schedule.reset_left_s(111.0) == pytest.approx(4.0)
    assert schedule.due(114.0, recording=False, elapsed_s=0.0, saved=1) is Step.NOTHING
    assert schedule.due(115.0, recording=False, elapsed_s=0.0, saved=1) is Step.START
    schedule.started()
    schedule.ended(130.0)
    assert schedule.due(999.0, recording=False, elapsed_s=0.0, saved=2) is Step.NOTHING
    assert schedule.complete(2)


def test_without_timers_nothing_happens_by_itself():
    schedule = Schedule(ScheduleConfig())
    assert schedule.due(100.0, recording=False, elapsed_s=0.0, saved=0) is Step.NOTHING
    schedule.ended(100.0)
    assert schedule.due(1e6, recording=True, elapsed_s=1e6, saved=0) is Step.NOTHING
    assert schedule.due(1e6, recording=False, elapsed_s=0.0, saved=99) is Step.NOTHING


def test_an_arm_that_was_calibrated_anew_is_named_by_the_joints_that_differ(tmp_path):
    calibration = json.loads((CALIBRATION / 'follower.json').read_text())
    other = {**calibration, 'elbow_flex': {**calibration['elbow_flex'], 'homing_offset': 7}}
    folder = SessionFolder(tmp_path / 'session')
    folder.describe(SessionInfo(fps=30, follower_calibration=calibration), {})
    with pytest.raises(SessionError) as refusal:
        folder.describe(SessionInfo(fps=30, follower_calibration=other), {})
    folder.close()
    assert 'elbow_flex' in str(refusal.value)
    assert 'shoulder_pan' not in str(refusal.value)
