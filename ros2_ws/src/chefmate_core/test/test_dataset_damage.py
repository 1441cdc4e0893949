"""Damaged data sets: each error says which file, what was found, and what is expected."""

import json
import os
import shutil
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from recordings import MadeUpEpisode, recording

from chefmate_core.dataset.convert import Options, write
from chefmate_core.dataset.errors import DatasetError
from chefmate_core.dataset.layout import Format
from chefmate_core.dataset.reading import open_dataset
from chefmate_core.dataset.recorded import write_recording
from chefmate_core.dataset.rows import episode_table
from chefmate_core.dataset.video import images, probe
from chefmate_core.errors import ChefMateError

ONE = Options(workers=1)


@pytest.fixture(scope='module')
def originals(tmp_path_factory):
    folder = tmp_path_factory.mktemp('originals')
    return {
        target: write_recording(recording(6, 4), folder / target.value, target, options=ONE)
        for target in Format
    }


@pytest.fixture
def v30(originals, tmp_path):
    return shutil.copytree(originals[Format.LEROBOT_V30], tmp_path / 'v30')


@pytest.fixture
def v21(originals, tmp_path):
    return shutil.copytree(originals[Format.LEROBOT_V21], tmp_path / 'v21')


def change_info(root, **changes):
    path = root / 'meta/info.json'
    content = json.loads(path.read_text()) | changes
    path.write_text(json.dumps(content))


def truncate(path, share=0.5):
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


def use(root, tmp_path):
    """Read all of a data set: tables, rows, videos."""
    target = Format.LEROBOT_V21 if 'v30' in root.name else Format.LEROBOT_V30
    return write(open_dataset(root), tmp_path / 'used', target, ONE)


def test_a_folder_that_is_no_data_set_says_what_would_be(tmp_path):
    with pytest.raises(DatasetError, match=r'not a data set: it has no meta/info\.json'):
        open_dataset(tmp_path)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'codebase_version': 'v9'}, "codebase_version is 'v9'.*v3.0"),
        ({'fps': 0}, 'fps is 0, expected a whole number'),
        ({'fps': 'thirty'}, "fps is 'thirty'"),
        ({'features': []}, 'features is'),
        ({'features': {'action': {'dtype': 'float32'}}}, 'feature action'),
        ({'features': {}}, 'lack timestamp'),
        ({'total_episodes': 7}, 'counts 7 episodes.*has 2'),
        ({'data_path': '/etc/passwd'}, 'leads out'),
        ({'data_path': '../{episode_index}'}, 'leads out|cannot be filled in'),
        ({'data_path': 'data/{nobody}.parquet'}, 'cannot be filled in'),
        ({'video_path': None}, 'video_path'),
    ],
)
@pytest.mark.parametrize('target', list(Format))
def test_a_wrong_info_is_named(originals, tmp_path, target, changes, message):
    root = shutil.copytree(originals[target], tmp_path / 'set')
    change_info(root, **changes)
    with pytest.raises(DatasetError, match=message):
        open_dataset(root)


@pytest.mark.parametrize('name', ['info.json', 'episodes.jsonl', 'tasks.jsonl'])
def test_a_line_that_is_no_json_is_named(v21, name):
    path = v21 / 'meta' / name
    path.write_text(path.read_text()[:-5] + '\n')
    with pytest.raises(DatasetError, match=f'{name}.*not'):
        open_dataset(v21)


@pytest.mark.parametrize(
    'name',
    [
        'meta/tasks.jsonl',
        'meta/episodes.jsonl',
        'data/chunk-000/episode_000001.parquet',
        'videos/chunk-000/observation.images.wrist/episode_000001.mp4',
    ],
)
def test_a_missing_file_of_v21_is_named(v21, tmp_path, name):
    (v21 / name).unlink()
    with pytest.raises(DatasetError, match=name.rsplit('/', 1)[-1]):
        use(v21, tmp_path)


@pytest.mark.parametrize(
    'name',
    [
        'meta/tasks.parquet',
        'meta/episodes/chunk-000/file-000.parquet',
        'data/chunk-000/file-000.parquet',
        'videos/observation.images.scene/chunk-000/file-000.mp4',
    ],
)
@pytest.mark.parametrize('damage', ['missing', 'cut', 'zeros'])
def test_a_damaged_file_of_v30_is_named(v30, tmp_path, name, damage):
    path = v30 / name
    if damage == 'missing':
        path.unlink()
    elif damage == 'cut':
        truncate(path)
    else:
        path.write_bytes(bytes(path.stat().st_size))
    with pytest.raises(DatasetError, match='meta/episodes' if 'episodes' in name else path.name):
        use(v30, tmp_path)
    assert not (tmp_path / 'used').exists()


def test_a_video_with_too_few_images_is_named_with_both_counts(v21, tmp_path):
    videos = v21 / 'videos/chunk-000/observation.images.wrist'
    shutil.copy(videos / 'episode_000001.mp4', videos / 'episode_000000.mp4')
    with pytest.raises(DatasetError, match=r'episode 0: .*has 4 images, the episode 6 rows'):
        use(v21, tmp_path)


def test_an_episode_with_too_few_rows_is_named_with_both_counts(v21, tmp_path):
    path = v21 / 'data/chunk-000/episode_000000.parquet'
    pq.write_table(pq.read_table(path).slice(0, 5), path)
    with pytest.raises(DatasetError, match='episode 0: found 5 rows, expected 6'):
        use(v21, tmp_path)


def test_a_missing_column_is_named_with_those_that_are_there(v21, tmp_path):
    path = v21 / 'data/chunk-000/episode_000000.parquet'
    pq.write_table(pq.read_table(path).drop_columns('action'), path)
    with pytest.raises(DatasetError, match=r'no column action; found: observation\.state'):
        use(v21, tmp_path)


def test_a_column_of_another_shape_is_named(v21, tmp_path):
    path = v21 / 'data/chunk-000/episode_000000.parquet'
    table = pq.read_table(path)
    place = table.column_names.index('action')
    wrong = pa.array([[1.0, 2.0]] * table.num_rows, pa.list_(pa.float32(), 2))
    pq.write_table(table.set_column(place, 'action', wrong), path)
    with pytest.raises(DatasetError, match=r'column action: found .*2.*expected .*6'):
        use(v21, tmp_path)


def test_a_task_that_the_table_has_not_is_named(v21, tmp_path):
    path = v21 / 'data/chunk-000/episode_000000.parquet'
    table = pq.read_table(path)
    place = table.column_names.index('task_index')
    pq.write_table(table.set_column(place, 'task_index', pa.array([9] * table.num_rows)), path)
    with pytest.raises(DatasetError, match=r'row 0: task_index is 9.*relabel'):
        use(v21, tmp_path)


def test_lists_of_one_as_other_tools_write_scalars_are_read(v21):
    path = v21 / 'data/chunk-000/episode_000000.parquet'
    table = pq.read_table(path)
    place = table.column_names.index('timestamp')
    stamps = [[value] for value in table.column('timestamp').to_pylist()]
    pq.write_table(table.set_column(place, 'timestamp', pa.array(stamps)), path)
    dataset = open_dataset(v21)
    read = episode_table(dataset.episodes[0], dataset.features).column('timestamp').to_pylist()
    assert read == table.column('timestamp').to_pylist()


def test_an_image_that_a_video_has_not_is_named_with_its_time(v21):
    span = open_dataset(v21).episodes[1].videos['observation.images.wrist']
    path = v21 / 'videos/chunk-000/observation.images.wrist/episode_000000.mp4'
    span = type(span)(path, 0.0, 9)
    with pytest.raises(DatasetError, match=r'no image at 0\.2000 s, which is frame 6 of 9'):
        list(images(span, 30))


def test_a_file_without_video_is_refused(tmp_path):
    path = tmp_path / 'text.mp4'
    path.write_text('not a video')
    with pytest.raises(DatasetError, match='not a readable video'):
        probe(path)


@dataclass(frozen=True)
class KillsItsProcess(MadeUpEpisode):
    def frames(self):
        yield from super().frames()
        os._exit(9)


def test_a_worker_that_dies_is_an_error_and_not_a_hang(tmp_path):
    made = recording(3, 3)
    made = type(made)([made.episodes[0], KillsItsProcess(1, 3)])
    with pytest.raises(DatasetError, match='ended with code 9'):
        write_recording(made, tmp_path / 'set', Format.LEROBOT_V30, options=Options(workers=2))


def test_an_error_in_a_worker_arrives_as_it_was(tmp_path):
    made = recording(3, 3)
    made = type(made)(made.episodes, cameras={'wrist': (48, 64), 'scene': (96, 128)})
    with pytest.raises(ChefMateError, match=r'found shape \(48, 64, 3\)'):
        write_recording(made, tmp_path / 'set', Format.LEROBOT_V30, options=Options(workers=2))
