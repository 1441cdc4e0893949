"""Models by name: where they live, the manifest, fetching, checking.

`find_model` is imported when it is used: it needs torch, and a list of models does not.
"""

from typing import TYPE_CHECKING, Any

from chefmate_core.policy.model_folder import models_folder as models_folder

if TYPE_CHECKING:
    from chefmate_policy.models.source import ModelSource as ModelSource
    from chefmate_policy.models.source import find_model as find_model


def __getattr__(name: str) -> Any:
    if name not in ('ModelSource', 'find_model'):
        raise AttributeError(f'{__name__} has no {name!r}')
    from chefmate_policy.models import source

    return getattr(source, name)
