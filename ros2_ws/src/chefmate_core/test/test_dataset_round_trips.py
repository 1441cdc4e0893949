"""Between formats nothing is lost that both can hold, for data sets of every small shape."""

import tempfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recordings import recording

from chefmate_core.dataset.convert import Options, write
from chefmate_core.dataset.features import Feature, default_features
from chefmate_core.dataset.layout import Format, Limits
from chefmate_core.dataset.model import Dataset, Episode
from chefmate_core.dataset.reading import open_dataset
from chefmate_core.dataset.recorded import write_recording
from chefmate_core.dataset.rows import ParquetRows, episode_table, write_parquet
from chefmate_core.dataset.statistics import QUANTILES
from chefmate_core.dataset.video import VideoCodec, images

ONE = Options(workers=1)
OTHERS = [Format.LEROBOT_V21, Format.GROOT]
NUMBERS = {
    'float32': st.floats(-1e6, 1e6, width=32),
    'float64': st.floats(-1e9, 1e9),
    'int64': st.integers(-(2**50), 2**50),
    'bool': st.booleans(),
}
TEXTS = st.text(st.characters(codec='utf-8', exclude_characters='\x00'), min_size=1, max_size=12)


def rows_of(dataset):
    return [episode_table(episode, dataset.features) for episode in dataset.episodes]


def assert_same(one: Dataset, other: Dataset):
    assert one.fps == other.fps
    assert one.robot_type == other.robot_type
    assert one.extra_info == other.extra_info
    assert one.tasks == other.tasks
    assert {key: feature.to_dict() for key, feature in one.features.items()} == {
        key: feature.to_dict() for key, feature in other.features.items()
    }
    assert len(one.episodes) == len(other.episodes)
    for left, right in zip(one.episodes, other.episodes, strict=True):
        assert (left.length, left.tasks) == (right.length, right.tasks)
        assert set(left.statistics) == set(right.statistics)
        for key, figures in left.statistics.items():
            for name, value in figures.items():
                np.testing.assert_array_equal(value, right.statistics[key][name], f'{key} {name}')
    for left, right in zip(rows_of(one), rows_of(other), strict=True):
        assert left.equals(right)


@st.composite
def data_sets(draw, folder):
    """A data set of numbers and texts in v2.1, written by hand: columns of every kind."""
    shapes = draw(st.lists(st.sampled_from([(1,), (2,), (6,), (2, 3)]), min_size=1, max_size=3))
    features = {'observation.state': Feature('float32', (6,), [f'joint{i}' for i in range(6)])}
    features['action'] = Feature('float32', (6,), None)
    for number, shape in enumerate(shapes):
        dtype = draw(st.sampled_from(sorted(NUMBERS)))
        features[f'extra{number}'] = Feature(dtype, shape, None)
    if draw(st.booleans()):
        features['note'] = Feature('string', (1,), None)
    features |= default_features()
    tasks = draw(st.lists(TEXTS, min_size=1, max_size=3, unique=True))
    lengths = draw(st.lists(st.integers(1, 5), min_size=1, max_size=4))
    episodes = []
    for number, length in enumerate(lengths):
        indices = draw(st.lists(st.integers(0, len(tasks) - 1), min_size=length, max_size=length))
        columns = {}
        for key, feature in features.items():
            values = {
                'task_index': indices,
                'timestamp': [index / 10 for index in range(length)],
            }.get(key)
            if values is None and key in default_features():
                values = [0] * length
            if values is None and feature.dtype == 'string':
                values = draw(st.lists(TEXTS, min_size=length, max_size=length))
            if values is None:
                count = length * feature.size
                flat = draw(st.lists(NUMBERS[feature.dtype], min_size=count, max_size=count))
                values = np.array(flat, feature.dtype).reshape(length, *feature.shape).tolist()
                if feature.shape == (1,):
                    values = [value[0] for value in values]
            columns[key] = pa.array(values, feature.arrow_type())
        path = folder / f'{number}.parquet'
        write_parquet(path, [pa.table(columns)])
        used = tuple(dict.fromkeys(tasks[index] for index in indices))
        episodes.append(Episode(ParquetRows(path), length, used, tuple(tasks), origin=str(number)))
    extra = draw(st.dictionaries(st.sampled_from(['note', 'by']), TEXTS, max_size=2))
    return Dataset(10, features, episodes, draw(st.none() | TEXTS), extra)


@given(data=st.data(), target=st.sampled_from(OTHERS), chunk=st.integers(1, 3))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_v30_to_another_format_and_back_loses_nothing(data, target, chunk):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        options = Options(workers=1, limits=Limits(chunk, 0.0005, 0.0005))
        made = data.draw(data_sets(folder / 'rows'))
        first = open_dataset(write(made, folder / 'first', Format.LEROBOT_V30, options))
        middle = open_dataset(write(first, folder / 'middle', target, options))
        last = open_dataset(write(middle, folder / 'last', Format.LEROBOT_V30, options))
        assert_same(first, middle)
        assert_same(first, last)
        for before, after in zip(rows_of(made), rows_of(first), strict=True):
            kept = [
                key for key in made.features if key not in ('index', 'episode_index', 'task_index',
                                                            'frame_index')
            ]  # fmt: skip
            assert before.select(kept).equals(after.select(kept))


@given(data=st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_statistics_of_numbers_are_exact(data):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = data.draw(data_sets(folder / 'rows'))
        dataset = open_dataset(write(made, folder / 'set', Format.LEROBOT_V30, ONE))
        for episode, table in zip(dataset.episodes, rows_of(dataset), strict=True):
            values = np.array(table.column('action').to_pylist(), np.float64)
            figures = episode.statistics['action']
            np.testing.assert_array_equal(figures['min'], values.min(axis=0))
            np.testing.assert_array_equal(figures['max'], values.max(axis=0))
            np.testing.assert_allclose(figures['mean'], values.mean(axis=0))
            np.testing.assert_allclose(figures['std'], values.std(axis=0))
            for quantile, share in QUANTILES.items():
                below = (values <= figures[quantile]).mean(axis=0)
                assert (below >= share - 1e-9).all()
                assert (np.sort(values, axis=0) == figures[quantile]).any(axis=0).all()


@pytest.mark.parametrize('target', OTHERS)
def test_images_survive_a_round_trip_bit_for_bit(tmp_path, target):
    made = recording(7, 3, 12)
    first = open_dataset(
        write_recording(made, tmp_path / 'first', Format.LEROBOT_V30, options=ONE)
    )
    middle = open_dataset(write(first, tmp_path / 'middle', target, ONE))
    last = open_dataset(write(middle, tmp_path / 'last', Format.LEROBOT_V30, ONE))
    assert_same(first, middle)
    assert_same(first, last)
    for key in first.video_keys:
        for one, two, three in zip(first.episodes, middle.episodes, last.episodes, strict=True):
            decoded = [list(images(part.videos[key], 30)) for part in (one, two, three)]
            assert [len(part) for part in decoded] == [one.length] * 3
            for (_, left), (_, centre), (_, right) in zip(*decoded, strict=True):
                assert np.array_equal(left, centre)
                assert np.array_equal(left, right)


def test_av1_becomes_h264_for_groot_and_stays_av1_between_lerobot_formats(tmp_path):
    options = Options(codec=VideoCodec.AV1, workers=1)
    av1 = open_dataset(
        write_recording(recording(6, 4), tmp_path / 'av1', Format.LEROBOT_V30, options=options)
    )
    v21 = open_dataset(write(av1, tmp_path / 'v21', Format.LEROBOT_V21, ONE))
    groot = open_dataset(write(av1, tmp_path / 'groot', Format.GROOT, ONE))
    key = 'observation.images.wrist'
    assert v21.features[key].extra['info']['video.codec'] == 'av1'
    assert groot.features[key].extra['info']['video.codec'] == 'h264'
    for episode in groot.episodes:
        assert len(list(images(episode.videos[key], 30))) == episode.length
