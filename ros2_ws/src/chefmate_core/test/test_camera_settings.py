import math

import pytest

from chefmate_core.camera.settings import CameraSettings
from chefmate_core.errors import ConfigurationError


def test_the_name_gives_the_device_and_the_optical_frame():
    settings = CameraSettings('wrist')
    assert settings.source == '/dev/wrist'
    assert settings.frame_id == 'wrist_camera_optical_frame'
    assert CameraSettings('wrist', source='film.mp4').source == 'film.mp4'


@pytest.mark.parametrize(
    ('changes', 'complaint'),
    [
        ({'name': ''}, 'camera name'),
        ({'name': 'Wrist cam'}, 'camera name'),
        ({'pixel_format': 'JPEG2000'}, 'four characters'),
        ({'jpeg': 'always'}, 'on_demand, never'),
        ({'rate_hz': math.nan}, 'rate_hz'),
        ({'rate_hz': 0.0}, 'rate_hz'),
        ({'jpeg_quality': 0}, 'jpeg_quality'),
        ({'reopen_period_s': math.inf}, 'reopen_period_s'),
        ({'height_px': -480}, '640x-480'),
        ({'black_level': 300.0}, 'black_level'),
    ],
)
def test_a_setting_that_cannot_be_meant_is_refused_by_name(changes, complaint):
    with pytest.raises(ConfigurationError, match=complaint):
        CameraSettings(**{'name': 'wrist', **changes})
