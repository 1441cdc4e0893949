import math
import os
import time

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chefmate.cameras.opening import open_source
from chefmate.cameras.v4l2 import MAX_BUFFER_AGE_S, buffer_age_s
from chefmate_core.camera.settings import CameraSettings
from chefmate_core.errors import CameraError

RED, GREEN, BLUE = (200, 20, 20), (20, 200, 20), (20, 20, 200)


def film(path, colours, width_px=64, height_px=48):
    """Write a video with one picture of each rgb colour."""
    writer = cv2.VideoWriter(
        str(path), cv2.VideoWriter.fourcc(*'MJPG'), 30.0, (width_px, height_px)
    )
    assert writer.isOpened()
    for colour in colours:
        writer.write(np.full((height_px, width_px, 3), colour[::-1], np.uint8))
    writer.release()
    return path


def opened(source, **changes):
    settings = CameraSettings(
        **{'name': 'wrist', 'source': str(source), 'width_px': 64, 'height_px': 48, **changes}
    )
    return open_source(settings, time.time_ns)


def nearest(image):
    """The colour that an image has, through JPEG's rounding."""
    mean = image.mean(axis=(0, 1))
    return min((RED, GREEN, BLUE), key=lambda colour: np.abs(mean - colour).sum())


def test_a_video_plays_in_rgb_and_starts_again_at_its_end(tmp_path):
    source = opened(film(tmp_path / 'film.avi', [RED, GREEN, BLUE]), rate_hz=200.0)
    colours = [nearest(source.read().image) for _ in range(7)]
    assert colours == [RED, GREEN, BLUE, RED, GREEN, BLUE, RED]


def test_a_video_is_never_faster_than_its_rate_and_stamps_when_a_picture_is_due(tmp_path):
    source = opened(film(tmp_path / 'film.avi', [RED, GREEN]), rate_hz=50.0)
    frames = [source.read() for _ in range(10)]
    read_s = np.array([frame.steady_s for frame in frames])
    # A picture that a stalled machine read late is followed by one in time: one period less.
    first_to_last_s = read_s[None, :] - read_s[:, None]
    periods = np.arange(10)[None, :] - np.arange(10)[:, None]
    assert np.all((first_to_last_s > 0.020 * (periods - 1.0) - 1e-3)[periods > 0])
    assert all(frame.stamp_ns > 0 for frame in frames)


def test_a_video_that_is_closed_ends_its_reader(tmp_path):
    source = opened(film(tmp_path / 'film.avi', [RED]), rate_hz=0.1)
    source.close()
    with pytest.raises(CameraError):
        source.read()
    source.close()


def test_a_video_that_vanishes_is_a_lost_camera(tmp_path):
    path = film(tmp_path / 'film.avi', [RED, GREEN])
    source = opened(path, rate_hz=200.0)
    path.unlink()
    with pytest.raises(CameraError, match='no readable picture'):
        for _ in range(5):
            source.read()


def test_a_video_of_another_size_is_refused_with_both_sizes(tmp_path):
    with pytest.raises(CameraError, match=r'64x48, expected 640x480'):
        opened(film(tmp_path / 'film.avi', [RED]), width_px=640, height_px=480)


@pytest.mark.parametrize('content', [b'', b'not a video'])
def test_a_file_that_is_no_video_is_refused(tmp_path, content):
    path = tmp_path / 'film.avi'
    path.write_bytes(content)
    with pytest.raises(CameraError, match='no readable picture'):
        opened(path)


def test_a_missing_camera_says_which_and_what_to_do(tmp_path):
    with pytest.raises(CameraError, match=r'wrist.*none.*Plug.*udev.*found'):
        opened(tmp_path / 'none')


def test_a_device_that_is_no_camera_is_refused():
    with pytest.raises(CameraError, match='is no camera'):
        opened('/dev/null')


def test_a_folder_is_no_camera(tmp_path):
    with pytest.raises(CameraError, match='neither a device nor a file'):
        opened(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason='root may read everything')
def test_a_camera_without_permission_names_the_group(tmp_path):
    path = film(tmp_path / 'film.avi', [RED])
    path.chmod(0)
    with pytest.raises(CameraError, match='group video'):
        opened(path)


@given(age_s=st.floats(0.0, MAX_BUFFER_AGE_S * 0.99))
def test_a_frame_is_as_old_as_its_driver_says(age_s):
    assert buffer_age_s(1000.0 - age_s, 1000.0) == pytest.approx(age_s, abs=1e-9)


@pytest.mark.parametrize('driver_stamp_s', [math.nan, math.inf, -math.inf, 0.0, 1000.1, 1.79e9])
def test_a_driver_stamp_of_another_clock_is_not_believed(driver_stamp_s):
    assert buffer_age_s(driver_stamp_s, 1000.0) == 0.0
