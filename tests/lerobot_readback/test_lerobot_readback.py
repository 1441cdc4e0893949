"""LeRobot itself loads what ChefMate writes, and says what the recording held.

Needs `make lerobot-data-env`; skipped without it.
"""

import io
import json
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image
from recordings import CALIBRATION, image_of, recording

from chefmate_core.dataset.convert import Options, write
from chefmate_core.dataset.layout import Format, Limits
from chefmate_core.dataset.reading import open_dataset
from chefmate_core.dataset.recorded import write_recording
from chefmate_core.dataset.rows import ParquetRows, write_parquet
from chefmate_core.dataset.statistics import QUANTILES
from chefmate_core.dataset.video import VideoCodec
from chefmate_core.units import LerobotUnits, rad_to_lerobot

HERE = Path(__file__).parent
ENVIRONMENT = Path(os.environ.get('CHEFMATE_LEROBOT_ENV', HERE / '.venv'))
PYTHON = ENVIRONMENT / 'bin' / 'python'
LEROBOT_033 = ENVIRONMENT / 'lerobot-0.3.3'

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason='no `make lerobot-data-env` here')

IMAGE = pa.struct([('bytes', pa.binary()), ('path', pa.string())])
LENGTHS = (30, 17, 1, 25)
INSTRUCTIONS = ('pick up the bread', 'make a sandwich')
BRIGHTNESS_TOLERANCE = 6  # of 255, mean over an image: what compression may cost


def read_back(root, tmp_path, packages=None):
    """Return what LeRobot says of a data set: a dictionary, and arrays by column."""
    out = tmp_path / f'{root.name}.npz'
    environment = {
        key: value for key, value in os.environ.items() if not key.startswith(('PYTHON', 'LD_'))
    } | {'HF_HUB_OFFLINE': '1', 'HF_HOME': str(tmp_path / 'hf'), 'OMP_NUM_THREADS': '1'}
    if packages is not None:
        environment['PYTHONPATH'] = str(packages)
    done = subprocess.run(
        [str(PYTHON), str(HERE / 'read_back.py'), str(root), str(out)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    with np.load(out) as arrays:
        content = {key: arrays[key] for key in arrays}
    return json.loads(str(content.pop('said'))), content


def check_against_the_recording(made, said, arrays):
    episodes = made.episodes
    assert said['fps'] == 30
    assert said['frames'] == sum(LENGTHS)
    assert said['episodes'] == len(LENGTHS)
    row = 0
    for episode in episodes:
        for index in range(episode.frame_count):
            assert said['tasks'][row] == episode.instruction
            assert arrays['episode_index'][row] == episode.index
            assert arrays['frame_index'][row] == index
            assert arrays['index'][row] == row
            assert arrays['timestamp'][row] == pytest.approx(index / 30, abs=1e-6)
            for key, at in (('observation.state', index), ('action', index + 1)):
                expected = rad_to_lerobot(
                    episode.state_rad(at), CALIBRATION, LerobotUnits.RANGE_M100_100
                )
                np.testing.assert_allclose(arrays[key][row], expected, atol=1e-4)
            for camera in ('wrist', 'scene'):
                image = arrays[f'observation.images.{camera}'][row].transpose(1, 2, 0) * 255
                wanted = image_of(camera, episode.index, index, 48, 64)
                assert np.abs(image - wanted).mean() < BRIGHTNESS_TOLERANCE, (camera, row)
            row += 1


def check_the_statistics(said, arrays, figures):
    for key in ('action', 'observation.state', 'timestamp', 'index', 'episode_index'):
        values = arrays[key].astype(np.float64)
        values = values.reshape(len(values), -1)
        found = said['statistics'][key]
        expected = {
            'min': values.min(axis=0),
            'max': values.max(axis=0),
            'mean': values.mean(axis=0),
            'std': values.std(axis=0),
        }
        for name in figures:
            if name in QUANTILES:
                expected[name] = np.quantile(
                    values, QUANTILES[name], axis=0, method='inverted_cdf'
                )
            np.testing.assert_allclose(found[name], expected[name], rtol=1e-5, atol=1e-5)
        assert found['count'] == [len(values)]
    for camera in ('wrist', 'scene'):
        key = f'observation.images.{camera}'
        found = said['statistics'][key]
        assert np.shape(found['mean']) == (3, 1, 1)
        # All images are in the statistics of so small a data set; compression moves them a little.
        mean = arrays[key].astype(np.float64).mean(axis=(0, 2, 3))
        np.testing.assert_allclose(np.ravel(found['mean']), mean, atol=0.02)


@pytest.mark.parametrize('codec', list(VideoCodec))
@pytest.mark.parametrize(
    'limits', [Limits(), Limits(chunk_files=2, data_mb=0.001, video_mb=0.001)]
)
def test_lerobot_loads_v30_and_says_what_was_recorded(tmp_path, codec, limits):
    made = recording(*LENGTHS, instructions=INSTRUCTIONS)
    options = Options(codec=codec, workers=1, limits=limits)
    root = write_recording(made, tmp_path / 'v30', Format.LEROBOT_V30, options=options)
    said, arrays = read_back(root, tmp_path)
    assert (said['version'], said['format']) == ('0.4.4', 'v3.0')
    check_against_the_recording(made, said, arrays)
    check_the_statistics(said, arrays, ('min', 'max', 'mean', 'std', *QUANTILES))


@pytest.mark.skipif(not LEROBOT_033.exists(), reason='LeRobot 0.3.3 is not in the environment')
@pytest.mark.parametrize('target', [Format.LEROBOT_V21, Format.GROOT])
def test_the_last_lerobot_of_v21_loads_v21_and_groot(tmp_path, target):
    made = recording(*LENGTHS, instructions=INSTRUCTIONS)
    root = write_recording(made, tmp_path / 'v21', target, options=Options(workers=1))
    said, arrays = read_back(root, tmp_path, LEROBOT_033)
    assert (said['version'], said['format']) == ('0.3.3', 'v2.1')
    check_against_the_recording(made, said, arrays)
    check_the_statistics(said, arrays, ('min', 'max', 'mean', 'std'))


def data_set_with_embedded_images(folder):
    """One camera in a video, the other as PNG files in the rows, as `use_videos=False` makes."""
    made = open_dataset(
        write_recording(
            recording(5, 4), folder / 'v', Format.LEROBOT_V21, options=Options(workers=1)
        )
    )
    key = 'observation.images.scene'
    episodes = []
    for number, episode in enumerate(made.episodes):
        rows = folder / f'{number}.parquet'
        table = episode.rows.read()
        pngs = [png(image_of('scene', number, index, 48, 64)) for index in range(episode.length)]
        cells = pa.array([{'bytes': content, 'path': None} for content in pngs], IMAGE)
        write_parquet(rows, [table.append_column(key, cells)])
        videos = {name: span for name, span in episode.videos.items() if name != key}
        episodes.append(replace(episode, rows=ParquetRows(rows), videos=videos, statistics=None))
    features = {**made.features, key: replace(made.features[key], dtype='image', extra={})}
    return replace(made, episodes=episodes, features=features)


def png(image):
    file = io.BytesIO()
    Image.fromarray(image).save(file, 'PNG')
    return file.getvalue()


@pytest.mark.skipif(not LEROBOT_033.exists(), reason='LeRobot 0.3.3 is not in the environment')
@pytest.mark.parametrize('target', [Format.LEROBOT_V30, Format.LEROBOT_V21])
def test_images_in_the_rows_stay_images(tmp_path, target):
    dataset = data_set_with_embedded_images(tmp_path)
    root = write(dataset, tmp_path / 'set', target, Options(workers=1))
    packages = None if target is Format.LEROBOT_V30 else LEROBOT_033
    said, arrays = read_back(root, tmp_path, packages)
    row = 0
    for number, length in enumerate((5, 4)):
        for index in range(length):
            image = arrays['observation.images.scene'][row].transpose(1, 2, 0) * 255
            np.testing.assert_allclose(image, image_of('scene', number, index, 48, 64), atol=0.01)
            row += 1
    mean = arrays['observation.images.scene'].astype(np.float64).mean(axis=(0, 2, 3))
    np.testing.assert_allclose(
        np.ravel(said['statistics']['observation.images.scene']['mean']), mean, atol=1e-6
    )


def test_lerobot_loads_what_went_from_v30_to_groot_and_back(tmp_path):
    made = recording(*LENGTHS, instructions=INSTRUCTIONS)
    options = Options(workers=1)
    first = write_recording(made, tmp_path / 'first', Format.LEROBOT_V30, options=options)
    groot = write(open_dataset(first), tmp_path / 'groot', Format.GROOT, options)
    again = write(open_dataset(groot), tmp_path / 'again', Format.LEROBOT_V30, options)
    one, other = read_back(first, tmp_path), read_back(again, tmp_path)
    assert one[0] == other[0]
    for key in one[1]:
        np.testing.assert_array_equal(one[1][key], other[1][key], err_msg=key)
