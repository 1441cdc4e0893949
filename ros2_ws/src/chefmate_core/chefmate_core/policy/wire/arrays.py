"""Arrays in bytes: numpy's npy format, and raw elements with a dtype and a shape. No pickle.

The npy format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

import io
import math
from collections.abc import Sequence

import numpy as np

from chefmate_core.policy.wire import limits
from chefmate_core.policy.wire.errors import bad_request, too_large

_KINDS = 'biufUS'  # bool, integers, floats, strings; never objects


def to_npy(array: np.ndarray) -> bytes:
    """Return an array as the bytes of an npy file."""
    file = io.BytesIO()
    np.save(file, array, allow_pickle=False)
    return file.getvalue()


def from_npy(data: bytes) -> np.ndarray:
    """Return the array in the bytes of an npy file, without copying its elements; read-only.

    Raises:
        RequestError: they are no npy file, or hold something else than what their header says.
    """
    file = io.BytesIO(data[: limits.NPY_HEADER_BYTES + 16])
    try:
        version = np.lib.format.read_magic(file)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, fortran_order, dtype = read(file, max_header_size=limits.NPY_HEADER_BYTES)
    except KeyError as error:
        raise bad_request(
            'an array of numpy format 1.0 or 2.0 is expected; found another'
        ) from error
    except Exception as error:  # numpy parses a Python literal: it can fail in many ways
        raise bad_request(
            f'an array must be the bytes of an npy file (numpy.save); found {len(data)} bytes '
            f'whose header cannot be read'
        ) from error
    if fortran_order:
        return from_buffer(memoryview(data)[file.tell() :], dtype, shape[::-1]).T
    return from_buffer(memoryview(data)[file.tell() :], dtype, shape)


def from_buffer(data: bytes | memoryview, dtype: np.dtype, shape: Sequence[int]) -> np.ndarray:
    """Return elements in C order as an array, without copying them; read-only.

    Raises:
        RequestError: the bytes are not as many as `dtype` and `shape` need.
    """
    check_layout(dtype, shape, len(data))
    try:
        return np.frombuffer(data, dtype).reshape(tuple(shape))
    except (ValueError, OverflowError) as error:
        raise bad_request(f'array of {dtype}, shape {list(shape)}: {error}') from error


def check_layout(dtype: np.dtype, shape: Sequence[int], size_bytes: int) -> None:
    """Check a claim before anything is allocated for it.

    Raises:
        RequestError: the dtype holds objects, the claim is too large, or is not `size_bytes`.
    """
    if dtype.kind not in _KINDS or dtype.hasobject or dtype.names or dtype.subdtype:
        raise bad_request(f'an array holds numbers or text; found dtype {str(dtype)[:60]!r}')
    if len(shape) > limits.DIMENSIONS or not all(
        isinstance(size, int) and not isinstance(size, bool) and size >= 0 for size in shape
    ):
        raise bad_request(
            f'an array has at most {limits.DIMENSIONS} dimensions, none negative; found shape '
            f'{str(list(shape))[:100]}'
        )
    claimed = math.prod(shape) * dtype.itemsize
    if claimed > limits.MESSAGE_BYTES:
        raise too_large(
            f'an array of {dtype}, shape {str(list(shape))[:100]} claims {claimed} bytes; '
            f'allowed: {limits.MESSAGE_BYTES}'
        )
    if claimed != size_bytes:
        raise bad_request(
            f'an array of {dtype}, shape {list(shape)} has {claimed} bytes; found {size_bytes}: '
            f'the message was cut off, or its dtype or shape is wrong'
        )


def dtype_named(name: object) -> np.dtype:
    """Return the dtype that a client names, such as `uint8` or `<f4`.

    Raises:
        RequestError: it names none.
    """
    if isinstance(name, str) and len(name) <= 16:
        try:
            return np.dtype(name)
        except (TypeError, ValueError, SyntaxError):
            pass
    raise bad_request(f'expected a dtype such as "uint8" or "<f4"; found {str(name)[:60]!r}')
