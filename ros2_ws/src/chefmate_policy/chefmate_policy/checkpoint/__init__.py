"""Checkpoints of GR00T N1.5: both published layouts, adapters, read and written.

docs/checkpoints.md shows how; decision record 0013 says why.
"""

from chefmate_policy.checkpoint.checkpoint import Checkpoint, Weights, open_checkpoint
from chefmate_policy.checkpoint.embodiment import Embodiment
from chefmate_policy.checkpoint.errors import CheckpointError, EmbodimentError
from chefmate_policy.checkpoint.layout import Layout
from chefmate_policy.checkpoint.saving import save_checkpoint
from chefmate_policy.checkpoint.tensors import ModelTensors, TensorFiles

__all__ = [
    'Checkpoint',
    'CheckpointError',
    'Embodiment',
    'EmbodimentError',
    'Layout',
    'ModelTensors',
    'TensorFiles',
    'Weights',
    'open_checkpoint',
    'save_checkpoint',
]
