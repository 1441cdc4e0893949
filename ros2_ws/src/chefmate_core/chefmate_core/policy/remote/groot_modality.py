"""What a GR00T server says about its model. It names joint groups but not their sizes."""

from collections.abc import Mapping
from typing import Any

from chefmate_core.errors import PolicyError
from chefmate_core.policy.modality import INSTRUCTION_KEY, JointGroup, Modality
from chefmate_core.policy.remote.settings import RemoteSettings


def modality_from(answer: Mapping[str, Any], settings: RemoteSettings) -> Modality:
    """Return the modality from the answer to `get_modality_config`.

    Raises:
        PolicyError: it is no such answer, or names a group whose size nobody told.
    """
    try:
        names = {
            part: [str(key) for key in answer[part]['modality_keys']]
            for part in ('video', 'state', 'action', 'language')
        }
        horizon = len(answer['action']['delta_indices'])
    except (KeyError, TypeError) as error:
        raise PolicyError(
            f'expected the parts video, state, action, language, each with modality_keys; found '
            f'{str(dict(answer))[:300]}'
        ) from error
    return Modality(
        cameras=tuple(key.removeprefix('video.') for key in names['video']),
        state=_groups('state', names['state'], settings.groups),
        action=_groups('action', names['action'], settings.groups),
        instruction_key=names['language'][0] if names['language'] else INSTRUCTION_KEY,
        horizon=horizon or settings.horizon,
    )


def _groups(part: str, keys: list[str], known: tuple[JointGroup, ...]) -> tuple[JointGroup, ...]:
    by_name = {f'{part}.{group.name}': group for group in known}
    unknown = [key for key in keys if key not in by_name]
    if unknown or not keys:
        raise PolicyError(
            f'the server names {", ".join(keys) or "no groups"}; sizes are known of '
            f'{", ".join(by_name)}. Next: give the option groups: name -> {{start, end}}'
        )
    return tuple(by_name[key] for key in keys)
