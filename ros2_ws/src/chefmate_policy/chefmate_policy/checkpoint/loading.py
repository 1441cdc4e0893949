"""Weights from files into a model: every tensor checked, copied once, none left to chance."""

from collections.abc import Callable, Mapping

import torch

from chefmate_policy.checkpoint.compare import TIED, Differences, compare
from chefmate_policy.checkpoint.errors import CheckpointError
from chefmate_policy.checkpoint.sizes import skeleton
from chefmate_policy.checkpoint.tensors import TensorSource
from chefmate_policy.model.config import GrootConfig
from chefmate_policy.model.groot import Groot

Progress = Callable[[int, int], None]  # bytes done, bytes of all

DTYPES: Mapping[str, torch.dtype] = {
    'bfloat16': torch.bfloat16,
    'float16': torch.float16,
    'float32': torch.float32,
}


def load_model(
    config: GrootConfig,
    source: TensorSource,
    where: str,
    *,
    device: torch.device | str = 'cpu',
    dtype: torch.dtype | str | None = None,
    progress: Progress | None = None,
) -> Groot:
    """Return a model with the weights of `source`, for inference: no gradients, eval mode.

    Tensors go one by one from the mapped files to their place, so that the peak is the model and
    one tensor; the pages of a mapped shard are the system's to drop.

    Args:
        config: sizes of the model.
        source: its tensors.
        where: the checkpoint, for messages.
        device: where the weights go.
        dtype: of the weights; None: as stored (fine-tuned files: backbone bf16, head fp32).
        progress: called after each tensor.

    Raises:
        CheckpointError: a tensor is missing, unexpected or wrongly shaped; all are listed.
    """
    model = skeleton(config, where)
    expected = shapes(model)
    differences = check(source, expected, where)
    target = target_dtype(dtype)
    total = sum(spec.size_bytes for spec in source.specs.values())
    done = 0
    for name, tensor in source.read([name for name in expected if name in source.specs]):
        # A copy, even where device and dtype stay: a model must not depend on a mapped file.
        _assign(model, name, tensor.to(device=device, dtype=target or tensor.dtype, copy=True))
        done += source.specs[name].size_bytes
        if progress is not None:
            progress(done, total)
    for name, twin in (differences.tied or {}).items():
        _assign(model, name, model.get_parameter(twin).detach())
    for name, buffer in model.named_buffers():  # what is computed, not stored
        parent, _, leaf = name.rpartition('.')
        model.get_submodule(parent)._buffers[leaf] = buffer.to(device)
    empty = [name for name, tensor in model.state_dict().items() if tensor.is_meta]
    if empty:
        raise CheckpointError(f'{where}: {len(empty)} tensors got no weights: {empty[:6]}')
    return model.requires_grad_(False).eval()


def target_dtype(dtype: torch.dtype | str | None) -> torch.dtype | None:
    """Return a dtype by name; None: as stored.

    Raises:
        CheckpointError: it is none that weights can have; the message lists those.
    """
    found = DTYPES.get(dtype) if isinstance(dtype, str) else dtype
    if dtype is not None and found not in DTYPES.values():
        raise CheckpointError(f'dtype: expected one of {", ".join(DTYPES)}; found {dtype!r}')
    return found


def shapes(model: torch.nn.Module) -> dict[str, tuple[int, ...]]:
    """Return name -> shape of everything that a checkpoint of this model stores."""
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def check(
    source: TensorSource, expected: Mapping[str, tuple[int, ...]], where: str
) -> Differences:
    """Compare a source with what a model needs; return what may differ (tied tensors).

    Raises:
        CheckpointError: what must not differ does.
    """
    differences = compare({name: spec.shape for name, spec in source.specs.items()}, expected)
    if differences:
        tied = ' and '.join(name.rpartition('language_model.')[2] for name in TIED)
        raise CheckpointError(
            f'{where}: {len(source.specs)} tensors, of which {_matching(source, expected)} of '
            f'the {len(expected)} that the model needs.\n{differences}\n(Only one of {tied} may '
            f'be missing: they are tied.) Next: is it a checkpoint of this size, and whole?'
        )
    return differences


def _matching(source: TensorSource, expected: Mapping[str, tuple[int, ...]]) -> int:
    return sum(
        name in expected and spec.shape == expected[name] for name, spec in source.specs.items()
    )


def _assign(model: torch.nn.Module, name: str, tensor: torch.Tensor) -> None:
    parent_name, _, leaf = name.rpartition('.')
    parent = model.get_submodule(parent_name)
    if leaf in parent._parameters:
        parent._parameters[leaf] = torch.nn.Parameter(tensor, requires_grad=False)
    else:
        parent._buffers[leaf] = tensor
