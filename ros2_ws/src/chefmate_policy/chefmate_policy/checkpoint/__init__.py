"""Checkpoints of GR00T N1.5: both published layouts, adapters, read and written.

docs/checkpoints.md shows how; decision record 0013 says why. Names are imported when they are
used: torch takes seconds, and `chefmate models list` can do without.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chefmate_policy.checkpoint.checkpoint import Checkpoint as Checkpoint
    from chefmate_policy.checkpoint.embodiment import Embodiment as Embodiment
    from chefmate_policy.checkpoint.errors import CheckpointError as CheckpointError
    from chefmate_policy.checkpoint.errors import EmbodimentError as EmbodimentError
    from chefmate_policy.checkpoint.layout import Layout as Layout
    from chefmate_policy.checkpoint.opening import open_checkpoint as open_checkpoint
    from chefmate_policy.checkpoint.saving import save_checkpoint as save_checkpoint
    from chefmate_policy.checkpoint.tensors import ModelTensors as ModelTensors
    from chefmate_policy.checkpoint.tensors import TensorFiles as TensorFiles

_WHERE = {
    'Checkpoint': 'checkpoint',
    'CheckpointError': 'errors',
    'Embodiment': 'embodiment',
    'EmbodimentError': 'errors',
    'Layout': 'layout',
    'ModelTensors': 'tensors',
    'TensorFiles': 'tensors',
    'open_checkpoint': 'opening',
    'save_checkpoint': 'saving',
}


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f'{__name__} has no {name!r}')
    return getattr(importlib.import_module(f'{__name__}.{_WHERE[name]}'), name)
