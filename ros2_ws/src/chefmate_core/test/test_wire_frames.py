"""Frames as JPEG: colours stay, sizes are known before anything is decoded."""

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chefmate_core.policy.wire.errors import Code, RequestError
from chefmate_core.policy.wire.frames import from_jpeg, jpeg_size, to_jpeg

RED = np.zeros((30, 40, 3), np.uint8)
RED[..., 0] = 200
GOOD = to_jpeg(RED, 90)


def claiming(height, width):
    """A good JPEG whose header says another size."""
    at = GOOD.index(b'\xff\xc0')
    return GOOD[: at + 5] + height.to_bytes(2, 'big') + width.to_bytes(2, 'big') + GOOD[at + 9 :]


def test_red_stays_red_and_the_size_stays():
    image = from_jpeg(GOOD)
    assert image.shape == (30, 40, 3)
    assert np.all(np.abs(image.astype(int) - RED) < 8)


@pytest.mark.parametrize('flag', [cv2.IMWRITE_JPEG_PROGRESSIVE, cv2.IMWRITE_JPEG_OPTIMIZE])
def test_jpegs_of_other_encoders_are_read(flag):
    _, data = cv2.imencode('.jpg', RED, [flag, 1])
    assert jpeg_size(data.tobytes()) == (30, 40)


def test_a_jpeg_that_claims_a_gigapixel_is_refused_before_it_is_decoded():
    with pytest.raises(RequestError, match='30000x30000 is too large') as caught:
        from_jpeg(claiming(30_000, 30_000))
    assert caught.value.code == Code.TOO_LARGE


@pytest.mark.parametrize(
    'data',
    [b'', b'\xff\xd8', b'\xff\xd8' + b'\xff' * 1000, GOOD[:20], b'\x89PNG' * 9, claiming(0, 40)],
)
def test_what_is_no_jpeg_is_refused(data):
    with pytest.raises(RequestError):
        from_jpeg(data)


@settings(max_examples=200, deadline=None)
@given(at=st.integers(0, len(GOOD) - 1), byte=st.integers(0, 255), end=st.integers(0, len(GOOD)))
def test_a_damaged_jpeg_is_a_frame_or_an_error(at, byte, end):
    damaged = bytearray(GOOD)
    damaged[at] = byte
    try:
        image = from_jpeg(bytes(damaged[:end]))
        assert image.dtype == np.uint8
        assert image.shape[2] == 3
    except RequestError:
        pass
