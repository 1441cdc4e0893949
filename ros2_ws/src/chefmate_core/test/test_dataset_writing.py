"""Writing data sets: from recordings, again after an interruption, and never over anything."""

import json
import os
from dataclasses import dataclass, replace

import numpy as np
import pytest
from recordings import CALIBRATION, MadeUpEpisode, recording

from chefmate_core.dataset.convert import Options, write
from chefmate_core.dataset.errors import DatasetError, DatasetRequestError
from chefmate_core.dataset.layout import Format
from chefmate_core.dataset.reading import open_dataset
from chefmate_core.dataset.recorded import write_recording
from chefmate_core.dataset.rows import episode_table
from chefmate_core.dataset.video import VideoCodec, VideoWriter, images, probe, transcode
from chefmate_core.units import LerobotUnits, rad_to_lerobot

ONE = Options(workers=1)
WRIST = 'observation.images.wrist'


@dataclass(frozen=True)
class BrokenOff(MadeUpEpisode):
    """Stops in the middle, as a damaged bag does."""

    def frames(self):
        for frame in super().frames():
            if frame.timestamp_s > 0.1:
                raise DatasetError('the bag ends here')
            yield frame


@dataclass(frozen=True)
class OneCameraShort(MadeUpEpisode):
    def frames(self):
        for frame in super().frames():
            yield replace(frame, images={'scene': frame.images['scene']})


@pytest.mark.parametrize('units', list(LerobotUnits))
def test_positions_are_written_in_the_units_that_were_asked_for(tmp_path, units):
    made = recording(8)
    path = write_recording(made, tmp_path / 'set', Format.LEROBOT_V21, units=units, options=ONE)
    dataset = open_dataset(path)
    table = episode_table(dataset.episodes[0], dataset.features)
    episode = made.episodes[0]
    for key, ahead in (('observation.state', 0), ('action', 1)):
        expected = [
            rad_to_lerobot(episode.state_rad(index + ahead), CALIBRATION, units)
            for index in range(8)
        ]
        np.testing.assert_allclose(np.array(table.column(key).to_pylist()), expected, rtol=1e-6)


def test_the_processes_of_a_parallel_conversion_write_what_one_would(tmp_path):
    made = recording(9, 8, 7)
    one = write_recording(made, tmp_path / 'one', Format.LEROBOT_V30, options=ONE)
    two = write_recording(made, tmp_path / 'two', Format.LEROBOT_V30, options=Options(workers=2))
    for path in sorted(one.rglob('*.parquet')) + sorted(one.rglob('*.json')):
        assert path.read_bytes() == (two / path.relative_to(one)).read_bytes(), path


def test_an_interrupted_conversion_goes_on_where_it_stopped(tmp_path):
    made = recording(5, 6, 20)
    broken = replace(made, episodes=[*made.episodes[:2], BrokenOff(2, 20)])
    destination, partial = tmp_path / 'set', tmp_path / '.set.partial'
    with pytest.raises(DatasetError, match='the bag ends here'):
        write_recording(broken, destination, Format.LEROBOT_V30, options=ONE)
    assert not destination.exists()
    done = partial / 'episodes/000000/observation.images.wrist.mp4'
    before = done.stat().st_mtime_ns
    with pytest.raises(DatasetError, match='the bag ends here'):
        write_recording(broken, destination, Format.LEROBOT_V30, options=ONE)
    assert done.stat().st_mtime_ns == before
    with pytest.raises(DatasetRequestError, match='--restart'):
        write_recording(made, destination, Format.LEROBOT_V30, options=ONE)
    path = write_recording(
        made, destination, Format.LEROBOT_V30, options=Options(workers=1, restart=True)
    )
    assert open_dataset(path).total_frames == 31
    assert not partial.exists()


def test_nothing_is_overwritten(tmp_path):
    destination = tmp_path / 'set'
    destination.mkdir()
    (destination / 'thesis.txt').write_text('years of work')
    with pytest.raises(DatasetRequestError, match='not overwritten'):
        write_recording(recording(3), destination, Format.LEROBOT_V30, options=ONE)
    assert (destination / 'thesis.txt').read_text() == 'years of work'


def test_a_recording_without_episodes_is_refused(tmp_path):
    with pytest.raises(DatasetRequestError, match='no episode to write'):
        write_recording(recording(), tmp_path / 'set', Format.LEROBOT_V30, options=ONE)


def test_a_frame_that_lacks_a_camera_is_named(tmp_path):
    made = replace(recording(3), episodes=[OneCameraShort(4, 3)])
    with pytest.raises(DatasetError, match='episode 4, frame 0: no image of wrist'):
        write_recording(made, tmp_path / 'set', Format.LEROBOT_V30, options=ONE)


def test_an_image_of_another_size_is_refused(tmp_path):
    made = replace(recording(3), cameras={'wrist': (48, 64), 'scene': (96, 128)})
    with pytest.raises(DatasetError, match=r'found shape \(48, 64, 3\)'):
        write_recording(made, tmp_path / 'set', Format.LEROBOT_V30, options=ONE)


def test_progress_counts_up_to_all_episodes(tmp_path):
    seen = []
    write_recording(
        recording(2, 3, 4),
        tmp_path / 'set',
        Format.LEROBOT_V21,
        options=ONE,
        progress=lambda *step: seen.append(step),
    )
    assert [step for step in seen if step[0] == 'episodes'] == [
        ('episodes', done, 3) for done in range(4)
    ]


def test_a_video_that_cannot_be_cut_by_copying_is_compressed_anew(tmp_path):
    """An episode that begins between key images, as other tools may write them."""
    made = recording(10)
    path = write_recording(made, tmp_path / 'set', Format.LEROBOT_V30, options=ONE)
    dataset = open_dataset(path)
    episode = dataset.episodes[0]
    span = replace(episode.videos[WRIST], start_s=3 / 30, length=5)
    late = replace(
        dataset,
        features={
            key: feature for key, feature in dataset.features.items() if not key.endswith('scene')
        },
        episodes=[
            replace(episode, videos={WRIST: span}, length=5, rows=FirstRows(episode.rows, 5))
        ],
    )
    again = open_dataset(write(late, tmp_path / 'late', Format.LEROBOT_V21, ONE))
    shown = [image for _, image in images(again.episodes[0].videos[WRIST], 30)]
    expected = [image for _, image in images(span, 30)]
    assert len(shown) == 5
    assert np.abs(np.array(shown, float) - np.array(expected, float)).mean() < 3


@dataclass(frozen=True)
class FirstRows:
    rows: object
    count: int

    def read(self):
        return self.rows.read().slice(0, self.count)


@pytest.mark.parametrize('codec', list(VideoCodec))
def test_every_single_image_can_be_asked_for(tmp_path, codec):
    options = Options(codec=codec, workers=1)
    made = recording(9, 11)
    path = write_recording(made, tmp_path / 'set', Format.LEROBOT_V30, options=options)
    span = open_dataset(path).episodes[1].videos[WRIST]
    all_images = dict(images(span, 30))
    assert sorted(all_images) == list(range(11))
    for index in range(11):
        assert np.array_equal(dict(images(span, 30, [index]))[index], all_images[index])


def test_groot_gets_h264_and_what_its_loader_asks_for(tmp_path):
    path = write_recording(recording(6, 5), tmp_path / 'set', Format.GROOT, options=ONE)
    info = json.loads((path / 'meta/info.json').read_text())
    camera = info['features'][WRIST]
    height = camera['shape'][camera['names'].index('height')]
    assert (height, camera['info']['video.channels'], camera['info']['video.fps']) == (48, 3, 30)
    assert camera['info']['video.codec'] == 'h264'
    modality = json.loads((path / 'meta/modality.json').read_text())
    for part, key in (('state', 'observation.state'), ('action', 'action')):
        size = info['features'][key]['shape'][0]
        assert modality[part] == {
            'single_arm': {'start': 0, 'end': size - 1},
            'gripper': {'start': size - 1, 'end': size},
        }
    assert modality['annotation'] == {'human.task_description': {'original_key': 'task_index'}}
    statistics = json.loads((path / 'meta/stats.json').read_text())
    for key in ('observation.state', 'action', 'timestamp', 'task_index'):
        assert set(statistics[key]) == {'mean', 'std', 'min', 'max', 'q01', 'q99'}
    dataset = open_dataset(path)
    rows = np.concatenate(
        [
            np.array(episode_table(episode, dataset.features).column('action').to_pylist())
            for episode in dataset.episodes
        ]
    )
    np.testing.assert_allclose(statistics['action']['q99'], np.quantile(rows, 0.99, axis=0), 1e-5)


def test_statistics_of_images_are_made_where_a_data_set_has_none(tmp_path):
    path = write_recording(recording(6), tmp_path / 'set', Format.GROOT, options=ONE)
    stated = open_dataset(path).episodes[0].statistics[WRIST]
    (path / 'meta/episodes_stats.jsonl').unlink()  # as in v2.0 and in many GR00T data sets
    again = open_dataset(write(open_dataset(path), tmp_path / 'v3', Format.LEROBOT_V30, ONE))
    made = again.episodes[0].statistics[WRIST]
    assert made['mean'].shape == (3, 1, 1)
    np.testing.assert_allclose(made['mean'], stated['mean'], atol=0.02)


def test_a_video_of_another_codec_is_transcoded_frame_for_frame(tmp_path):
    path = write_recording(recording(7), tmp_path / 'set', Format.LEROBOT_V21, options=ONE)
    span = open_dataset(path).episodes[0].videos[WRIST]
    transcode(span, tmp_path / 'av1.mp4', 30, VideoCodec.AV1)
    new = dict(images(replace(span, path=tmp_path / 'av1.mp4'), 30))
    for index, image in images(span, 30):
        assert np.abs(image.astype(float) - new[index]).mean() < 5


@pytest.mark.parametrize('codec', VideoCodec)
def test_an_encoder_leaves_the_scheduling_of_its_thread_alone(tmp_path, codec):
    before = os.sched_getscheduler(0), os.sched_getparam(0)
    with VideoWriter(tmp_path / 'a.mp4', 30, 64, 64, codec) as writer:
        assert (os.sched_getscheduler(0), os.sched_getparam(0)) == before
        for _ in range(3):
            writer.add(np.zeros((64, 64, 3), np.uint8))
    assert (os.sched_getscheduler(0), os.sched_getparam(0)) == before
    assert probe(tmp_path / 'a.mp4').frames == 3
