"""An open clutch is remembered over a crash."""

import pytest

from chefmate_core.errors import ConfigurationError
from chefmate_core.teleop.marker import PausedMarker


def test_a_pause_is_remembered_until_the_clutch_is_engaged(tmp_path):
    path = tmp_path / 'run' / 'clutch'
    PausedMarker(path).set(paused=True)
    assert PausedMarker(path).is_set
    PausedMarker(path).set(paused=False)
    PausedMarker(path).set(paused=False)
    assert not PausedMarker(path).is_set


def test_without_a_file_nothing_is_remembered():
    marker = PausedMarker(None)
    marker.set(paused=True)
    assert not marker.is_set


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / 'file').touch()
    with pytest.raises(ConfigurationError, match='run_dir'):
        PausedMarker(tmp_path / 'file' / 'clutch').set(paused=True)
