"""The capture thread against a synthetic camera that stalls, freezes, blackens, is unplugged."""

import time

import pytest

from chefmate_core.camera.capture import CaptureLoop
from chefmate_core.camera.monitor import FrameMonitor, FrameMonitorConfig
from chefmate_core.camera.synthetic import CameraFault, SyntheticCamera
from chefmate_core.diagnosis import Level
from chefmate_core.errors import CameraError

PATIENCE_S = 10.0


class Rig:
    """A synthetic camera, its capture loop, and what the loop delivered."""

    def __init__(self, deliver=None, **options):
        self.camera = SyntheticCamera(64, 48, period_s=0.005)
        self.frames = []
        config = FrameMonitorConfig(64, 48, stall_timeout_s=0.15, frozen_after_frames=5)
        self.loop = CaptureLoop(
            self.camera.open,
            deliver or self.frames.append,
            FrameMonitor(config),
            period_s=0.005,
            reopen_period_s=0.02,
            **options,
        )

    def wait(self, condition):
        """Wait until the condition holds; how long that takes is not what is tested."""
        deadline_s = time.monotonic() + PATIENCE_S
        while not condition():
            assert time.monotonic() < deadline_s, self.loop.diagnosis()
            time.sleep(0.005)

    def wait_for_news(self, more=5):
        seen = len(self.frames)
        self.wait(lambda: len(self.frames) >= seen + more)

    def wait_for(self, level, word):
        def told():
            diagnosis = self.loop.diagnosis()
            return diagnosis.level is level and word in diagnosis.message

        self.wait(told)


@pytest.fixture
def rig():
    rig = Rig()
    rig.loop.start()
    rig.wait_for_news()
    yield rig
    assert rig.loop.stop()


def test_a_healthy_camera_delivers_and_says_so(rig):
    rig.wait_for(Level.OK, 'streaming')
    values = rig.loop.diagnosis().values
    assert values['frames'] >= values['published'] > 0
    stamps = [frame.steady_s for frame in rig.frames]
    assert stamps == sorted(stamps)


@pytest.mark.parametrize(
    ('fault', 'word'), [(CameraFault.FREEZE, 'frozen'), (CameraFault.BLACK, 'black')]
)
def test_frames_that_show_nothing_new_are_withheld_until_the_camera_recovers(rig, fault, word):
    rig.camera.fault = fault
    rig.wait_for(Level.ERROR, word)
    withheld_from = len(rig.frames)
    bad = rig.loop.diagnosis().values[word]
    rig.wait(lambda: rig.loop.diagnosis().values[word] > bad + 5)
    assert len(rig.frames) == withheld_from
    rig.camera.fault = CameraFault.NONE
    rig.wait_for_news()
    rig.wait_for(Level.OK, 'streaming')


def test_a_stall_is_told_while_the_read_still_hangs(rig):
    rig.camera.fault = CameraFault.STALL
    rig.wait_for(Level.ERROR, 'stalled')
    assert rig.loop.diagnosis().values['rate_hz'] == 0.0
    rig.camera.fault = CameraFault.NONE
    rig.wait_for_news()
    rig.wait_for(Level.OK, 'streaming')
    assert rig.loop.diagnosis().values['stalled'] == 1


def test_an_unplugged_camera_is_opened_again_when_it_returns(rig):
    rig.camera.fault = CameraFault.UNPLUG
    rig.wait_for(Level.ERROR, 'plug it in')
    rig.camera.fault = CameraFault.NONE
    rig.wait_for_news()
    rig.wait_for(Level.OK, 'streaming')
    assert rig.loop.diagnosis().values['reopened'] == 1
    assert rig.camera.times_opened == 2


def test_a_camera_that_changes_size_is_never_delivered_and_is_opened_again(rig):
    rig.camera.fault = CameraFault.SIZE
    rig.wait_for(Level.ERROR, '32x24')
    rig.wait(lambda: rig.camera.times_opened >= 2)
    assert {frame.image.shape for frame in rig.frames} == {(48, 64, 3)}
    rig.camera.fault = CameraFault.NONE
    rig.wait_for_news()


def test_by_choice_black_frames_are_delivered_with_a_warning():
    rig = Rig(withhold_bad_frames=False)
    rig.loop.start()
    try:
        rig.camera.fault = CameraFault.BLACK
        rig.wait_for(Level.WARN, 'black')
        rig.wait_for_news()
    finally:
        assert rig.loop.stop()


def test_a_camera_that_is_missing_at_the_start_is_the_callers_error():
    rig = Rig()
    rig.camera.fault = CameraFault.UNPLUG
    with pytest.raises(CameraError, match='plug it in'):
        rig.loop.start()
    assert rig.loop.stop()


def test_a_delivery_that_fails_costs_one_frame_and_is_counted():
    taken = []

    def deliver(frame):
        taken.append(frame)
        if len(taken) == 3:
            raise RuntimeError('the middleware had a bad moment')

    rig = Rig(deliver=deliver)
    rig.loop.start()
    try:
        rig.wait(lambda: len(taken) > 10)
        values = rig.loop.diagnosis().values
        assert values['publish_errors'] == 1
        assert rig.loop.diagnosis().level is Level.OK
    finally:
        assert rig.loop.stop()


def test_stopping_says_so_when_the_read_hangs():
    rig = Rig()
    rig.loop.start()
    rig.wait_for_news()
    rig.camera.fault = CameraFault.STALL
    rig.wait_for(Level.ERROR, 'stalled')
    assert not rig.loop.stop(timeout_s=0.05)
    rig.camera.fault = CameraFault.NONE
    assert rig.loop.stop()
