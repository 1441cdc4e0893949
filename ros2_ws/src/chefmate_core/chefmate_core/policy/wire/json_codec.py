"""JSON with arrays in it, as GR00T's HTTP servers and their clients speak it.

An array is `{"__numpy__": <base64>, "dtype": "<f4", "shape": [1, 5]}` (the package json-numpy),
`{"__ndarray__": ...}` (clients in C++), or plain nested lists. The whole request may be wrapped
once more: `{"encoded": "<JSON>"}`.
"""

import base64
import binascii
import json
from typing import Any

import numpy as np

from chefmate_core.policy.wire import limits
from chefmate_core.policy.wire.arrays import check_layout, dtype_named, from_buffer
from chefmate_core.policy.wire.errors import RequestError, bad_request, too_large

TIMEOUT_HEADER = 'X-Timeout-S'  # how long the caller will wait, s

_ARRAY, _ARRAY_CPP = '__numpy__', '__ndarray__'


def dump(message: Any, arrays: bool = True) -> bytes:
    """Return a message as JSON; its arrays as json-numpy writes them, or else as lists."""

    def encode(value: Any) -> Any:
        if isinstance(value, np.generic):
            return value.item()
        if not isinstance(value, np.ndarray):
            raise TypeError(f'{type(value).__name__} cannot be sent')
        if not arrays:
            return value.tolist()
        return {
            _ARRAY: base64.b64encode(np.ascontiguousarray(value).data).decode(),
            'dtype': value.dtype.str,
            'shape': list(value.shape),
        }

    return json.dumps(message, default=encode, allow_nan=False).encode()


def load(data: bytes) -> Any:
    """Return the message in some JSON; plain lists stay lists.

    Raises:
        RequestError: it is no JSON, or holds more than is allowed.
    """
    if len(data) > limits.JSON_VALUES:  # else it cannot hold as many: counting takes time
        values = data.count(b',') + data.count(b'[') + data.count(b'{')
        if values > limits.JSON_VALUES:
            raise too_large(
                f'a message holds at most {limits.JSON_VALUES} values; found {values}: send '
                f'frames as json-numpy arrays'
            )
    try:
        return json.loads(data.decode(), object_hook=_decode)
    except RequestError:
        raise
    except (ValueError, RecursionError) as error:
        raise bad_request(
            f'expected JSON; found {len(data)} bytes that are none ({str(error)[:100]})'
        ) from error


def load_observation(data: bytes) -> tuple[dict[str, Any], bool]:
    """Return the observation of a request to `/act`, and whether it speaks json-numpy.

    Raises:
        RequestError: there is none.
    """
    message = load(data)
    if isinstance(message, dict) and 'encoded' in message:
        encoded = message['encoded']
        if len(message) != 1 or not isinstance(encoded, str):
            raise bad_request('"encoded" stands alone and is text; found something else')
        data = encoded.encode()
        message = load(data)
    if not isinstance(message, dict) or not isinstance(message.get('observation'), dict):
        keys = list(message)[:10] if isinstance(message, dict) else type(message).__name__
        raise bad_request(
            f'expected {{"observation": {{...}}}} or {{"encoded": "<JSON of that>"}}; found {keys}'
        )
    return message['observation'], _ARRAY.encode() in data


def _decode(found: dict[str, Any]) -> Any:
    name = _ARRAY if _ARRAY in found else _ARRAY_CPP
    if name not in found:
        return found
    text, shape = found[name], found.get('shape')
    if not isinstance(text, str) or not isinstance(shape, list):
        raise bad_request(f'an array needs {name!r} (base64), "dtype" and "shape" (a list)')
    dtype = dtype_named(found.get('dtype'))
    # Decoding cannot give more than the message has; a claim of more is refused before it.
    check_layout(dtype, shape, len(text) * 3 // 4 - text[-2:].count('='))
    try:
        return from_buffer(base64.b64decode(text, validate=True), dtype, shape)
    except (binascii.Error, ValueError) as error:
        raise bad_request(f'{name!r} must be base64: {error}') from error
