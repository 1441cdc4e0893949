import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chefmate_core.camera.frame import Frame
from chefmate_core.camera.monitor import Finding, FrameMonitor, FrameMonitorConfig
from chefmate_core.errors import ConfigurationError

RNG = np.random.default_rng(3)


def noise(width_px=64, height_px=48, lowest=0, above=256):
    return RNG.integers(lowest, above, (height_px, width_px, 3), dtype=np.uint8)


class Stream:
    """Feeds a monitor with frames 1/30 s apart."""

    def __init__(self, **config):
        self.monitor = FrameMonitor(
            FrameMonitorConfig(**{'width_px': 64, 'height_px': 48, **config})
        )
        self.now_s = 100.0

    def show(self, image, step_s=1 / 30):
        self.now_s += step_s
        return self.monitor.observe(Frame(image, 0, self.now_s))


def test_a_live_stream_has_no_findings():
    stream = Stream()
    assert all(stream.show(noise()) == frozenset() for _ in range(50))
    assert dict(stream.monitor.counts) == {'frames': 50}


@pytest.mark.parametrize('step_s', [math.nan, math.inf, -math.inf, 0.0, -1.0])
def test_a_time_that_does_not_advance_is_found(step_s):
    stream = Stream()
    stream.show(noise())
    assert stream.show(noise(), step_s) == {Finding.BAD_STAMP}


@pytest.mark.parametrize('bad_s', [math.nan, math.inf, -math.inf, 99.0])
def test_one_bad_time_does_not_spoil_the_frames_after_it(bad_s):
    stream = Stream()
    stream.show(noise())
    stream.monitor.observe(Frame(noise(), 0, bad_s))
    assert stream.show(noise()) == set()


def test_a_stream_whose_first_stamp_is_nan_is_stalled_not_fresh():
    stream = Stream()
    stream.show(noise(), math.nan)
    assert stream.monitor.is_stalled(100.0)


@pytest.mark.parametrize(
    'image',
    [
        noise(width_px=32),
        noise(height_px=96),
        noise()[..., 0],
        noise()[..., :2],
        noise().astype(np.float32),
        np.zeros((0, 64, 3), np.uint8),
        np.full((48, 64, 3), np.nan),
    ],
)
def test_another_size_or_type_is_found_before_anything_is_computed(image):
    assert Stream().show(image) == {Finding.WRONG_SIZE}


def test_a_frozen_camera_is_found_at_the_configured_number_of_identical_images():
    stream = Stream(frozen_after_frames=4)
    image = noise()
    findings = [stream.show(image.copy()) for _ in range(6)]
    assert findings == [set(), set(), set(), {Finding.FROZEN}, {Finding.FROZEN}, {Finding.FROZEN}]
    assert stream.show(noise()) == set()
    assert stream.monitor.counts['frozen'] == 3


@given(row=st.integers(0, 47), column=st.integers(0, 63), channel=st.integers(0, 2))
def test_one_changed_byte_anywhere_is_life(row, column, channel):
    stream = Stream(frozen_after_frames=2)
    image = noise()
    stream.show(image)
    changed = image.copy()
    changed[row, column, channel] ^= 1
    assert stream.show(changed) == set()
    assert stream.show(changed.copy()) == {Finding.FROZEN}


def test_a_still_simulation_is_not_frozen_when_the_check_is_off():
    stream = Stream(frozen_after_frames=0)
    image = noise()
    assert all(stream.show(image) == set() for _ in range(100))


def test_an_interruption_starts_the_count_of_identical_images_again():
    stream = Stream(frozen_after_frames=3)
    image = noise()
    stream.show(image)
    stream.show(image)
    stream.show(noise(width_px=32))
    assert stream.show(image) == set()


def test_a_covered_lens_is_black_although_its_sensor_still_makes_noise():
    stream = Stream(black_level=4.0)
    assert stream.show(noise(above=4)) == {Finding.BLACK}
    assert stream.show(noise(lowest=5, above=20)) == set()


def test_a_camera_that_sends_zeros_is_black_and_frozen():
    stream = Stream(frozen_after_frames=2, black_level=0.0)
    stream.show(np.zeros((48, 64, 3), np.uint8))
    assert stream.show(np.zeros((48, 64, 3), np.uint8)) == {Finding.BLACK, Finding.FROZEN}


def test_silence_is_a_stall_and_counts_once_per_silence():
    stream = Stream(stall_timeout_s=0.5)
    stream.show(noise())
    assert not stream.monitor.is_stalled(stream.now_s + 0.5)
    assert stream.monitor.is_stalled(stream.now_s + 0.6)
    assert stream.monitor.is_stalled(stream.now_s + 0.9)
    stream.show(noise(), 1.0)
    assert not stream.monitor.is_stalled(stream.now_s)
    assert stream.monitor.is_stalled(stream.now_s + 2.0)
    assert stream.monitor.counts['stalled'] == 2


def test_a_camera_that_never_spoke_stalls_from_its_start_on():
    monitor = FrameMonitor(FrameMonitorConfig())
    assert monitor.is_stalled(5.0)
    monitor.start(10.0)
    assert not monitor.is_stalled(10.2)
    assert monitor.is_stalled(11.0)


def test_a_clock_that_is_nan_is_a_stall():
    stream = Stream()
    stream.show(noise())
    assert stream.monitor.is_stalled(math.nan)


@pytest.mark.parametrize(
    'config',
    [
        {'width_px': 0},
        {'stall_timeout_s': math.nan},
        {'stall_timeout_s': math.inf},
        {'stall_timeout_s': 0.0},
        {'frozen_after_frames': 1},
        {'frozen_after_frames': -3},
        {'black_level': math.nan},
        {'black_level': 255.0},
        {'black_level': -1.0},
    ],
)
def test_a_configuration_that_cannot_be_meant_is_refused(config):
    with pytest.raises(ConfigurationError):
        FrameMonitorConfig(**config)
