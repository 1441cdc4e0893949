"""One embodiment's slot of the category-specific weights, in a file of its own.

LoRA wraps linear layers; these are raw parameters of shape (slots, ...), which no adapter holds.
"""

from pathlib import Path

import torch

from chefmate_policy.checkpoint.compare import compare
from chefmate_policy.checkpoint.embodiment import Embodiment
from chefmate_policy.checkpoint.errors import CheckpointError, EmbodimentError
from chefmate_policy.checkpoint.tensors import read_metadata, read_small
from chefmate_policy.checkpoint.writing import write_tensors
from chefmate_policy.model.embodiment import CategorySpecificLinear

FILE = 'embodiment_slot.safetensors'


def slot_parameters(model: torch.nn.Module) -> dict[str, torch.nn.Parameter]:
    """Return name -> parameter of shape (slots, ...), of all category-specific layers.

    Names are those of the published state dict, whatever adapter is wrapped around the model.
    """
    return {
        f'{name}.{leaf}'.removeprefix('base_model.model.'): parameter
        for name, module in model.named_modules()
        if isinstance(module, CategorySpecificLinear)
        for leaf, parameter in module.named_parameters(recurse=False)
    }


def save_slot(folder: Path, model: torch.nn.Module, embodiment: Embodiment) -> None:
    """Write the weights of one slot, without the slots' axis."""
    tensors = {
        name: parameter.detach()[embodiment.slot].clone()
        for name, parameter in slot_parameters(model).items()
    }
    write_tensors(
        folder / FILE, tensors, {'embodiment': embodiment.tag, 'slot': str(embodiment.slot)}
    )


@torch.no_grad()
def load_slot(folder: Path, model: torch.nn.Module, embodiment: Embodiment) -> None:
    """Put the weights of a file into their slot of a model.

    Raises:
        CheckpointError: they are of another model.
        EmbodimentError: they are of another slot.
    """
    path = folder / FILE
    metadata = read_metadata(path)
    if metadata.get('slot') != str(embodiment.slot):
        raise EmbodimentError(
            f'{path}: expected slot {embodiment.slot} ({embodiment.tag}); found slot '
            f'{metadata.get("slot")} ({metadata.get("embodiment")}). '
            f'Next: choose embodiment {metadata.get("embodiment")!r}'
        )
    tensors = read_small(path)
    parameters = slot_parameters(model)
    differences = compare(
        {name: tuple(tensor.shape) for name, tensor in tensors.items()},
        {name: tuple(parameter.shape[1:]) for name, parameter in parameters.items()},
    )
    if differences:
        raise CheckpointError(f'{path}: trained on a model of other sizes.\n{differences}')
    for name, parameter in parameters.items():
        parameter[embodiment.slot] = tensors[name].to(parameter)
