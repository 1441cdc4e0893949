"""Checkpoints of the tiny preset for tests, in both layouts; the model is built once."""

import dataclasses
import functools
import json
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file, save_file

from chefmate_core.policy.modality import Modality
from chefmate_policy.checkpoint import Checkpoint, Embodiment, ModelTensors, save_checkpoint
from chefmate_policy.checkpoint.weights import RandomWeights
from chefmate_policy.model.config import GrootConfig
from chefmate_policy.model.groot import Groot
from chefmate_policy.processing.statistics import DatasetStatistics, Statistics

CONFIG = dataclasses.replace(GrootConfig.preset('tiny'), extra={'tokenizer': 'bytes'})
RNG = np.random.default_rng(0)
ARM_KEY = 'action_head.state_encoder.layer1.W'


@functools.cache
def weights():
    """Return the state dict as fine-tuned files have it: backbone bf16, head fp32."""
    state = Groot.random(CONFIG, 1).state_dict()
    return {
        name: tensor.to(torch.bfloat16 if name.startswith('backbone.') else torch.float32)
        for name, tensor in state.items()
    }


def statistics(part, scale=1.0):
    """Return statistics by group, every element different."""
    table = {}
    for group, size, start in (('single_arm', 5, 0), ('gripper', 1, 5)):
        low = -100.0 * scale - np.arange(start, start + size)
        high = 90.0 * scale + np.arange(start, start + size)
        values = {'min': low, 'max': high, 'mean': (low + high) / 2, 'std': (high - low) / 4,
                  'q01': low + 1, 'q99': high - 1}  # fmt: skip
        table[group] = Statistics(f'{part}.{group}', values)
    return table


def tiny(profile='isaac', **changes):
    """Return what goes beside the weights."""
    cameras = ('scene', 'wrist') if profile == 'lerobot' else ('wrist', 'scene')
    values = {
        'config': CONFIG,
        'modality': Modality(cameras=cameras),
        'statistics': DatasetStatistics(statistics('state'), statistics('action', 1.1)),
        'embodiment': Embodiment('new_embodiment', 31),
        'profile': profile,
        'weights': RandomWeights(1),
        'origin': 'tiny',
    }
    return Checkpoint(**{**values, **changes})


def write(folder: Path, layout='isaac', state=None, **options):
    """Write a checkpoint whose profile is its layout's; return its folder."""
    source = ModelTensors(weights() if state is None else state)
    save_checkpoint(folder, tiny(profile=layout), source, layout, **options)
    return folder


def change_weights(folder: Path, change):
    """Apply `change` to the tensors of a folder's one file."""
    path = folder / 'model.safetensors'
    tensors = load_file(path)
    change(tensors)
    save_file(tensors, path, metadata={'format': 'pt'})


def change_json(path: Path, change):
    """Apply `change` to what a JSON file holds."""
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
