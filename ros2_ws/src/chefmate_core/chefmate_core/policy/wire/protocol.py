"""ChefMate's own protocol, version 1: compressed frames, deadlines, timings, errors with a code.

MessagePack over ZeroMQ, on the port of GR00T's protocol; the key `chefmate` tells them apart. A
request is `{"chefmate": 1, "endpoint": "infer" | "describe" | "ping", "api_token"?, ...}`:

    images       {camera: {"jpeg": bytes} or {"raw": array uint8 [H, W, 3]}}
    state        array [D], the data set's units
    instruction  text
    committed    array [K, A] or nil: the answer begins with these rows
    samples      whole number or nil: noise samples of which the best is taken; nil: the server's
    seed         whole number or nil: of the noise
    timeout_s    number or nil: an answer that comes later is of no use

The answer to `infer` is `{"chefmate": 1, "action": array [T, A], "timings_s": {name: s}, "spread":
number}`, to `describe` `{"chefmate": 1, "name": text, "modality": {...}}`, and in case of trouble
`{"chefmate": 1, "error": text, "code": text}`.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from chefmate_core.policy.engine import ModelInput, ModelOutput
from chefmate_core.policy.modality import JointGroup, Modality
from chefmate_core.policy.wire import limits
from chefmate_core.policy.wire.errors import bad_request, too_large
from chefmate_core.policy.wire.frames import from_jpeg, to_jpeg
from chefmate_core.policy.wire.observation import frame, instruction, numbers

VERSION = 1
MARK = 'chefmate'  # the key that holds the version

_FIELDS = {MARK, 'endpoint', 'api_token', 'images', 'state', 'instruction', 'committed', 'samples',
           'seed', 'timeout_s'}  # fmt: skip


def check_version(message: Mapping[str, Any]) -> None:
    """Check that the other side speaks this version.

    Raises:
        RequestError: it does not; the message says which side to update.
    """
    if message.get(MARK) != VERSION:
        raise bad_request(
            f"ChefMate's protocol, version {VERSION}, is spoken here; found version "
            f'{str(message.get(MARK))[:20]}. Update the older side'
        )


def encode_request(
    request: ModelInput, modality: Modality, jpeg_quality: int | None
) -> dict[str, Any]:
    """Return a request to `infer`; frames are JPEG of that quality, or raw for None."""
    return {
        MARK: VERSION,
        'endpoint': 'infer',
        'images': {
            name: {'raw': np.ascontiguousarray(request.images[name])}
            if jpeg_quality is None
            else {'jpeg': to_jpeg(request.images[name], jpeg_quality)}
            for name in modality.cameras
        },
        'state': np.asarray(request.state, float),
        'instruction': request.instruction,
        'committed': None if request.committed is None else np.asarray(request.committed, float),
        'samples': None if request.samples is None else int(request.samples),
        'seed': None if request.seed is None else int(request.seed),
        'timeout_s': request.timeout_s,
    }


def decode_request(message: Mapping[str, Any], modality: Modality) -> ModelInput:
    """Return what the model sees.

    Raises:
        RequestError: a field is missing, too much, or not what the model expects.
    """
    extra = [str(key)[:60] for key in message if key not in _FIELDS]
    if extra:
        raise bad_request(f'not expected: {extra[:12]}. Expected: {sorted(_FIELDS)}')
    images = message.get('images')
    if not isinstance(images, dict) or set(images) != set(modality.cameras):
        found = [str(name)[:60] for name in images][:12] if isinstance(images, dict) else images
        raise bad_request(f"'images': expected {list(modality.cameras)}; found {str(found)[:300]}")
    state = numbers('state', message.get('state'))
    if state.shape != (modality.state_size,):
        raise bad_request(
            f"'state': expected shape [{modality.state_size}]; found {list(state.shape)}"
        )
    return ModelInput(
        images={name: _frame(name, images[name]) for name in modality.cameras},
        state=state,
        instruction=instruction('instruction', message.get('instruction')),
        committed=_committed(message.get('committed'), modality),
        samples=_whole('samples', message.get('samples'), 1, limits.SAMPLES),
        seed=_whole('seed', message.get('seed'), 0, 2**63 - 1),
        timeout_s=timeout(message),
    )


def timeout(message: Mapping[str, Any]) -> float | None:
    """Return how long the caller will wait, s; None: as long as the server lets it.

    Raises:
        RequestError: it is no number above 0.
    """
    value = message.get('timeout_s')
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise bad_request(f"'timeout_s': expected seconds above 0; found {str(value)[:40]!r}")
    return float(value)


def encode_output(output: ModelOutput) -> dict[str, Any]:
    """Return the answer to `infer`."""
    return {
        MARK: VERSION,
        'action': np.asarray(output.action),
        'timings_s': {str(name): float(value) for name, value in output.timings_s.items()},
        'spread': float(output.spread),
    }


def decode_output(message: Mapping[str, Any], modality: Modality) -> ModelOutput:
    """Return the model's answer.

    Raises:
        RequestError: it is not one for this modality.
    """
    check_version(message)
    action = numbers('action', message.get('action'))
    if action.ndim != 2 or action.shape[0] < 1 or action.shape[1] != modality.action_size:
        raise bad_request(
            f"'action': expected shape [T, {modality.action_size}]; found {list(action.shape)}"
        )
    timings_s = message.get('timings_s') or {}
    if not isinstance(timings_s, dict):
        raise bad_request("'timings_s': expected a map of seconds")
    return ModelOutput(
        action=action,
        timings_s={name: float(numbers(name, value)) for name, value in timings_s.items()},
        spread=float(numbers('spread', message.get('spread', 0.0))),
    )


def encode_description(name: str, modality: Modality) -> dict[str, Any]:
    """Return the answer to `describe`."""

    def groups(found: tuple[JointGroup, ...]) -> list[dict[str, Any]]:
        return [{'name': group.name, 'start': group.start, 'stop': group.stop} for group in found]

    return {
        MARK: VERSION,
        'name': name,
        'modality': {
            'cameras': list(modality.cameras),
            'state': groups(modality.state),
            'action': groups(modality.action),
            'instruction_key': modality.instruction_key,
            'horizon': modality.horizon,
            'period_s': modality.period_s,
        },
    }


def decode_description(message: Mapping[str, Any]) -> tuple[str, Modality]:
    """Return the model's name and what it sees and says.

    Raises:
        RequestError: the message is no description.
    """
    check_version(message)

    def groups(found: Any) -> tuple[JointGroup, ...]:
        return tuple(
            JointGroup(str(entry['name']), int(entry['start']), int(entry['stop']))
            for entry in found
        )

    try:
        said = message['modality']
        return str(message['name']), Modality(
            cameras=tuple(str(name) for name in said['cameras']),
            state=groups(said['state']),
            action=groups(said['action']),
            instruction_key=str(said['instruction_key']),
            horizon=int(said['horizon']),
            period_s=float(said['period_s']),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise bad_request(
            f'expected the description of a model; found {str(dict(message))[:200]}'
        ) from error


def _frame(name: str, entry: Any) -> np.ndarray:
    if isinstance(entry, dict) and isinstance(entry.get('jpeg'), bytes):
        return from_jpeg(entry['jpeg'])
    if isinstance(entry, dict) and isinstance(entry.get('raw'), np.ndarray):
        return frame(name, entry['raw'])
    raise bad_request(f'{name!r}: expected {{"jpeg": bytes}} or {{"raw": array}}')


def _committed(value: Any, modality: Modality) -> np.ndarray | None:
    if value is None:
        return None
    rows = numbers('committed', value)
    if rows.ndim != 2 or rows.shape[1] != modality.action_size:
        raise bad_request(
            f"'committed': expected shape [K, {modality.action_size}]; found {list(rows.shape)}"
        )
    if rows.shape[0] >= modality.horizon:
        raise too_large(
            f"'committed': expected fewer than {modality.horizon} rows; found {rows.shape[0]}"
        )
    return rows if len(rows) else None


def _whole(name: str, value: Any, least: int, most: int) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise bad_request(
            f'{name!r}: expected a whole number from {least} to {most}; found {str(value)[:40]!r}'
        )
    return value
