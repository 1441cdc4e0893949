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

from chefmate_core.dataset.convert import Options, write
from chefmate_core.dataset.errors import DatasetRequestError
from chefmate_core.dataset.features import Feature
from chefmate_core.dataset.layout import Format
from chefmate_core.dataset.reading import open_dataset
from chefmate_core.dataset.recorded import write_recording
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
