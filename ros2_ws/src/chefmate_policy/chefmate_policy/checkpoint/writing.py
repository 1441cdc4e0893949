"""Weights and folders, written so that a reader finds all of it or nothing."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors.torch import save_file

from chefmate_policy.checkpoint.errors import CheckpointError
from chefmate_policy.checkpoint.jsonfile import write_json
from chefmate_policy.checkpoint.tensors import INDEX, SINGLE, TensorSource

SHARD_BYTES = 5_000_000_000  # as transformers does


@contextlib.contextmanager
def new_folder(target: Path, overwrite: bool = False) -> Iterator[Path]:
    """Yield a folder beside `target` to write into; it becomes `target` when all went well.

    Args:
        target: the folder to make.
        overwrite: an existing one is replaced, in the end; else it is refused.

    Raises:
        CheckpointError: `target` exists, or cannot be written.
    """
    if target.exists() and not overwrite:
        raise CheckpointError(f'{target} exists. Next: name another folder, or remove it')
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f'.{target.name}-', dir=target.parent))
        try:
            yield work
            _sync(work)
            old = work.with_name(f'{work.name}-old')
            if target.exists():
                target.rename(old)
            work.chmod(0o755)  # mkdtemp's is for its owner alone
            work.rename(target)
            shutil.rmtree(old, ignore_errors=True)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    except OSError as error:
        raise CheckpointError(f'cannot write {target}: {error}') from error


def write_weights(
    folder: Path, source: TensorSource, *, prefix: str = '', shard_bytes: int | None = SHARD_BYTES
) -> None:
    """Write tensors as stored: `model.safetensors`, or shards and their index.

    Args:
        folder: where to; see `new_folder`.
        source: the tensors; at most one shard of them is held in memory.
        prefix: put before each name.
        shard_bytes: of one file; None: all in one.
    """
    shards = _shards(source, shard_bytes)
    names = [SINGLE]
    if len(shards) > 1:
        names = [
            f'model-{number:05d}-of-{len(shards):05d}.safetensors'
            for number in range(1, len(shards) + 1)
        ]
        write_json(
            folder / INDEX,
            {
                'metadata': {'total_size': sum(s.size_bytes for s in source.specs.values())},
                'weight_map': {
                    prefix + tensor: name
                    for name, shard in zip(names, shards, strict=True)
                    for tensor in shard
                },
            },
        )
    for name, shard in zip(names, shards, strict=True):
        tensors = {prefix + tensor: value for tensor, value in source.read(shard)}
        write_tensors(folder / name, tensors)


def write_tensors(
    path: Path, tensors: Mapping[str, torch.Tensor], metadata: Mapping[str, str] | None = None
) -> None:
    """Write one safetensors file; tensors that share memory are written each for itself."""
    seen: set[int] = set()
    separate = {}
    for name, tensor in tensors.items():
        address = tensor.untyped_storage().data_ptr()
        alone = tensor.is_contiguous() and address not in seen
        separate[name] = tensor if alone else tensor.clone(memory_format=torch.contiguous_format)
        seen.add(address)
    save_file(separate, str(path), metadata={'format': 'pt', **(metadata or {})})


def _shards(source: TensorSource, shard_bytes: int | None) -> list[list[str]]:
    shards: list[list[str]] = [[]]
    size = 0
    for name, spec in source.specs.items():
        if shard_bytes is not None and shards[-1] and size + spec.size_bytes > shard_bytes:
            shards.append([])
            size = 0
        shards[-1].append(name)
        size += spec.size_bytes
    return shards


def _sync(folder: Path) -> None:
    """Bring what was written to the disk before its name says that it is whole."""
    for path in folder.rglob('*'):
        if path.is_file():
            with path.open('rb') as file:
                os.fsync(file.fileno())
