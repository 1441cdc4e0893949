"""Data sets as other tools and hands leave them: gaps, missing figures, images in the rows."""

import io
import json
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from recordings import image_of, recording

from chefmate_core.dataset import edit
from chefmate_core.dataset.convert import Options, write, write_parts
from chefmate_core.dataset.errors import DatasetError, DatasetRequestError
from chefmate_core.dataset.features import Feature
from chefmate_core.dataset.layout import Format
from chefmate_core.dataset.reading import open_dataset
from chefmate_core.dataset.recorded import write_recording
from chefmate_core.dataset.rows import episode_table, numbers
from chefmate_core.dataset.video import images

ONE = Options(workers=1)
WRIST, SCENE = 'observation.images.wrist', 'observation.images.scene'


def made(tmp_path, *lengths, name='made', target=Format.LEROBOT_V30, **more):
    path = write_recording(recording(*lengths, **more), tmp_path / name, target, options=ONE)
    return open_dataset(path)


def again(dataset, path, target):
    return open_dataset(write(dataset, path, target, ONE))


def with_images_in_rows(root, key, camera, height=48, width=64):
    """Move a camera's images of a v2.1 data set from the videos into the parquet files."""
    for number, path in enumerate(sorted(root.glob('data/*/*.parquet'))):
        table = pq.read_table(path)
        column = []
        for index in range(table.num_rows):
            file = io.BytesIO()
            Image.fromarray(image_of(camera, number, index, height, width)).save(file, 'PNG')
            column.append({'bytes': file.getvalue(), 'path': None})
        pq.write_table(table.append_column(key, pa.array(column)), path)
    info = root / 'meta/info.json'
    content = json.loads(info.read_text())
    feature = Feature('image', (3, height, width), ['channels', 'height', 'width'])
    content['features'][key] = feature.to_dict()
    info.write_text(json.dumps(content))
    return open_dataset(root)


def test_images_in_rows_become_videos_for_groot_which_reads_nothing_else(tmp_path):
    dataset = with_images_in_rows(
        made(tmp_path, 5, 6, target=Format.LEROBOT_V21).root, WRIST, 'wrist'
    )
    assert dataset.video_keys == (SCENE,)
    groot = again(dataset, tmp_path / 'groot', Format.GROOT)
    assert set(groot.modality['video']) == {'wrist', 'scene'}
    assert groot.features[WRIST].shape == (48, 64, 3)
    assert groot.features[WRIST].extra['info']['video.codec'] == 'h264'
    for number, episode in enumerate(groot.episodes):
        shown = list(images(episode.videos[WRIST], groot.fps))
        assert len(shown) == episode.length
        for index, image in shown:
            expected = image_of('wrist', number, index, 48, 64).astype(float)
            assert np.abs(image - expected).mean() < 6
        assert WRIST not in episode.rows.read().column_names


def test_images_in_rows_that_h264_cannot_hold_are_refused_before_anything_is_written(tmp_path):
    root = made(tmp_path, 4, target=Format.LEROBOT_V21).root
    dataset = with_images_in_rows(root, WRIST, 'wrist', 47, 64)
    with pytest.raises(DatasetRequestError, match='64x47'):
        write(dataset, tmp_path / 'groot', Format.GROOT, ONE)
    assert [path.name for path in tmp_path.iterdir()] == ['made']


def test_a_modality_file_without_the_cameras_of_the_rows_gets_them(tmp_path):
    root = made(tmp_path, 4, target=Format.GROOT).root
    dataset = with_images_in_rows(root, WRIST, 'wrist')
    dataset = replace(dataset, modality={**dataset.modality, 'video': {}})
    groot = again(dataset, tmp_path / 'groot', Format.GROOT)
    assert groot.modality['video']['wrist'] == {'original_key': WRIST}


def test_stated_statistics_without_a_count_are_made_anew(tmp_path):
    root = made(tmp_path, 6, target=Format.LEROBOT_V21).root
    path = root / 'meta/episodes_stats.jsonl'
    row = json.loads(path.read_text())
    del row['stats'][WRIST]['count']
    row['stats'][WRIST]['mean'] = [[[9.0]], [[9.0]], [[9.0]]]
    path.write_text(json.dumps(row) + '\n')
    stated = again(open_dataset(root), tmp_path / 'v3', Format.LEROBOT_V30).episodes[0].statistics
    assert stated[WRIST]['count'] == [6]
    assert (stated[WRIST]['mean'] < 1).all()


def with_gaps_v21(root):
    """Delete episode 1 of three by hand, as people do, and count again."""
    for path in (*root.glob('data/*/*_000001.parquet'), *root.glob('videos/*/*/*_000001.mp4')):
        path.unlink()
    for name in ('episodes.jsonl', 'episodes_stats.jsonl'):
        path = root / 'meta' / name
        lines = path.read_text().splitlines(keepends=True)
        path.write_text(lines[0] + lines[2])
    count_episodes(root, 2)


def with_gaps_v30(root):
    path = root / 'meta/episodes/chunk-000/file-000.parquet'
    table = pq.read_table(path)
    pq.write_table(pa.concat_tables([table.slice(0, 1), table.slice(2)]), path)
    count_episodes(root, 2)


def count_episodes(root, count):
    path = root / 'meta/info.json'
    path.write_text(json.dumps(json.loads(path.read_text()) | {'total_episodes': count}))


@pytest.mark.parametrize(
    ('target', 'delete_by_hand'),
    [(Format.LEROBOT_V21, with_gaps_v21), (Format.LEROBOT_V30, with_gaps_v30)],
)
def test_gaps_in_the_episode_numbers_are_closed_by_converting(tmp_path, target, delete_by_hand):
    root = made(tmp_path, 4, 5, 6, target=target).root
    delete_by_hand(root)
    dataset = open_dataset(root)
    with pytest.raises(DatasetRequestError, match=r'numbered 0, 2.*convert'):
        edit.delete(dataset, [1])
    whole = again(dataset, tmp_path / 'whole', target)
    assert [episode.length for episode in whole.episodes] == [4, 6]
    table = episode_table(whole.episodes[1], whole.features)
    assert set(table.column('episode_index').to_pylist()) == {1}
    assert table.column('index').to_pylist() == list(range(4, 10))
    for index, image in images(whole.episodes[1].videos[WRIST], whole.fps):
        assert np.abs(image - image_of('wrist', 2, index, 48, 64).astype(float)).mean() < 6
    assert edit.delete(whole, [1]).total_frames == 4


def test_two_episodes_of_one_number_are_an_error(tmp_path):
    root = made(tmp_path, 4, 5, target=Format.LEROBOT_V21).root
    path = root / 'meta/episodes.jsonl'
    path.write_text(path.read_text().replace('"episode_index": 1', '"episode_index": 0'))
    with pytest.raises(DatasetError, match='two episodes have the episode_index 0'):
        open_dataset(root)


def splits_of(dataset):
    return json.loads((dataset.root / 'meta/info.json').read_text())['splits']


def test_splits_stay_where_the_episodes_stay_and_begin_anew_elsewhere(tmp_path):
    root = made(tmp_path, 4, 5, 6, target=Format.LEROBOT_V21).root
    path = root / 'meta/info.json'
    splits = {'train': '0:2', 'test': '2:3'}
    path.write_text(json.dumps(json.loads(path.read_text()) | {'splits': splits}))
    dataset = open_dataset(root)
    renamed = edit.rename_cameras(dataset, {'wrist': 'hand'})
    assert splits_of(again(renamed, tmp_path / 'renamed', Format.LEROBOT_V30)) == splits
    fewer = again(edit.delete(dataset, [0]), tmp_path / 'fewer', Format.LEROBOT_V21)
    assert splits_of(fewer) == {'train': '0:2'}
    twice = again(edit.merge([dataset, dataset]), tmp_path / 'twice', Format.LEROBOT_V21)
    assert splits_of(twice) == {'train': '0:6'}


def test_a_modality_file_of_ones_own_survives_lerobot_v3(tmp_path):
    root = made(tmp_path, 4, 5, target=Format.GROOT).root
    path = root / 'meta/modality.json'
    own = json.loads(path.read_text())
    own['state']['single_arm']['absolute'] = True
    own['annotation']['human.validity'] = {'original_key': 'task_index'}
    path.write_text(json.dumps(own))
    v3 = again(open_dataset(root), tmp_path / 'v3', Format.LEROBOT_V30)
    assert v3.format == 'lerobot-v3'
    fewer = again(edit.delete(v3, [1]), tmp_path / 'fewer', Format.LEROBOT_V30)
    assert again(fewer, tmp_path / 'groot', Format.GROOT).modality == own


def test_a_scalar_stored_as_a_list_of_one_is_a_scalar():
    feature = Feature('float32', (1,))
    for kind in (pa.list_(pa.float32()), pa.list_(pa.float32(), 1)):
        column = pa.chunked_array([pa.array([[0.5], [1.5]], kind)])
        np.testing.assert_array_equal(numbers(column, feature), np.float32([0.5, 1.5]))


def test_what_was_merged_or_cut_can_be_cut_again_before_it_is_written(tmp_path):
    dataset = made(tmp_path, 4, 5, 6)
    both = edit.merge([dataset, dataset])
    assert [part.length for part in edit.delete(both, [3]).episodes] == [4, 5, 6, 5, 6]
    assert edit.subset(edit.delete(dataset, [0]), [1]).total_frames == 6


def test_an_interrupted_split_goes_on_after_the_last_finished_part(tmp_path):
    dataset = made(tmp_path, 4, 5, 6, target=Format.LEROBOT_V21)
    parts = edit.split(dataset, {'train': 2, 'val': 1})
    destination = tmp_path / 'parts'
    finished = tmp_path / '.parts.partial/whole/train/meta/info.json'

    def interrupt(*_):
        if finished.is_file():
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_parts(parts, destination, Format.LEROBOT_V21, ONE, interrupt)
    assert not destination.exists()
    before = finished.stat().st_mtime_ns
    others = edit.split(dataset, {'train': 1, 'val': 2})
    with pytest.raises(DatasetRequestError, match='--restart'):
        write_parts(others, destination, Format.LEROBOT_V21, ONE)
    paths = write_parts(parts, destination, Format.LEROBOT_V21, ONE)
    assert (destination / 'train/meta/info.json').stat().st_mtime_ns == before
    assert [open_dataset(path).total_frames for path in paths.values()] == [9, 6]
    assert not (tmp_path / '.parts.partial').exists()
