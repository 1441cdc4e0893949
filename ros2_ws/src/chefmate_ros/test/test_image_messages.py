from array import array

import numpy as np
import pytest
from sensor_msgs.msg import CompressedImage, Image

from chefmate_core.camera.intrinsics import ideal_intrinsics
from chefmate_core.errors import CameraError
from chefmate_ros import image_messages, jpeg_messages

RNG = np.random.default_rng(7)
HEADER = image_messages.image_header(1_795_000_000_123_456_789, 'wrist_camera_optical_frame')


def gradient() -> np.ndarray:
    """Smooth, and different in each channel, so that a swap of red and blue cannot hide."""
    column = np.linspace(0, 255, 64, dtype=np.uint8)
    image = np.zeros((48, 64, 3), dtype=np.uint8)
    image[..., 0] = column
    image[..., 1] = 128
    image[..., 2] = 255 - column // 2
    return image


def test_a_stamp_survives_to_the_nanosecond():
    assert image_messages.stamp_ns(HEADER) == 1_795_000_000_123_456_789


def test_an_image_comes_back_byte_for_byte_without_a_copy():
    image = RNG.integers(0, 256, (48, 64, 3), dtype=np.uint8)
    message = image_messages.image_message(image, HEADER)
    assert (message.width, message.height, message.step) == (64, 48, 192)
    assert message.encoding == 'rgb8'
    assert isinstance(message.data, array)
    back = image_messages.rgb_image(message)
    np.testing.assert_array_equal(back, image)
    assert np.shares_memory(back, np.frombuffer(message.data, np.uint8))


def test_a_view_that_is_not_contiguous_is_sent_as_it_looks():
    image = RNG.integers(0, 256, (48, 64, 3), dtype=np.uint8)[::-1, ::2]
    message = image_messages.image_message(image, HEADER)
    np.testing.assert_array_equal(image_messages.rgb_image(message), image)


def test_bgr_and_mono_come_back_as_rgb():
    pixels = RNG.integers(0, 256, (4, 5, 3), dtype=np.uint8)
    bgr = Image(height=4, width=5, step=15, encoding='bgr8', data=array('B', pixels.tobytes()))
    np.testing.assert_array_equal(image_messages.rgb_image(bgr), pixels[..., ::-1])
    grey = pixels[..., 0].copy()
    mono = Image(height=4, width=5, step=5, encoding='mono8', data=array('B', grey.tobytes()))
    np.testing.assert_array_equal(image_messages.rgb_image(mono), np.dstack([grey] * 3))


def test_padding_at_the_end_of_rows_is_left_out():
    pixels = RNG.integers(0, 256, (4, 5, 3), dtype=np.uint8)
    padded = np.full((4, 20), 77, dtype=np.uint8)
    padded[:, :15] = pixels.reshape(4, 15)
    message = Image(height=4, width=5, step=20, encoding='rgb8', data=array('B', padded.tobytes()))
    np.testing.assert_array_equal(image_messages.rgb_image(message), pixels)


@pytest.mark.parametrize(
    ('fields', 'complaint'),
    [
        ({'encoding': '16UC1'}, '16UC1'),
        ({'step': 14}, 'step 14'),
        ({'height': 5}, 'holds 60 bytes'),
        ({'data': array('B')}, 'holds 0 bytes'),
    ],
)
def test_a_message_that_lies_about_itself_is_refused(fields, complaint):
    good = {'height': 4, 'width': 5, 'step': 15, 'encoding': 'rgb8'}
    message = Image(**{**good, 'data': array('B', bytes(60)), **fields})
    with pytest.raises(CameraError, match=complaint):
        image_messages.rgb_image(message)


@pytest.mark.parametrize('image', [np.zeros((4, 5, 3)), np.zeros((4, 5), np.uint8)])
def test_what_is_no_rgb_image_is_not_sent(image):
    with pytest.raises(CameraError, match='uint8 image'):
        image_messages.image_message(image, HEADER)


def test_a_jpeg_keeps_its_colours_in_their_channels():
    message = jpeg_messages.jpeg_message(gradient(), HEADER, quality=95)
    assert message.format.startswith('rgb8; jpeg')
    assert len(message.data) < gradient().nbytes / 4
    back = jpeg_messages.rgb_from_jpeg(message)
    assert np.abs(back.astype(int) - gradient()).mean() < 3.0


@pytest.mark.parametrize('content', [b'', b'\xff\xd8not a jpeg'])
def test_bytes_that_are_no_jpeg_are_refused(content):
    message = CompressedImage(format='jpeg', data=array('B', content))
    with pytest.raises(CameraError, match='no readable image'):
        jpeg_messages.rgb_from_jpeg(message)


def test_camera_info_carries_the_intrinsics_and_the_header_of_its_image():
    intrinsics = ideal_intrinsics(640, 480, 60.0)
    info = image_messages.camera_info_message(intrinsics, HEADER)
    assert (info.width, info.height) == (640, 480)
    assert info.header == HEADER
    assert info.distortion_model == 'plumb_bob'
    np.testing.assert_allclose(info.k, intrinsics.camera_matrix.ravel())
    np.testing.assert_allclose(info.p, intrinsics.projection.ravel())
    np.testing.assert_allclose(info.r, np.eye(3).ravel())
    np.testing.assert_allclose(info.d, np.zeros(5))
