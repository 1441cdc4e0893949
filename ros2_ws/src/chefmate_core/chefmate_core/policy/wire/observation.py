"""GR00T's observation and action, as maps of named arrays, and what a model sees and says.

    video.<camera>   uint8 rgb [1, H, W, 3] or [H, W, 3]
    state.<group>    [1, d] or [d]
    annotation.human.task_description, or annotation.human.action.task_description   [text] or text
    action.<group>   [T, d], the answer

Each may have a batch axis of one in front; the answer has it then, too.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from chefmate_core.policy.engine import ModelInput, ModelOutput
from chefmate_core.policy.modality import INSTRUCTION_KEY, JointGroup, Modality
from chefmate_core.policy.wire import limits
from chefmate_core.policy.wire.errors import bad_request, too_large
from chefmate_core.policy.wire.frames import check_pixels

INSTRUCTION_KEYS = (INSTRUCTION_KEY, 'annotation.human.action.task_description')


def to_model_input(observation: Mapping[str, Any], modality: Modality) -> ModelInput:
    """Return what the model sees.

    Raises:
        RequestError: a key is missing or too much, or its value is not what the model expects.
    """
    _check_keys(observation, modality)
    images = {
        name: frame(f'video.{name}', observation[f'video.{name}']) for name in modality.cameras
    }
    state = np.zeros(modality.state_size)
    for group in modality.state:
        state[group.columns] = _vector(group, observation[f'state.{group.name}'])
    key = next(key for key in _instruction_keys(modality) if key in observation)
    return ModelInput(images, state, instruction(key, observation[key]))


def has_batch_axis(observation: Mapping[str, Any]) -> bool:
    """Whether the states have an axis for the batch in front: [1, 1, d]."""
    return any(
        key.startswith('state.') and np.ndim(value) == 3 for key, value in observation.items()
    )


def to_action(output: ModelOutput, modality: Modality, batch_axis: bool) -> dict[str, np.ndarray]:
    """Return the answer: `action.<group>` [T, d], or [1, T, d]."""
    action = output.action[None] if batch_axis else output.action
    return {
        f'action.{group.name}': np.ascontiguousarray(action[..., group.columns])
        for group in modality.action
    }


def from_model_input(request: ModelInput, modality: Modality) -> dict[str, Any]:
    """Return the observation that a client sends.

    Raises:
        RequestError: the request lacks a camera, or its state has another length.
    """
    missing = [name for name in modality.cameras if name not in request.images]
    if missing:
        raise bad_request(
            f'the model at the server sees {_listed(modality.cameras)}; missing: '
            f'{_listed(missing)}'
        )
    if np.shape(request.state) != (modality.state_size,):
        raise bad_request(
            f'the model at the server takes a state of {modality.state_size} numbers; found shape '
            f'{np.shape(request.state)}'
        )
    return {
        **{
            f'video.{name}': np.ascontiguousarray(request.images[name])[None]
            for name in modality.cameras
        },
        **{
            f'state.{group.name}': np.asarray(request.state, float)[None, group.columns]
            for group in modality.state
        },
        modality.instruction_key: [instruction('instruction', request.instruction)],
    }


def from_action(answer: Mapping[str, Any], modality: Modality) -> np.ndarray:
    """Return the answer's action, (T, A).

    Raises:
        RequestError: a group is missing, has another shape, or is not finite.
    """
    parts: dict[str, np.ndarray] = {}
    for group in modality.action:
        key, size = f'action.{group.name}', group.stop - group.start
        if key not in answer:
            raise bad_request(f'the answer lacks {key!r}; it has {_listed(answer)}')
        part = numbers(key, answer[key])
        if part.ndim == 3 and part.shape[0] == 1:
            part = part[0]
        if part.ndim == 1 and size == 1:
            part = part[:, None]
        if part.ndim != 2 or part.shape[0] < 1 or part.shape[1] != size:
            raise bad_request(f'{key!r}: expected shape [T, {size}]; found {list(part.shape)}')
        parts[group.name] = part
    rows = {part.shape[0] for part in parts.values()}
    if len(rows) != 1:
        raise bad_request(f'the action groups have different lengths: {sorted(rows)}')
    action = np.zeros((rows.pop(), modality.action_size))
    for group in modality.action:
        action[:, group.columns] = parts[group.name]
    return action


def frame(name: str, value: Any) -> np.ndarray:
    """Return a frame, uint8 rgb (H, W, 3), that does not share the message's memory.

    Raises:
        RequestError: it is something else.
    """
    image = np.asarray(value) if isinstance(value, np.ndarray) else _pixels(name, value)
    if image.dtype != np.uint8:
        raise bad_request(f'{name!r}: expected dtype uint8; found {image.dtype}')
    found = list(image.shape)
    while image.ndim > 3 and image.shape[0] == 1:
        image = image[0]
    if image.ndim != 3 or image.shape[2] != 3:
        raise bad_request(f'{name!r}: expected rgb of shape [1, H, W, 3]; found {found}')
    check_pixels(image.shape[0], image.shape[1])
    return np.array(image, order='C')  # torch wants it writable


def numbers(name: str, value: Any) -> np.ndarray:
    """Return finite numbers as an array of float64.

    Raises:
        RequestError: it is something else.
    """
    try:
        array = np.asarray(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise bad_request(f'{name!r}: expected numbers in even rows; found {error}') from error
    if array.dtype.kind not in 'iuf':
        raise bad_request(f'{name!r}: expected numbers; found dtype {array.dtype}')
    array = array.astype(float)
    if not np.all(np.abs(array) < np.finfo(np.float32).max):  # False for NaN, too
        raise bad_request(f'{name!r}: expected finite numbers; found NaN, inf or more than 3e38')
    return array


def instruction(name: str, value: Any) -> str:
    """Return the one text in a list, array or by itself.

    Raises:
        RequestError: it is something else, too long, or no text that can be written down.
    """
    for _ in range(limits.DIMENSIONS):
        if isinstance(value, np.ndarray):
            value = value.tolist()
        if isinstance(value, list | tuple) and len(value) == 1:
            value = value[0]
    if not isinstance(value, str):
        raise bad_request(
            f'{name!r}: expected one text, as ["pick up the bread"]; found {str(value)[:60]!r}'
        )
    if len(value) > limits.INSTRUCTION_CHARS:
        raise too_large(
            f'{name!r}: expected at most {limits.INSTRUCTION_CHARS} characters; found {len(value)}'
        )
    try:
        value.encode()
    except UnicodeEncodeError as error:  # half of a character: no tokenizer takes it
        raise bad_request(f'{name!r}: not valid Unicode: {error}') from error
    return value


def described(modality: Modality) -> str:
    """Return, in one line, what an observation has to hold."""
    return ', '.join([
        *(f"'video.{name}' uint8 [1, H, W, 3]" for name in modality.cameras),
        *(f"'state.{group.name}' [1, {group.stop - group.start}]" for group in modality.state),
        f'{modality.instruction_key!r} [text]',
    ])  # fmt: skip


def _check_keys(observation: Mapping[str, Any], modality: Modality) -> None:
    needed = {
        *(f'video.{name}' for name in modality.cameras),
        *(f'state.{group.name}' for group in modality.state),
    }
    languages = [key for key in _instruction_keys(modality) if key in observation]
    missing = sorted(needed - set(observation))
    if not languages:
        missing.append(modality.instruction_key)
    extra = [str(key) for key in observation if key not in needed and key not in languages[:1]]
    if missing or extra:
        found = [f'missing: {_listed(missing)}'] * bool(missing)
        found += [f'not expected: {_listed(extra)}'] * bool(extra)
        raise bad_request(f'{"; ".join(found)}. Expected: {described(modality)}')


def _instruction_keys(modality: Modality) -> tuple[str, ...]:
    return tuple(dict.fromkeys((modality.instruction_key, *INSTRUCTION_KEYS)))


def _vector(group: JointGroup, value: Any) -> np.ndarray:
    name, size = f'state.{group.name}', group.stop - group.start
    vector = numbers(name, value)
    found = list(vector.shape)
    while vector.ndim > 1 and vector.shape[0] == 1:
        vector = vector[0]
    if vector.ndim == 0 and size == 1:
        vector = vector[None]
    if vector.shape != (size,):
        raise bad_request(f'{name!r}: expected shape [1, {size}]; found {found}')
    return vector


def _pixels(name: str, value: Any) -> np.ndarray:
    """Return lists of whole numbers, 0 to 255, as uint8."""
    array = numbers(name, value)
    if np.any(array != np.floor(array)) or np.any(array < 0) or np.any(array > 255):
        raise bad_request(f'{name!r}: expected whole numbers from 0 to 255')
    return array.astype(np.uint8)


def _listed(names: Any) -> str:
    shown = [repr(str(name)[:60]) for name in list(names)[:12]]
    return ', '.join(shown + ['...'] * (len(names) > 12)) or 'nothing'
