"""`chefmate dataset`, as it is typed."""

import json

import pytest
from recordings import recording
from small_session import EpisodePlan, write_session

from chefmate.cli.main import main
from chefmate_core.dataset.convert import Options
from chefmate_core.dataset.layout import Format
from chefmate_core.dataset.reading import open_dataset
from chefmate_core.dataset.recorded import write_recording
from chefmate_core.dataset.rows import episode_table


@pytest.fixture
def data(tmp_path):
    made = recording(5, 6, 7, instructions=('pick up the bread', 'make a sandwich'))
    return write_recording(made, tmp_path / 'data', Format.LEROBOT_V30, options=Options(workers=1))


NOT_WRITING = ('info', 'check', 'push')


def dataset(task, *words):
    """Run a task; one that writes does so without processes of its own, which take a while."""
    one = [] if task in NOT_WRITING or '--workers' in words else ['--workers', '1']
    return main(['dataset', task, *[str(word) for word in words], *one])


@pytest.mark.parametrize('to', ['lerobot-v3', 'lerobot-v2.1', 'groot'])
def test_a_session_becomes_a_data_set_in_every_format(tmp_path, capsys, to):
    session = write_session(tmp_path / 'session', [EpisodePlan(), EpisodePlan(duration_s=1.0)])
    target = tmp_path / 'set'
    assert dataset('convert', session, target, '--to', to, '--units', 'degrees') == 0
    made = open_dataset(target)
    assert made.format == to
    assert made.robot_type == 'so101_follower'
    assert len(made.episodes) == 2
    assert made.video_keys == ('observation.images.wrist', 'observation.images.scene')
    assert '2 episodes' in capsys.readouterr().out
    for episode in made.episodes:
        table = episode_table(episode, made.features)
        assert table.num_rows == episode.length > 20


def test_between_formats_and_back_by_two_commands(tmp_path, data):
    assert dataset('convert', data, tmp_path / 'groot', '--to', 'groot') == 0
    assert dataset('convert', tmp_path / 'groot', tmp_path / 'v3', '--to', 'lerobot-v3') == 0
    file = 'data/chunk-000/file-000.parquet'
    assert (tmp_path / 'v3' / file).read_bytes() == (data / file).read_bytes()


def test_info_counts_what_is_there(data, capsys):
    assert dataset('info', data, '--json') == 0
    said = json.loads(capsys.readouterr().out)
    assert (said['episodes'], said['frames'], said['fps']) == (3, 18, 30)
    assert said['cameras']['observation.images.wrist'] == {
        'height': 48,
        'width': 64,
        'codec': 'h264',
    }
    assert said['instructions'] == {'pick up the bread': 2, 'make a sandwich': 1}


def test_every_operation_writes_what_was_asked_for(tmp_path, data):
    def lengths(name):
        return [episode.length for episode in open_dataset(tmp_path / name).episodes]

    assert dataset('delete', data, tmp_path / 'deleted', '--episodes', '0-1') == 0
    assert lengths('deleted') == [7]
    assert dataset('subset', data, tmp_path / 'some', '--episodes', '2,0') == 0
    assert lengths('some') == [7, 5]
    assert dataset('merge', data, tmp_path / 'some', tmp_path / 'both') == 0
    assert lengths('both') == [5, 6, 7, 7, 5]
    assert dataset('split', data, tmp_path / 'parts', 'train=2', 'val=1') == 0
    assert (lengths('parts/train'), lengths('parts/val')) == ([5, 6], [7])
    assert dataset('rename-camera', data, tmp_path / 'renamed', 'scene=front') == 0
    assert 'observation.images.front' in open_dataset(tmp_path / 'renamed').video_keys
    assert dataset('relabel', data, tmp_path / 'new', '--episodes', '1-2', '--task', 'cook') == 0
    assert open_dataset(tmp_path / 'new').tasks == ('pick up the bread', 'cook')


def test_nothing_is_overwritten_and_the_message_says_so(tmp_path, data, capsys):
    assert dataset('convert', data, data, '--to', 'groot') == 2
    assert 'not overwritten' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('words', 'message'),
    [
        (['delete', 'DATA', 'OUT', '--episodes', 'all'], 'expected numbers and ranges'),
        (['delete', 'DATA', 'OUT', '--episodes', '9'], 'there are 0 to 2'),
        (['rename-camera', 'DATA', 'OUT', 'wrist'], 'OLD=NEW'),
        (['split', 'DATA', 'OUT', 'train=most'], 'expected a number'),
        (['split', 'DATA', 'OUT', '../x=1'], 'name of a folder'),
        (['relabel', 'DATA', 'OUT'], '--text OLD NEW'),
        (['relabel', 'DATA', 'OUT', '--task', 'cook'], '--episodes'),
        (['convert', 'DATA', 'OUT', '--to', 'zarr'], 'lerobot-v3'),
        (['convert', 'DATA', 'OUT', '--to', 'groot', '--workers', '-1'], '--workers'),
        (['push', 'DATA', 'no-organisation'], 'ORGANISATION/NAME'),
    ],
)
def test_a_wrong_command_line_says_what_is_right(tmp_path, data, capsys, words, message):
    places = {'DATA': data, 'OUT': tmp_path / 'out'}
    assert dataset(*[places.get(word, word) for word in words]) == 2
    assert message in capsys.readouterr().err.replace('\n', ' ')
    assert not (tmp_path / 'out').exists()


def test_a_damaged_data_set_is_an_error_and_no_traceback(tmp_path, data, capsys):
    (data / 'meta/tasks.parquet').write_bytes(b'')
    assert dataset('convert', data, tmp_path / 'out', '--to', 'groot') == 1
    said = capsys.readouterr().err
    assert 'tasks.parquet' in said
    assert 'bug' not in said


def test_without_a_network_the_hub_is_named_and_nothing_is_lost(data, capsys, monkeypatch):
    pytest.importorskip('huggingface_hub')
    monkeypatch.setenv('HF_ENDPOINT', 'http://127.0.0.1:9')
    monkeypatch.setattr('huggingface_hub.constants.ENDPOINT', 'http://127.0.0.1:9')
    assert dataset('push', data, 'nobody/nothing') == 1
    assert 'the hub cannot be reached' in capsys.readouterr().err
    assert open_dataset(data).total_frames == 18


def test_check_finds_nothing_in_a_clean_session_and_says_what_is_wrong_with_another(
    tmp_path, data, capsys
):
    info = data / 'meta/info.json'
    info.write_text(info.read_text().replace('"total_frames": 18', '"total_frames": 19'))
    assert dataset('check', data, '--json') == 1
    findings = json.loads(capsys.readouterr().out)
    assert 'count-mismatch' in {finding['name'] for finding in findings}
    assert all(finding['repair'] for finding in findings)


def test_info_shows_a_recorded_session_and_edits_say_to_convert_it_first(tmp_path, capsys):
    session = write_session(tmp_path / 'session', [EpisodePlan(), EpisodePlan(duration_s=1.0)])
    (session / '.open_episode_000002').mkdir()
    assert dataset('info', session) == 0
    said = capsys.readouterr().out
    assert 'recorded session' in said
    assert 'pick up the bread (2 episodes)' in said
    assert dataset('info', session, '--json') == 0
    content = json.loads(capsys.readouterr().out)
    assert (content['episodes'], content['unfinished'], content['damaged']) == (2, 1, [])
    assert dataset('merge', session, session, tmp_path / 'both') == 1
    assert 'chefmate dataset convert' in capsys.readouterr().err.replace('\n', ' ')
    assert dataset('convert', session, tmp_path / 'set', '--to', 'groot') == 0
    assert '1 unfinished' in capsys.readouterr().out


@pytest.mark.parametrize('option', [('--fps', '10'), ('--units', 'degrees')])
def test_options_for_sessions_are_not_ignored_with_a_data_set(tmp_path, data, capsys, option):
    assert dataset('convert', data, tmp_path / 'out', '--to', 'lerobot-v3', *option) == 2
    assert 'sessions only' in capsys.readouterr().err.replace('\n', ' ')
    assert not (tmp_path / 'out').exists()


def test_a_report_of_a_folder_that_is_not_there_is_an_error(tmp_path, capsys):
    page = tmp_path / 'page.html'
    assert main(['dataset', 'report', str(tmp_path / 'nowhere'), str(page)]) == 2
    assert 'no such folder' in capsys.readouterr().err
    assert not page.exists()
