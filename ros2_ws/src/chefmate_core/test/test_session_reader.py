"""A session's bags become frames at the data set's rate."""

import io
import json
import pickle
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image
from small_session import (
    CALIBRATION,
    FPS,
    SIZE,
    START_S,
    EpisodePlan,
    jpeg,
    motion_rad,
    picture,
    write_session,
)

from chefmate_core.dataset.errors import DatasetError
from chefmate_core.errors import CameraError
from chefmate_core.observing.jpeg import JpegDecoder
from chefmate_core.session_reader import open_session
from chefmate_core.session_reader.ticks import EpisodeCounts

STATE, ACTION = '/follower/joint_states', '/follower/joint_commands_applied'
WRIST, SCENE = '/wrist/image_raw/compressed', '/scene/image_raw/compressed'


def read(folder, alter=None, **plan):
    """Return frames, ticks and counts of a session of one episode."""
    plans = [EpisodePlan(**plan)] if alter is None else [EpisodePlan(alter=alter, **plan)]
    episode = open_session(write_session(folder / 'session', plans)).episodes[0]
    counts = EpisodeCounts()
    frames = list(episode.frames(counts))
    return frames, list(episode.ticks()), counts


def test_frames_come_at_the_rate_of_the_session_with_what_was_measured_then(tmp_path):
    frames, ticks, counts = read(tmp_path)
    assert len(frames) == 60
    for index, (frame, tick) in enumerate(zip(frames, ticks, strict=True)):
        assert frame.timestamp_s == index / FPS
        assert tick.stamp_s <= tick.time_s
        at_s = tick.stamp_s - START_S
        np.testing.assert_allclose(frame.state_rad, motion_rad(at_s - 0.05, 0.2), atol=1e-5)
        # Commands are stamped 2 ms after a state: the newest at its instant is the one before.
        np.testing.assert_allclose(frame.action_rad, motion_rad(at_s - 0.01, 0.2), atol=1e-5)
    assert counts.refused == [] and not +counts.held_images and not +counts.unreadable_images


def test_images_are_those_that_were_recorded(tmp_path):
    frames, ticks, _ = read(tmp_path, duration_s=0.5)
    for frame, tick in zip(frames, ticks, strict=True):
        for camera, image in frame.images.items():
            meant = picture(camera, tick.image_stamps_s[camera] - START_S)
            assert image.shape == (*SIZE, 3) and image.dtype == np.uint8
            assert np.abs(image.astype(int) - meant).mean() < 6  # JPEG of noise


def test_a_jpeg_is_decoded_as_others_decode_it():
    smooth = np.asarray(
        Image.fromarray(picture('scene', 0.0)).resize((640, 480), Image.Resampling.BICUBIC)
    )
    content = jpeg(smooth)
    ours = JpegDecoder().decode(content).astype(int)
    theirs = np.asarray(Image.open(io.BytesIO(content)).convert('RGB')).astype(int)
    assert np.abs(ours - theirs).mean() < 0.6
    assert np.abs((ours - theirs).mean(axis=(0, 1))).max() < 0.2  # no tint


@pytest.mark.parametrize(
    'spoil', [lambda data: b'', lambda data: b'GIF89a', lambda data: data[: len(data) // 2]]
)
def test_a_damaged_jpeg_is_refused_and_the_next_good_one_is_not(spoil):
    decoder, good = JpegDecoder(), jpeg(picture('wrist', 0.0))
    with pytest.raises(CameraError, match='JPEG'):
        decoder.decode(spoil(good))
    assert decoder.decode(good).shape == (*SIZE, 3)


def test_messages_that_were_recorded_out_of_order_are_used_in_the_order_of_their_stamps(tmp_path):
    def shuffle(messages):
        rng = np.random.default_rng(1)
        return [
            replace(m, recorded_s=m.recorded_s + rng.uniform(0, 0.3)) if m.topic == WRIST else m
            for m in messages
        ]

    calm, *_ = read(tmp_path / 'calm')
    late, _, counts = read(tmp_path / 'late', shuffle)
    assert counts.streams.out_of_order['wrist'] > 0
    for one, other in zip(calm, late, strict=True):
        np.testing.assert_array_equal(one.images['wrist'], other.images['wrist'])
        np.testing.assert_array_equal(one.state_rad, other.state_rad)


def test_a_stamp_that_comes_twice_counts_once(tmp_path):
    def double(messages):
        return messages + [m for m in messages if m.topic == STATE][10:20]

    frames, _, counts = read(tmp_path, double)
    assert counts.streams.repeated['state'] == 10 and len(frames) == 60


def test_a_lost_image_is_replaced_by_the_one_before_and_counted(tmp_path):
    def lose(messages):
        images = [m for m in messages if m.topic == SCENE]
        return [m for m in messages if m not in (images[20], images[40])]

    frames, _, counts = read(tmp_path, lose)
    assert counts.held_images['scene'] == 2
    same = [np.array_equal(a.images['scene'], b.images['scene']) for a, b in pairwise(frames)]
    assert np.flatnonzero(same).tolist() == [19, 39]


def test_an_image_that_cannot_be_decoded_is_replaced_by_the_one_before(tmp_path):
    def damage(messages):
        place = [i for i, m in enumerate(messages) if m.topic == WRIST][30]
        messages[place] = replace(messages[place], value=b'\xff\xd8 no image')
        return messages

    frames, _, counts = read(tmp_path, damage)
    assert counts.unreadable_images['wrist'] == 1 and len(frames) == 60


def test_a_camera_that_falls_silent_is_told_where_a_live_policy_would_have_stopped(tmp_path):
    def pull(messages):
        return [m for m in messages if m.topic != WRIST or m.stamp_s < START_S + 1.0]

    frames, ticks, counts = read(tmp_path, pull)
    assert len(frames) == 60
    first = counts.refused[0]
    assert 1.0 < ticks[first].time_s - START_S < 1.7  # images at most 0.1 s apart, 0.5 s old
    assert counts.refused == list(range(first, 60))
    np.testing.assert_array_equal(frames[-1].images['wrist'], frames[-5].images['wrist'])


def test_wild_stamps_and_malformed_joints_are_left_out_and_counted(tmp_path):
    def spoil(messages):
        states = [i for i, m in enumerate(messages) if m.topic == STATE]
        messages[states[50]] = replace(messages[states[50]], stamp_s=START_S + 9999)
        messages[states[60]] = replace(messages[states[60]], stamp_s=0.0)
        messages[states[70]] = replace(messages[states[70]], value=np.full(6, np.nan))
        return messages

    frames, _, counts = read(tmp_path, spoil)
    assert counts.streams.bad_stamps['state'] == 2 and counts.streams.malformed['state'] == 1
    assert len(frames) == 60 and all(np.all(np.isfinite(f.state_rad)) for f in frames)


def test_an_episode_survives_pickle_and_counts_its_frames_without_reading_them(tmp_path):
    session = open_session(write_session(tmp_path / 'session', [EpisodePlan(), EpisodePlan()]))
    assert [episode.index for episode in session.episodes] == [0, 1]
    assert session.calibration == CALIBRATION and session.robot_type == 'so101_follower'
    episode = pickle.loads(pickle.dumps(session.episodes[1]))
    assert episode.frame_count == len(list(episode.frames())) == 60
    slower = open_session(tmp_path / 'session', fps=10).episodes[0]
    assert slower.frame_count == len(list(slower.frames())) == 20


def test_a_missing_topic_is_named(tmp_path):
    def drop(messages):
        return [m for m in messages if m.topic != ACTION]

    with pytest.raises(DatasetError, match='no usable messages of action'):
        read(tmp_path, drop)


def test_a_truncated_bag_is_refused_with_what_to_do(tmp_path):
    folder = write_session(tmp_path / 'session', [EpisodePlan()])
    (file,) = (folder / 'episode_000000').glob('*.mcap')
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    with pytest.raises(DatasetError, match='chefmate dataset repair'):
        list(open_session(folder).episodes[0].frames())


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'format': 2}, 'format is 2'),
        ({'fps': 0}, 'fps is 0'),
        ({'fps': 'fast'}, 'fps is .fast.'),
        ({'units': 'degrees'}, 'in rad'),
        ({'cameras': {'wrist': {'width': 640}}}, 'camera .wrist.'),
        ({'follower_calibration': {}}, 'missing joint'),
    ],
)
def test_a_damaged_session_file_is_refused_by_name(tmp_path, change, message):
    folder = write_session(tmp_path / 'session', [EpisodePlan(duration_s=0.2)])
    content = json.loads((folder / 'session.json').read_text())
    (folder / 'session.json').write_text(json.dumps(content | change))
    with pytest.raises(DatasetError, match=message):
        open_session(folder)
