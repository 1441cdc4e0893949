"""Checkpoints of GR00T N1.5: both published layouts, adapters, read and written.

docs/checkpoints.md shows how; decision record 0013 says why.
"""

from chefmate_policy.checkpoint.checkpoint import Checkpoint
from chefmate_policy.checkpoint.embodiment import Embodiment
from chefmate_policy.checkpoint.errors import CheckpointError, EmbodimentError
from chefmate_policy.checkpoint.layout import Layout
from chefmate_policy.checkpoint.opening import open_checkpoint
from chefmate_policy.checkpoint.saving import save_checkpoint
from chefmate_policy.checkpoint.tensors import ModelTensors, TensorFiles
from chefmate_policy.checkpoint.weights import FileWeights, RandomWeights, Weights

__all__ = [
    'Checkpoint',
    'CheckpointError',
    'Embodiment',
    'EmbodimentError',
    'FileWeights',
    'Layout',
    'ModelTensors',
    'RandomWeights',
    'TensorFiles',
    'Weights',
    'open_checkpoint',
    'save_checkpoint',
]
