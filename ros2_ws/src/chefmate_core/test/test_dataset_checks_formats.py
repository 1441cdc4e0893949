"""A data set of each format, damaged in one way at a time, and the finding that names it."""

import json
import shlex
import shutil

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_session import EpisodePlan, write_session

from chefmate_core.dataset.convert import Options
from chefmate_core.dataset.layout import Format
from chefmate_core.dataset.model import VideoSpan
from chefmate_core.dataset.recorded import write_recording
from chefmate_core.dataset.video import VideoCodec, VideoWriter, images, probe
from chefmate_core.dataset_checks import check
from chefmate_core.session_reader import open_session

V21, V30, GROOT = Format.LEROBOT_V21, Format.LEROBOT_V30, Format.GROOT
V21_ROWS = 'data/chunk-000/episode_000001.parquet'
V30_ROWS = 'data/chunk-000/file-000.parquet'
V21_VIDEO = 'videos/chunk-000/observation.images.scene/episode_000001.mp4'
V30_VIDEO = 'videos/observation.images.scene/chunk-000/file-000.mp4'


@pytest.fixture(scope='module')
def originals(tmp_path_factory):
    folder = tmp_path_factory.mktemp('originals')
    session = open_session(write_session(folder / 'session', [EpisodePlan()] * 3))
    return {
        format_: write_recording(
            session, folder / format_.value, format_, options=Options(workers=1)
        )
        for format_ in Format
    }


@pytest.fixture
def copy(originals, tmp_path):
    """Return a function from a format to a data set that a test may damage."""

    def make(format_):
        return shutil.copytree(originals[format_], tmp_path / 'set')

    return make


def names(folder):
    return [finding.name for finding in check(folder)]


def one(folder):
    (finding,) = check(folder)
    return finding


def change_json(path, change):
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))


def change_column(path, key, change):
    """Rewrite a column of a parquet file: `change` gets and returns an array."""
    table = pq.read_table(path)
    kind = table.schema.field(key).type
    values = change(np.array(table.column(key).to_pylist()))
    column = pa.array(values.tolist(), kind)
    pq.write_table(table.set_column(table.column_names.index(key), key, column), path)


def put(*places):
    def change(values):
        for place, value in places:
            values[place] = value
        return values

    return change


@pytest.mark.parametrize('format_', Format)
def test_a_clean_data_set_has_no_finding(originals, format_):
    assert check(originals[format_]) == []


@pytest.mark.parametrize('key', ['fps', 'features', 'data_path', 'total_frames'])
def test_a_missing_key_of_info_is_named(copy, key):
    folder = copy(V21)
    change_json(folder / 'meta/info.json', lambda info: info.pop(key))
    assert any(f.name == 'missing-key' and key in f.found for f in check(folder))


def test_a_state_under_another_name_is_missing(copy):
    folder = copy(V21)

    def rename(info):
        info['features']['state'] = info['features'].pop('observation.state')

    change_json(folder / 'meta/info.json', rename)
    found = [f.found for f in check(folder) if f.name == 'missing-key']
    assert any('without observation.state' in text for text in found)


@pytest.mark.parametrize(('format_', 'rows'), [(V21, V21_ROWS), (V30, V30_ROWS)])
def test_a_wrong_rate_is_told_for_rows_and_videos(copy, format_, rows):
    folder = copy(format_)
    change_json(folder / 'meta/info.json', lambda info: info.update(fps=25))
    findings = check(folder)
    assert {f.name for f in findings} >= {'wrong-fps'}
    files = {f.where.file for f in findings if f.name == 'wrong-fps'}
    assert rows in files and any(file.endswith('.mp4') for file in files)


def test_a_time_off_the_grid_is_told_with_its_row(copy):
    folder = copy(V21)
    change_column(folder / V21_ROWS, 'timestamp', put((7, 0.25)))
    (time,) = [f for f in check(folder) if f.name == 'timestamps-off']
    assert (time.where.episode, time.where.row) == (1, 7) and '0.2333' in time.expected


@pytest.mark.parametrize('key', ['index', 'frame_index', 'episode_index'])
def test_numbers_that_do_not_count_are_told(copy, key):
    folder = copy(V21)
    change_column(folder / V21_ROWS, key, put((5, 77)))
    (finding,) = [f for f in check(folder) if f.name == 'wrong-index']
    assert finding.where.row == 5 and finding.found.startswith(f'{key} 77')


@pytest.mark.parametrize(('format_', 'rows', 'row'), [(V21, V21_ROWS, 9), (V30, V30_ROWS, 69)])
def test_nan_is_told_with_episode_and_row(copy, format_, rows, row):
    folder = copy(format_)
    change_column(folder / rows, 'action', put((row, np.nan)))
    finding = next(f for f in check(folder) if f.name == 'not-finite')
    assert (finding.where.episode, finding.where.row) == (1, 9) and 'action' in finding.found


def test_a_task_that_the_table_has_not_is_told(copy):
    folder = copy(V21)
    change_column(folder / V21_ROWS, 'task_index', put((3, 4)))
    finding = next(f for f in check(folder) if f.name == 'unknown-task')
    assert finding.where.row == 3 and 'delete' in finding.repair


@pytest.mark.parametrize(
    ('name', 'value', 'message'),
    [('total_episodes', 5, 'total_episodes 5'), ('total_frames', 5, 'total_frames 5')],
)
@pytest.mark.parametrize('format_', [V21, V30])
def test_totals_that_are_not_those_of_the_data_are_told(copy, format_, name, value, message):
    folder = copy(format_)
    change_json(folder / 'meta/info.json', lambda info: info.update({name: value}))
    finding = one(folder)
    assert finding.name == 'count-mismatch' and finding.found == message


def test_rows_that_are_fewer_than_the_episode_are_told(copy):
    folder = copy(V21)
    pq.write_table(pq.read_table(folder / V21_ROWS).slice(0, 50), folder / V21_ROWS)
    (rows,) = [f for f in check(folder) if f.name == 'count-mismatch' and f.where.file == V21_ROWS]
    assert rows.found == '50 rows' and rows.expected.startswith('60')


@pytest.mark.parametrize(('format_', 'video'), [(V21, V21_VIDEO), (V30, V30_VIDEO)])
def test_a_video_with_fewer_images_than_rows_is_told(copy, format_, video):
    folder = copy(format_)
    spans = VideoSpan(folder / video, 0.0, 40)
    kept = [image for _, image in images(spans, 30)]
    height, width = kept[0].shape[:2]
    with VideoWriter(folder / video, 30, height, width, VideoCodec.H264) as writer:
        for image in kept:
            writer.add(image)
    (finding,) = [f for f in check(folder) if f.name == 'count-mismatch']
    assert finding.where.file == video and finding.found == '40 images'


@pytest.mark.parametrize(('format_', 'video'), [(V21, V21_VIDEO), (V30, V30_VIDEO)])
def test_a_damaged_video_is_told_once(copy, format_, video):
    folder = copy(format_)
    content = (folder / video).read_bytes()
    (folder / video).write_bytes(content[: len(content) // 2])
    finding = one(folder)
    assert finding.name == 'unreadable-video' and finding.where.file == video


@pytest.mark.parametrize(('format_', 'file'), [(V21, V21_VIDEO), (V21, V21_ROWS)])
def test_a_missing_file_is_told(copy, format_, file):
    folder = copy(format_)
    (folder / file).unlink()
    assert ('missing-file', file) in [(f.name, f.where.file) for f in check(folder)]


def test_a_damaged_parquet_file_does_not_hide_the_others(copy):
    folder = copy(V21)
    (folder / V21_ROWS).write_bytes(b'PAR1 no more')
    change_column(folder / V21_ROWS.replace('1.p', '2.p'), 'action', put((2, np.nan)))
    assert {'unreadable-file', 'not-finite'} <= set(names(folder))


def test_a_codec_that_groot_refuses_is_told_and_lerobot_takes_it(copy, originals):
    groot = copy(GROOT)
    source = groot / V21_VIDEO
    frames = [image for _, image in images(VideoSpan(source, 0.0, 60), 30)]
    with VideoWriter(source, 30, *frames[0].shape[:2], VideoCodec.AV1) as writer:
        for image in frames:
            writer.add(image)
    assert probe(source).codec == 'av1'
    finding = one(groot)
    assert finding.name == 'refused-codec' and '--codec h264' in finding.repair
    (groot / 'meta/modality.json').unlink()
    assert 'refused-codec' not in names(groot)


def test_images_of_another_size_are_told(copy):
    folder = copy(V30)

    def change(info):
        info['features']['observation.images.wrist']['shape'] = [480, 640, 3]

    change_json(folder / 'meta/info.json', change)
    finding = one(folder)
    assert finding.name == 'wrong-image-size' and finding.found == '64x48'


@pytest.mark.parametrize('format_', [V21, V30])
def test_rows_that_were_changed_after_the_statistics_make_them_stale(copy, format_):
    folder = copy(format_)
    rows = folder / (V21_ROWS if format_ is V21 else V30_ROWS)
    change_column(rows, 'observation.state', lambda values: values * 0.9)
    findings = check(folder)
    assert {f.name for f in findings} == {'stale-statistics'}
    assert all('observation.state' in f.found for f in findings)


def test_stale_statistics_of_groot_are_told(copy):
    folder = copy(GROOT)
    change_json(folder / 'meta/stats.json', lambda stats: stats['action'].update(max=[1] * 6))
    finding = one(folder)
    assert finding.name == 'stale-statistics' and finding.where.file == 'meta/stats.json'


@pytest.mark.parametrize(
    ('format_', 'file'),
    [(V21, 'meta/episodes_stats.jsonl'), (V30, 'meta/stats.json'), (GROOT, 'meta/stats.json')],
)
def test_missing_statistics_are_told(copy, format_, file):
    folder = copy(format_)
    (folder / file).unlink()
    finding = one(folder)
    assert finding.name == 'missing-statistics' and finding.where.file == file


def change_modality(copy, change):
    folder = copy(GROOT)
    change_json(folder / 'meta/modality.json', change)
    return check(folder)


@pytest.mark.parametrize(
    'group',
    [{'start': 5, 'end': 7}, {'start': 5, 'end': 5}, {'start': -1, 'end': 3}, {'start': 5}, 5],
)
def test_a_group_of_modality_that_leaves_the_vector_is_told(copy, group):
    findings = change_modality(copy, lambda m: m['state'].update(gripper=group))
    assert [f.name for f in findings] == ['modality-range', 'modality-gap']
    assert 'state.gripper' in findings[0].found


def test_groups_of_modality_that_share_numbers_are_told(copy):
    findings = change_modality(copy, lambda m: m['action']['single_arm'].update(end=6))
    assert [f.name for f in findings] == ['modality-overlap']


def test_a_camera_of_modality_that_there_is_not_is_told(copy):
    findings = change_modality(
        copy, lambda m: m['video']['scene'].update(original_key='observation.images.front')
    )
    assert [f.name for f in findings] == ['modality-camera']
    assert 'observation.images.scene' in findings[0].expected


@pytest.mark.parametrize(
    'annotation',
    [
        {'task': {'original_key': 'task_index'}},
        {'human.task_description': {'original_key': 'task'}},
        {'human.task_description': {}},
    ],
)
def test_a_wrong_annotation_key_is_told(copy, annotation):
    findings = change_modality(copy, lambda m: m.update(annotation=annotation))
    assert [f.name for f in findings] == ['wrong-annotation-key']


@pytest.mark.parametrize('part', ['state', 'action', 'video', 'annotation'])
def test_a_part_that_modality_lacks_is_told(copy, part):
    findings = change_modality(copy, lambda m: m.pop(part))
    assert [f.name for f in findings] == ['modality-missing']


def test_radians_are_told_as_wrong_units(copy):
    folder = copy(V30)
    for key in ('action', 'observation.state'):
        change_column(folder / V30_ROWS, key, lambda values: values / 100)
    assert 'wrong-units' in names(folder)


def test_a_value_that_no_calibrated_joint_can_have_is_told(copy):
    folder = copy(V30)
    change_column(folder / V30_ROWS, 'observation.state', put((130, [0, 0, 150, 0, 0, 50])))
    finding = next(f for f in check(folder) if f.name == 'joint-outside-calibration')
    assert finding.where.episode == 2 and finding.where.row == 10
    assert 'elbow_flex at 150.00 of -100..100' in finding.found


def test_degrees_are_no_joints_outside_the_calibration(copy):
    folder = copy(V30)
    low, high = [-105, -95, -90, -90, -150, 0], [105, 95, 90, 90, 90, 90]

    def spread(values):
        return np.clip(values * 4, low, high)

    for key in ('action', 'observation.state'):
        change_column(folder / V30_ROWS, key, spread)
    assert 'joint-outside-calibration' not in names(folder)


@pytest.fixture(scope='module')
def shared_video(tmp_path_factory):
    """Return a v3.0 data set with episodes 0 to 1 in one video file and 2 to 4 in another."""
    folder = tmp_path_factory.mktemp('shared')
    session = open_session(write_session(folder / 'session', [EpisodePlan()] * 5))
    # The first video is full with one episode, and gets no second.
    path = write_recording(session, folder / 'set', V30, options=Options(workers=1))
    first, second = (path / V30_VIDEO.replace('000.mp4', f'00{n}.mp4') for n in range(2))
    frames = [image for _, image in images(VideoSpan(first, 0.0, 300), 30)]
    write_video(first, frames[:120])
    write_video(second, frames[120:])
    table = path / 'meta/episodes/chunk-000/file-000.parquet'
    camera = 'videos/observation.images.scene'
    change_column(table, f'{camera}/file_index', put((slice(2, 5), 1)))
    for column in ('from_timestamp', 'to_timestamp'):
        change_column(table, f'{camera}/{column}', lambda v: np.where(np.arange(5) > 1, v - 4, v))
    assert check(path) == []
    return path


def write_video(path, frames):
    with VideoWriter(path, 30, *frames[0].shape[:2], VideoCodec.H264) as writer:
        for image in frames:
            writer.add(image)


SECOND_VIDEO = V30_VIDEO.replace('000.mp4', '001.mp4')


def remove(path):
    path.unlink()


def cut_in_half(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def spoil_the_middle(path):
    """Overwrite the images in the middle of a video; its index stays whole."""
    content = bytearray(path.read_bytes())
    start = content.index(b'mdat') + 4
    end = content.index(b'moov')
    middle = start + (end - start) // 2
    content[middle : middle + 1200] = b'\xff' * 1200
    path.write_bytes(bytes(content))


def leave_100_images(path):
    write_video(path, [image for _, image in images(VideoSpan(path, 0.0, 100), 30)])


@pytest.mark.parametrize(
    ('damage', 'name', 'broken'),
    [
        (remove, 'missing-file', (2, 3, 4)),
        (cut_in_half, 'unreadable-video', (2, 3, 4)),
        (leave_100_images, 'count-mismatch', (3, 4)),
    ],
)
def test_the_repair_of_a_shared_video_leaves_out_its_episodes_and_no_others(
    shared_video, tmp_path, damage, name, broken
):
    folder = shutil.copytree(shared_video, tmp_path / 'set')
    damage(folder / SECOND_VIDEO)
    finding = one(folder)
    assert (finding.name, finding.where.file) == (name, SECOND_VIDEO)
    assert finding.where.episodes == broken
    assert finding.repair.endswith(f'--episodes {broken[0]}-{broken[-1]}')


def test_episodes_that_damage_in_the_middle_of_a_shared_video_hits_are_told_at_once(
    shared_video, tmp_path
):
    folder = shutil.copytree(shared_video, tmp_path / 'set')
    spoil_the_middle(folder / SECOND_VIDEO)
    finding = one(folder)
    assert (finding.name, finding.where.file) == ('unreadable-video', SECOND_VIDEO)
    assert finding.repair.endswith('--episodes 3')


def test_a_path_with_a_space_is_one_argument_of_the_repair(originals, tmp_path):
    folder = shutil.copytree(originals[V21], tmp_path / 'my set')
    change_column(folder / V21_ROWS, 'action', put((9, np.nan)))
    finding = next(f for f in check(folder) if f.name == 'not-finite')
    assert shlex.split(finding.repair) == [
        'chefmate', 'dataset', 'delete', str(folder), f'{folder}-repaired', '--episodes', '1',
    ]  # fmt: skip


def test_the_only_episodes_there_are_cannot_be_deleted(copy):
    folder = copy(V30)
    (folder / V30_VIDEO).unlink()
    assert 'delete' not in one(folder).repair


def test_a_missing_parquet_file_leaves_the_numbers_of_later_episodes_right(copy):
    folder = copy(V21)
    (folder / V21_ROWS).unlink()
    assert [(f.name, f.where.file) for f in check(folder)] == [('missing-file', V21_ROWS)]


@pytest.mark.parametrize(
    'key', ['codebase_version', 'fps', 'features', 'total_episodes', 'total_frames', 'data_path']
)
def test_the_repair_of_a_missing_key_of_info_is_no_command_that_needs_it(copy, key):
    folder = copy(V21)
    change_json(folder / 'meta/info.json', lambda info: info.pop(key))
    finding = next(f for f in check(folder) if f.name == 'missing-key')
    assert 'chefmate dataset' not in finding.repair and 'meta/info.json' in finding.repair


def test_rows_that_no_check_expects_are_a_finding_and_hide_no_other_episode(copy):
    folder = copy(V21)
    table = pq.read_table(folder / V21_ROWS)
    position = table.column_names.index('task_index')
    texts = pa.array(['no number'] * table.num_rows)
    pq.write_table(table.set_column(position, 'task_index', texts), folder / V21_ROWS)
    change_column(folder / V21_ROWS.replace('1.p', '2.p'), 'action', put((2, np.nan)))
    found = [(f.name, f.where.episode) for f in check(folder)]
    assert ('unreadable-file', 1) in found and ('not-finite', 2) in found
    assert 'wrong-index' not in dict(found)


def drop_statistics_of_episodes(folder):
    path = folder / 'meta/episodes/chunk-000/file-000.parquet'
    table = pq.read_table(path)
    pq.write_table(table.select([c for c in table.column_names if c[:6] != 'stats/']), path)


def test_v30_without_statistics_of_episodes_is_one_warning_with_all_of_them(copy):
    folder = copy(V30)
    drop_statistics_of_episodes(folder)
    finding = one(folder)
    assert (finding.name, finding.severity.value) == ('incomplete-statistics', 'warning')
    assert finding.where.episodes == (0, 1, 2) and 'action' in finding.found


def test_v21_without_the_action_in_statistics_of_some_episodes_is_one_error(copy):
    folder = copy(V21)
    path = folder / 'meta/episodes_stats.jsonl'
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    for row in rows[1:]:
        del row['stats']['action']
    path.write_text(''.join(json.dumps(row) + '\n' for row in rows))
    finding = one(folder)
    assert (finding.name, finding.where.episodes) == ('missing-statistics', (1, 2))


def test_statistics_without_the_index_are_a_warning(copy):
    folder = copy(V30)
    change_json(folder / 'meta/stats.json', lambda stats: stats.pop('index'))
    finding = one(folder)
    assert finding.name == 'incomplete-statistics' and finding.found == 'none of index'
