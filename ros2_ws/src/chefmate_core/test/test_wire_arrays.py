"""Arrays in bytes: what numpy writes is read; a claim alone allocates nothing."""

import io
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from chefmate_core.policy.wire.arrays import dtype_named, from_buffer, from_npy, to_npy
from chefmate_core.policy.wire.errors import Code, RequestError
from chefmate_core.policy.wire.json_codec import dump, load
from chefmate_core.policy.wire.msgpack_codec import pack, unpack

DTYPES = st.sampled_from(['u1', '<f4', '<f8', '>f4', '<i8', '?', '<f2', '<u2'])
ARRAYS = DTYPES.flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=4, min_side=0))
)


@settings(deadline=None)
@given(array=ARRAYS)
def test_an_array_comes_back_as_it_went(array):
    back = from_npy(to_npy(array))
    assert (back.dtype, back.shape) == (array.dtype, array.shape)
    assert back.tobytes() == array.tobytes()


@settings(deadline=None)
@given(array=ARRAYS)
def test_an_array_comes_back_through_both_codecs(array):
    for codec in (lambda value: unpack(pack(value)), lambda value: load(dump(value))):
        back = codec({'a': [array]})['a'][0]
        assert (back.dtype, back.shape) == (array.dtype, array.shape)
        assert back.tobytes() == array.tobytes()


@pytest.mark.parametrize('order', ['C', 'F'])
def test_what_numpy_saves_is_read_in_either_order(order):
    array = np.asarray(np.arange(24.0).reshape(2, 3, 4), order=order)
    file = io.BytesIO()
    np.save(file, array)
    assert np.array_equal(from_npy(file.getvalue()), array)


def test_text_in_arrays_is_read():
    assert from_npy(to_npy(np.array(['pick up the bread']))).tolist() == ['pick up the bread']


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_a_damaged_npy_file_is_an_array_or_an_error(data):
    good = to_npy(np.arange(12, dtype='<f4').reshape(3, 4))
    damaged = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(good) - 1))] = data.draw(st.integers(0, 255))
    damaged = damaged[: data.draw(st.integers(0, len(good)))]
    try:
        assert isinstance(from_npy(bytes(damaged)), np.ndarray)
    except RequestError as error:
        assert error.code in (Code.BAD_REQUEST, Code.TOO_LARGE)


@pytest.mark.parametrize('size', [10**9, 10**30])
def test_a_claim_of_much_memory_allocates_none(size):
    header = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({size},)}}".ljust(117) + '\n'
    data = b'\x93NUMPY\x01\x00' + len(header).to_bytes(2, 'little') + header.encode()
    tracemalloc.start()
    with pytest.raises(RequestError, match='claims') as caught:
        from_npy(data + b'x' * 100)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
    assert caught.value.code == Code.TOO_LARGE


def test_elements_that_are_fewer_than_the_shape_says_are_refused():
    with pytest.raises(RequestError, match='has 12 bytes; found 11: the message was cut off'):
        from_buffer(b'x' * 11, np.dtype('<f4'), (3,))


def test_a_shape_that_holds_nothing_but_is_huge_is_no_harm():
    for shape in ((0, 10**30), (10**18, 0, 10**18)):
        with pytest.raises(RequestError):
            from_buffer(b'', np.dtype('u1'), shape)


@pytest.mark.parametrize('name', ['O', 'object', 'f9', '', None, 7, ['f4'], 'f4,f4', '(2,)f4' * 9])
def test_a_dtype_that_is_none_is_refused(name):
    with pytest.raises(RequestError, match=r'dtype|numbers or text'):
        from_buffer(b'x' * 8, dtype_named(name), (1,))


def test_nothing_is_ever_unpickled():
    file = io.BytesIO()
    np.save(file, np.array([print], dtype=object), allow_pickle=True)
    with pytest.raises(RequestError, match='numbers or text'):
        from_npy(file.getvalue())
