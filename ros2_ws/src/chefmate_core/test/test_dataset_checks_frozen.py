"""A frozen camera is seen through the codecs of data sets, in pictures as large as real ones."""

import numpy as np
import pytest

from chefmate_core.dataset.model import VideoSpan
from chefmate_core.dataset.video import VideoCodec, VideoWriter, images
from chefmate_core.dataset_checks.episode_data import EpisodeData
from chefmate_core.dataset_checks.findings import Repairs
from chefmate_core.dataset_checks.image_checks import check_images
from chefmate_core.dataset_checks.pictures import CameraPictures, take, wanted_rows

FPS, COUNT = 30, 105
REPAIRS = Repairs('set', 'groot')


def room(seed):
    """Return a picture full of edges and grain, (480, 640, 3): what codecs find hard."""
    random = np.random.default_rng(seed)
    image = np.kron(random.integers(20, 235, (24, 32, 3)), np.ones((20, 20, 1)))
    return (image + random.normal(0, 6, image.shape)).clip(0, 255)


def frames(seed, moving, shift_px=4):
    """Yield images of a room with a thing in it that moves while `moving(row)`."""
    random, still, left, last = np.random.default_rng(seed), room(seed), 20, None
    for row in range(COUNT):
        if moving(row) or last is None:
            left += shift_px
            image = still.copy()
            image[200:290, left : left + 90] = (230, 40, 40)
            last = (image + random.normal(0, 2, image.shape)).clip(0, 255).astype(np.uint8)
        yield last


def findings(tmp_path, codec, pictures_of, travel):
    """Check an episode in which a joint goes `travel` units, its images through a codec."""
    path = tmp_path / 'video.mp4'
    with VideoWriter(path, FPS, 480, 640, codec) as writer:
        for image in pictures_of:
            writer.add(image)
    rows, strip = wanted_rows(COUNT, FPS)
    pictures = CameraPictures(from_video=True)
    take(images(VideoSpan(path, 0.0, COUNT), FPS, rows), strip, pictures)
    state = np.zeros((COUNT, 6))
    state[:, 1] = np.linspace(-travel / 2, travel / 2, COUNT)
    time_s = np.arange(COUNT) / FPS
    data = EpisodeData(2, 'rows', FPS, 'wave', time_s, state, state, {'wrist': pictures})
    return list(check_images(data, REPAIRS))


@pytest.mark.parametrize('seed', [0, 1])
@pytest.mark.parametrize('codec', VideoCodec)
def test_a_camera_that_freezes_for_two_seconds_is_seen_through_the_codec(tmp_path, codec, seed):
    (finding,) = findings(tmp_path, codec, frames(seed, lambda row: row < 33), travel=80)
    assert finding.name == 'frozen-camera' and finding.where.episode == 2
    first, last = [int(word) for word in finding.found.split() if word.isdigit()][:2]
    assert 27 <= first <= 42 and last >= COUNT - 6


@pytest.mark.parametrize('codec', VideoCodec)
def test_a_still_scene_of_an_arm_at_rest_is_no_frozen_camera(tmp_path, codec):
    assert findings(tmp_path, codec, frames(0, lambda row: False), travel=5) == []


def test_a_slow_thing_that_is_seen_to_move_is_no_frozen_camera(tmp_path):
    slow = frames(0, lambda row: True, shift_px=1)
    assert findings(tmp_path, VideoCodec.H264, slow, travel=80) == []
