import math

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from chefmate_core.camera.intrinsics import ideal_intrinsics, load_intrinsics
from chefmate_core.errors import ConfigurationError


def calibration(**changes):
    """A file as `camera_calibration` writes it."""
    content = {
        'image_width': 640,
        'image_height': 480,
        'camera_name': 'wrist',
        'camera_matrix': {'rows': 3, 'cols': 3, 'data': [600.0, 0, 320, 0, 601.0, 240, 0, 0, 1]},
        'distortion_model': 'plumb_bob',
        'distortion_coefficients': {'rows': 1, 'cols': 5, 'data': [0.1, -0.2, 0.0, 0.0, 0.05]},
        'rectification_matrix': {'rows': 3, 'cols': 3, 'data': [1, 0, 0, 0, 1, 0, 0, 0, 1]},
        'projection_matrix': {
            'rows': 3,
            'cols': 4,
            'data': [590.0, 0, 321, 0, 0, 592.0, 241, 0, 0, 0, 1, 0],
        },
    }
    return {**content, **changes}


@pytest.fixture
def write(tmp_path):
    def write_file(content):
        path = tmp_path / 'wrist.yaml'
        path.write_text(content if isinstance(content, str) else yaml.safe_dump(content))
        return path

    return write_file


@pytest.mark.parametrize(('fov_deg', 'focal_px'), [(60.0, 415.69), (78.0, 296.37)])
def test_the_two_cameras_have_the_focal_lengths_of_their_fields_of_view(fov_deg, focal_px):
    intrinsics = ideal_intrinsics(640, 480, fov_deg)
    assert intrinsics.camera_matrix[0, 0] == pytest.approx(focal_px, abs=0.01)
    assert intrinsics.camera_matrix[1, 1] == intrinsics.camera_matrix[0, 0]
    np.testing.assert_allclose(intrinsics.camera_matrix[:2, 2], [319.5, 239.5])


@given(
    fov_deg=st.floats(1.0, 170.0),
    width_px=st.integers(1, 4000),
    height_px=st.integers(1, 4000),
)
def test_a_ray_at_half_the_field_of_view_meets_the_edge_of_the_image(fov_deg, width_px, height_px):
    intrinsics = ideal_intrinsics(width_px, height_px, fov_deg)
    ray = np.array([0.0, math.tan(math.radians(fov_deg / 2)), 1.0])  # downwards in the image
    u, v, _ = intrinsics.camera_matrix @ ray
    assert v == pytest.approx(height_px - 0.5)  # lower edge of the last row, whose centre is h - 1
    assert u == pytest.approx((width_px - 1) / 2)
    assert intrinsics.vertical_fov_deg == pytest.approx(fov_deg)


@pytest.mark.parametrize('fov_deg', [math.nan, math.inf, 0.0, -60.0, 180.0])
def test_a_field_of_view_that_no_camera_has_is_refused(fov_deg):
    with pytest.raises(ConfigurationError, match='field of view'):
        ideal_intrinsics(640, 480, fov_deg)


def test_a_size_of_zero_is_refused():
    with pytest.raises(ConfigurationError, match='0x480'):
        ideal_intrinsics(0, 480, 60.0)


def test_a_calibration_file_is_read_as_it_is(write):
    intrinsics = load_intrinsics(write(calibration()), 640, 480)
    assert intrinsics.camera_matrix[1, 1] == 601.0
    assert intrinsics.distortion.tolist() == [0.1, -0.2, 0.0, 0.0, 0.05]
    assert intrinsics.projection[0].tolist() == [590.0, 0.0, 321.0, 0.0]


def test_a_fisheye_calibration_is_read(write):
    fisheye = calibration(
        distortion_model='equidistant',
        distortion_coefficients={'rows': 1, 'cols': 4, 'data': [0.1, 0.2, 0.3, 0.4]},
    )
    assert load_intrinsics(write(fisheye), 640, 480).distortion.shape == (4,)


def test_a_calibration_made_at_another_size_is_refused_and_names_both_sizes(write):
    with pytest.raises(ConfigurationError, match=r'640x480.*1280x720'):
        load_intrinsics(write(calibration()), 1280, 720)


@pytest.mark.parametrize(
    ('content', 'complaint'),
    [
        ('', 'mapping'),
        ('- 1', 'mapping'),
        ('a: [', 'cannot be read'),
        (calibration(distortion_model='magic'), 'magic'),
        (calibration(camera_matrix={'rows': 3, 'cols': 3, 'data': [1.0] * 8}), 'reshape'),
        (calibration(camera_matrix={'rows': 2, 'cols': 2, 'data': [1.0] * 4}), 'camera_matrix'),
        (calibration(camera_matrix={'rows': 3, 'cols': 3, 'data': [math.nan] * 9}), 'finite'),
        (calibration(camera_matrix={'rows': 3, 'cols': 3, 'data': [0.0] * 9}), 'focal'),
        (calibration(camera_matrix=[1, 2, 3]), 'wrist.yaml'),
        ({key: v for key, v in calibration().items() if key != 'projection_matrix'}, 'missing'),
    ],
)
def test_a_calibration_that_cannot_be_meant_is_refused(write, content, complaint):
    with pytest.raises(ConfigurationError, match=complaint):
        load_intrinsics(write(content), 640, 480)


def test_a_missing_calibration_says_which_and_what_to_give(tmp_path):
    with pytest.raises(ConfigurationError, match=r'none\.yaml.*ideal camera'):
        load_intrinsics(tmp_path / 'none.yaml', 640, 480)
