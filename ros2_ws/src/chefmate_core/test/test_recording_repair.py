"""What a kill, a full disk or a cut leaves, and what repair makes of it."""

import json
import os
import random
import resource
import shutil
import signal
import struct
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import recording_rig as rig
from rosbags.highlevel import AnyReader

from chefmate_core.recording.damage import damage_of
from chefmate_core.recording.errors import SessionError
from chefmate_core.recording.repair import repair_session
from chefmate_core.recording.salvage import salvage
from chefmate_core.recording.session import (
    SessionFolder,
    discarded_name,
    episode_name,
    open_name,
)

BAG = 'episode_000001_0.mcap'
ENDLESS = textwrap.dedent("""
    import itertools, pathlib, sys, time
    import recording_rig as rig
    recorder = rig.make_recorder(pathlib.Path(sys.argv[1]))
    messages = list(rig.episode_messages(2.0))
    rig.record(recorder, messages)
    for each in messages:
        recorder.add(each)
    recorder.start(rig.START_NS)
    for each in messages:
        recorder.add(each)
    path = recorder.session.open_episode(1) / 'episode_000001_0.mcap'
    rig.until(lambda: path.stat().st_size > sum(len(each.data) for each in messages))
    print('killing', flush=True)
    for each in itertools.cycle(messages):
        recorder.add(each)
        time.sleep(0.0005)
""")


def contents(folder):
    with AnyReader([folder]) as reader:
        return [
            (connection.topic, time_ns, bytes(data))
            for connection, time_ns, data in reader.messages()
        ]


@pytest.fixture
def killed(tmp_path):
    """A session whose recorder was killed (-9) in the middle of its second episode."""
    session = tmp_path / 'session'
    path = f'{Path(__file__).parent}:{os.environ.get("PYTHONPATH", "")}'
    process = subprocess.Popen(
        [sys.executable, '-c', ENDLESS, str(session)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, 'PYTHONPATH': path},
    )
    assert process.stdout.readline().strip() == 'killing'
    process.send_signal(signal.SIGKILL)
    process.wait()
    return session


def test_after_a_kill_the_finished_episode_is_whole_and_the_open_one_becomes_a_bag(killed):
    before = contents(killed / episode_name(0))
    report = repair_session(killed)
    assert report.finished == [0]
    assert list(report.repaired) == [1]
    assert contents(killed / episode_name(0)) == before
    repaired = contents(killed / episode_name(1))
    assert len(repaired) == report.repaired[1]
    # All that had been flushed before the kill is there, byte for byte.
    given = [('/' + m.name, m.log_ns, m.data) for m in rig.episode_messages(2.0)]
    assert set(given) <= set(repaired)
    record = json.loads((killed / 'episode_000001.json').read_text())
    assert record['instruction'] == 'pick up the cheese'
    assert record['outcome'] == 'saved'
    assert any('repaired' in text for text in record['report']['findings'])
    assert not list(killed.glob('.open*'))


def test_after_a_kill_the_open_episode_can_be_discarded_cleanly(killed):
    report = repair_session(killed, discard=True)
    assert list(report.discarded) == [1]
    assert not list(killed.glob('.open*'))
    assert not (killed / episode_name(1)).exists()
    assert contents(killed / episode_name(0))


def test_repair_can_be_repeated_and_then_has_nothing_to_do(killed):
    repair_session(killed)
    report = repair_session(killed)
    assert (report.finished, report.repaired, report.discarded) == ([0, 1], {}, {})


def test_a_recorder_that_still_runs_is_not_repaired(tmp_path):
    recorder = rig.make_recorder(tmp_path)
    rig.record(recorder, rig.episode_messages(0.3))
    with pytest.raises(SessionError, match='another recorder'):
        repair_session(tmp_path)
    recorder.close()


def test_a_folder_that_is_no_session_is_refused(tmp_path):
    with pytest.raises(SessionError, match='no session'):
        repair_session(tmp_path)


@pytest.fixture(scope='module')
def cut_apart(tmp_path_factory):
    """A session with one whole episode, and the bytes and messages of its bag."""
    session = tmp_path_factory.mktemp('whole') / 'session'
    recorder = rig.make_recorder(session)
    rig.record(recorder, rig.episode_messages(1.0))
    recorder.close()
    path = session / episode_name(0) / 'episode_000000_0.mcap'
    return session, path.read_bytes(), contents(session / episode_name(0))


@pytest.mark.parametrize('share', [0.02, 0.1, 0.35, 0.5, 0.77, 0.9, 0.99, 0.9999])
def test_a_bag_that_was_cut_anywhere_yields_a_true_beginning(cut_apart, tmp_path, share):
    session, data, whole = cut_apart
    copy = tmp_path / 'session'
    shutil.copytree(session, copy)
    left = copy / open_name(1)
    left.mkdir()
    (left / BAG).write_bytes(data[: round(len(data) * share)])
    report = repair_session(copy)
    if 1 in report.discarded:
        assert share < 0.1
        return
    found = contents(copy / episode_name(1))
    assert 0 < len(found) <= len(whole)
    assert set(found) <= set(whole)
    # A chunk more or less: what was written first is what is there.
    assert len(found) >= len(whole) * (share - 0.1) - 1


def damaged(cut_apart, tmp_path, damage):
    copy = tmp_path / 'session'
    shutil.copytree(cut_apart[0], copy)
    damage(copy / episode_name(0))
    return copy


def cut_off(folder):
    path = folder / 'episode_000000_0.mcap'
    path.write_bytes(path.read_bytes()[:-5000])


def scribbled_over_the_end(folder):
    path = folder / 'episode_000000_0.mcap'
    path.write_bytes(path.read_bytes()[:-5000] + bytes(range(250)) * 20)


@pytest.mark.parametrize('damage', [cut_off, scribbled_over_the_end])
def test_a_finished_episode_that_lost_its_end_is_written_anew_and_nothing_is_thrown_away(
    cut_apart, tmp_path, damage
):
    session = damaged(cut_apart, tmp_path, damage)
    path = session / episode_name(0) / 'episode_000000_0.mcap'
    before = path.read_bytes()
    report = repair_session(session)
    assert report.finished == [] and list(report.repaired) == [0]
    found, whole = contents(session / episode_name(0)), cut_apart[2]
    assert set(found) <= set(whole)
    assert len(found) > 0.9 * len(whole)
    assert path.with_name(path.name + '.damaged').read_bytes() == before
    record = json.loads((session / 'episode_000000.json').read_text())
    assert record['instruction'] == 'pick up the cheese'
    assert any('repaired' in text for text in record['report']['findings'])
    assert repair_session(session).finished == [0]


def test_a_lost_record_or_description_is_written_anew_from_the_bag(cut_apart, tmp_path):
    session = damaged(
        cut_apart, tmp_path, lambda folder: folder.with_name(f'{folder.name}.json').unlink()
    )
    (session / episode_name(0) / 'metadata.yaml').unlink()
    repair_session(session)
    assert contents(session / episode_name(0)) == cut_apart[2]
    record = json.loads((session / 'episode_000000.json').read_text())
    assert record['instruction'] == 'pick up the cheese'


def test_discarding_what_was_left_open_leaves_a_damaged_episode_alone(cut_apart, tmp_path):
    session = damaged(cut_apart, tmp_path, cut_off)
    assert repair_session(session, discard=True).discarded == {}
    assert (session / episode_name(0)).is_dir()


@pytest.mark.parametrize('size', [0, 1000, 100_000])
def test_a_finished_episode_of_which_nothing_can_be_read_is_set_aside_and_never_removed(
    cut_apart, tmp_path, size
):
    session = damaged(
        cut_apart,
        tmp_path,
        lambda folder: (folder / 'episode_000000_0.mcap').write_bytes(bytes(size)),
    )
    record = (session / 'episode_000000.json').read_text()
    assert list(repair_session(session).set_aside) == [0]
    repair_session(session, discard=True)
    aside = session / '.damaged_episode_000000'
    assert (aside / 'episode_000000_0.mcap').stat().st_size == size
    assert (aside / 'episode.json').read_text() == record
    assert not list(session.glob('episode*'))
    folder = SessionFolder(session)
    assert folder.next_index == 1
    folder.close()


def flip_a_bit(path, place):
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def test_one_wrong_bit_at_the_start_of_a_finished_bag_costs_nothing(cut_apart, tmp_path):
    session = damaged(
        cut_apart, tmp_path, lambda folder: flip_a_bit(folder / 'episode_000000_0.mcap', 1)
    )
    report = repair_session(session)
    assert report.repaired == {0: len(cut_apart[2])}
    assert contents(session / episode_name(0)) == cut_apart[2]


def test_an_index_with_a_wrong_byte_anywhere_counts_as_damage(cut_apart, tmp_path):
    session = damaged(cut_apart, tmp_path, lambda folder: None)
    path = session / episode_name(0) / 'episode_000000_0.mcap'
    data = path.read_bytes()
    (summary_start,) = struct.unpack_from('<Q', data, len(data) - 28)  # the footer's first field
    assert damage_of(session, 0) == ''
    for place in range(summary_start, len(data), 7):
        flip_a_bit(path, place)
        assert damage_of(session, 0) != '', place
        path.write_bytes(data)


def test_a_repair_that_was_cut_off_between_the_two_bags_is_taken_up_again(cut_apart, tmp_path):
    def interrupted(folder):
        path = folder / 'episode_000000_0.mcap'
        path.rename(path.with_name(path.name + '.damaged'))

    session = damaged(cut_apart, tmp_path, interrupted)
    assert list(repair_session(session).repaired) == [0]
    assert contents(session / episode_name(0)) == cut_apart[2]


@pytest.fixture
def left_open(cut_apart, tmp_path):
    """A session with two open episodes, 1 and 2, of the same messages."""
    session = tmp_path / 'session'
    shutil.copytree(cut_apart[0], session)
    for index in (1, 2):
        (session / open_name(index)).mkdir()
        (session / open_name(index) / f'episode_00000{index}_0.mcap').write_bytes(cut_apart[1])
    return session


@pytest.mark.parametrize('started', [None, 'yesterday', [], float('inf')])
def test_an_open_episode_whose_start_is_no_time_starts_with_its_first_message(left_open, started):
    known = {'instruction': 'pick up the bread', 'started': started}
    (left_open / open_name(1) / 'episode.json').write_text(json.dumps(known))
    assert list(repair_session(left_open).repaired) == [1, 2]
    record = json.loads((left_open / 'episode_000001.json').read_text())
    assert record['instruction'] == 'pick up the bread'
    assert record['started'] > 0.0


def test_a_wrong_byte_in_a_message_definition_costs_no_message(left_open):
    path = left_open / open_name(1) / BAG
    data = path.read_bytes()
    place = data.index(b'This is a message that holds data')
    path.write_bytes(data[:place] + b'\xff' + data[place + 1 :])
    report = repair_session(left_open)
    assert report.repaired[1] == report.repaired[2]


def test_random_damage_to_one_open_episode_stops_no_other(left_open, tmp_path):
    generator = random.Random(5)
    data = (left_open / open_name(1) / BAG).read_bytes()
    for number in range(25):
        session = shutil.copytree(left_open, tmp_path / f'{number}')
        wrong = bytearray(data)
        for _ in range(generator.choice([1, 3, 30])):
            wrong[generator.randrange(generator.choice([3000, len(wrong)]))] = generator.randrange(
                256
            )
        (session / open_name(1) / BAG).write_bytes(wrong)
        report = repair_session(session)
        assert 2 in report.repaired
        assert 1 in report.repaired or 1 in report.kept


@pytest.mark.parametrize('fps', [None, 0, 'thirty'])
def test_a_session_without_a_rate_is_refused_before_anything_is_touched(left_open, fps):
    path = left_open / 'session.json'
    path.write_text(json.dumps(json.loads(path.read_text()) | {'fps': fps}))
    with pytest.raises(SessionError, match='fps'):
        repair_session(left_open)
    assert sorted(entry.name for entry in left_open.glob('.open*')) == [open_name(1), open_name(2)]


def test_an_open_episode_without_a_message_is_removed(cut_apart, tmp_path):
    session, _, _ = cut_apart
    copy = tmp_path / 'session'
    shutil.copytree(session, copy)
    (copy / open_name(3)).mkdir()
    (copy / open_name(3) / 'episode_000003_0.mcap').write_bytes(b'')
    (copy / open_name(4)).mkdir()
    report = repair_session(copy)
    assert sorted(report.discarded) == [3, 4]
    assert report.repaired == {}
    assert 'no message' in '\n'.join(report.lines())


def test_rubbish_in_the_place_of_a_bag_yields_nothing(tmp_path):
    path = tmp_path / 'rubbish.mcap'
    for content in (b'', b'rubbish', b'\x89MCAP0\r\n', b'\x89MCAP0\r\n' + bytes(range(256)) * 9):
        path.write_bytes(content)
        assert list(salvage(path)) == []


def test_a_full_disk_fails_the_episode_loudly_and_what_was_written_is_repaired(tmp_path):
    session = tmp_path / 'session'
    recorder = rig.make_recorder(session)
    rig.record(recorder, rig.episode_messages(0.3))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    messages = list(rig.episode_messages(20.0))
    for each in messages[:12]:
        recorder.add(each)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, before[1]))  # writes fail beyond it
    try:
        recorder.start(rig.START_NS)
        for each in messages:
            recorder.add(each)
        recorder.finish()
        assert recorder.wait(60.0)
    except OSError:
        assert recorder.wait(60.0)  # it had ended before we asked
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert 'episode 1 FAILED' in recorder.last.failure
    assert 'cannot be written' in recorder.last.failure
    assert recorder.session.finished() == [0]
    assert rig.record(recorder, messages[:200]) == 2  # the next one is well again
    recorder.close()
    report = repair_session(session)
    assert report.finished == [0, 2]
    found = contents(session / episode_name(1))
    assert len(found) > 100
    given = {('/' + each.name, each.log_ns, each.data) for each in messages}
    assert {entry for entry in found if entry[0] != '/policy/instruction'} <= given


def test_a_bag_under_another_name_is_kept_and_said_so(killed):
    left = killed / open_name(1)
    (left / BAG).rename(left / 'another.mcap')
    report = repair_session(killed)
    assert report.repaired == {} and report.discarded == {}
    assert 'left as it is' in '\n'.join(report.lines())
    assert (left / 'another.mcap').exists()
    assert 1 in repair_session(killed, discard=True).discarded
    assert not left.exists()


def test_an_episode_whose_discarding_was_cut_off_does_not_come_back(killed):
    (killed / open_name(1)).rename(killed / discarded_name(1))
    report = repair_session(killed)
    assert report.repaired == {}
    assert not (killed / discarded_name(1)).exists()


def test_a_finished_episode_and_its_record_are_never_replaced(killed):
    record = (killed / f'{episode_name(0)}.json').read_text()
    session = SessionFolder(killed)
    try:
        with pytest.raises(SessionError, match='exists already'):
            session.save(0, {'index': 0})
    finally:
        session.close()
    assert (killed / f'{episode_name(0)}.json').read_text() == record
