"""MessagePack with arrays in it, as GR00T's servers speak it.

An array is a map `{"__ndarray_class__": true, "as_npy": <bytes of an npy file>}`, a part of the
modality `{"__ModalityConfig_class__": true, "as_json": <JSON>}`. Published clients send keys as
text or as bytes; some versions take the JSON as text and some as a map.
"""

import json
from typing import Any

import msgpack
import numpy as np

from chefmate_core.policy.wire import limits
from chefmate_core.policy.wire.arrays import from_npy, to_npy
from chefmate_core.policy.wire.errors import RequestError, bad_request, too_large

_ARRAY, _NPY = '__ndarray_class__', 'as_npy'
_MODALITY, _JSON = '__ModalityConfig_class__', 'as_json'


def pack(message: Any) -> bytes:
    """Return a message as bytes; arrays may be anywhere in it."""
    return msgpack.packb(message, default=_encode)


def unpack(data: bytes | bytearray) -> Any:
    """Return the message in some bytes. Keys become text; arrays are read-only.

    Raises:
        RequestError: the bytes are no such message, or hold more than is allowed.
    """
    containers = 0

    def count() -> None:
        nonlocal containers
        containers += 1
        if containers > limits.MSGPACK_CONTAINERS:
            raise too_large(
                f'a message holds at most {limits.MSGPACK_CONTAINERS} lists and maps; found more: '
                f'send frames as arrays'
            )

    def decode_map(found: dict[Any, Any]) -> Any:
        count()
        return _decode({_text(key): value for key, value in found.items()})

    def decode_list(found: list[Any]) -> list[Any]:
        count()
        return found

    try:
        return msgpack.unpackb(
            data,
            object_hook=decode_map,
            list_hook=decode_list,
            max_array_len=limits.MSGPACK_ITEMS,
            max_map_len=limits.MSGPACK_ITEMS,
            max_ext_len=0,
        )
    except RequestError:
        raise
    except Exception as error:  # msgpack raises many kinds, each for bytes that are not a message
        raise bad_request(
            f'expected one MessagePack map; found {len(data)} bytes that are none '
            f'({type(error).__name__}: {str(error)[:100]})'
        ) from error


def pack_modality(modality: dict[str, dict[str, Any]]) -> bytes:
    """Return `Modality.to_dict()` for clients that know the class and for those that do not."""
    return pack({
        name: {**part, _MODALITY: True, _JSON: json.dumps(part)}
        for name, part in modality.items()
    })  # fmt: skip


def _encode(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return {_ARRAY: True, _NPY: to_npy(value)}
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f'{type(value).__name__} cannot be sent')


def _decode(found: dict[str, Any]) -> Any:
    if _ARRAY in found:
        data = found.get(_NPY)
        if not isinstance(data, bytes):
            raise bad_request(f'an array needs {_NPY!r}: the bytes of an npy file')
        return from_npy(data)
    if _MODALITY in found and _JSON in found:
        said = found[_JSON]
        try:
            return json.loads(said) if isinstance(said, str) else said
        except (ValueError, RecursionError) as error:
            raise bad_request(f'{_JSON!r} must be JSON: {error}') from error
    return found


def _text(key: Any) -> str:
    return key.decode('utf-8', 'replace') if isinstance(key, bytes) else key
