"""Safetensors files of a checkpoint: one or several shards, opened lazily, mapped, checked."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError, safe_open

from chefmate_policy.checkpoint.errors import CheckpointError
from chefmate_policy.checkpoint.jsonfile import read_json

SINGLE = 'model.safetensors'
INDEX = 'model.safetensors.index.json'

# Names of the safetensors format: https://github.com/huggingface/safetensors#format
DTYPES: Mapping[str, torch.dtype] = {
    'F64': torch.float64,
    'F32': torch.float32,
    'F16': torch.float16,
    'BF16': torch.bfloat16,
}


@dataclass(frozen=True)
class TensorSpec:
    """What a file's header says of a tensor."""

    shape: tuple[int, ...]
    dtype: torch.dtype

    @property
    def size_bytes(self) -> int:
        """Bytes in the file."""
        return torch.Size(self.shape).numel() * self.dtype.itemsize


class TensorSource(Protocol):
    """Tensors by name, read one at a time: files, or a model in memory."""

    @property
    def specs(self) -> Mapping[str, TensorSpec]:
        """What there is, in order."""

    def read(self, names: Sequence[str]) -> Iterator[tuple[str, torch.Tensor]]:
        """Yield tensors; each is valid after the next was read, too."""


class TensorFiles:
    """The weights of a checkpoint's folder. Only headers are read until a tensor is asked for.

    Raises:
        CheckpointError: a file is missing, truncated or not safetensors, or files contradict
            their index.
    """

    def __init__(self, paths: Sequence[Path], prefix: str = '') -> None:
        self.paths = tuple(paths)
        self._specs: dict[str, TensorSpec] = {}
        self._where: dict[str, tuple[Path, str]] = {}  # name -> file, name in the file
        for path in self.paths:
            self._read_header(path, prefix)

    @classmethod
    def in_folder(cls, folder: Path, prefix: str = '') -> 'TensorFiles':
        """Open `model.safetensors`, or the shards that the index names.

        Args:
            folder: of the checkpoint.
            prefix: taken off the names where it stands.
        """
        if not (folder / INDEX).is_file():
            if not (folder / SINGLE).is_file():
                raise CheckpointError(_no_weights(folder))
            return cls([folder / SINGLE], prefix)
        weight_map = read_json(folder / INDEX).get('weight_map')
        if not isinstance(weight_map, dict) or not weight_map:
            raise CheckpointError(f'{folder / INDEX}: expected weight_map: name -> file')
        names = sorted(set(map(str, weight_map.values())))
        outside = [name for name in names if Path(name).name != name]
        if outside:
            raise CheckpointError(f'{folder / INDEX}: expected names of files; found {outside}')
        missing = [name for name in names if not (folder / name).is_file()]
        if missing:
            raise CheckpointError(
                f'{folder}: {len(missing)} of {len(names)} shards are missing: '
                f'{", ".join(missing)}. Next: copy or download them again'
            )
        files = cls([folder / name for name in names], prefix)
        files._agree_with(weight_map, folder / INDEX, prefix)
        return files

    @property
    def specs(self) -> Mapping[str, TensorSpec]:
        """What the headers say, by file."""
        return self._specs

    @property
    def size_bytes(self) -> int:
        """Bytes of all tensors."""
        return sum(spec.size_bytes for spec in self._specs.values())

    def read(self, names: Sequence[str]) -> Iterator[tuple[str, torch.Tensor]]:
        """Yield tensors that map the file (dtype as stored), file by file."""
        by_file: dict[Path, list[str]] = {}
        for name in names:
            by_file.setdefault(self._where[name][0], []).append(name)
        for path, wanted in by_file.items():
            with _open(path) as file:
                for name in wanted:
                    yield name, file.get_tensor(self._where[name][1])

    def _read_header(self, path: Path, prefix: str) -> None:
        with _open(path) as file:
            for stored in file.keys():  # noqa: SIM118  (a file is no mapping)
                name = stored.removeprefix(prefix)
                if name in self._where:
                    raise CheckpointError(f'{path}: {name} is also in {self._where[name][0].name}')
                header = file.get_slice(stored)
                dtype = DTYPES.get(header.get_dtype())
                if dtype is None:
                    raise CheckpointError(
                        f'{path}: {name}: expected one of {", ".join(DTYPES)}; '
                        f'found {header.get_dtype()}'
                    )
                self._specs[name] = TensorSpec(tuple(header.get_shape()), dtype)
                self._where[name] = path, stored

    def _agree_with(self, weight_map: Mapping[str, str], index: Path, prefix: str) -> None:
        promised = {name.removeprefix(prefix): file for name, file in weight_map.items()}
        wrong = [
            f'{name} ({file})'
            for name, file in promised.items()
            if name not in self._where or self._where[name][0].name != file
        ]
        if wrong:
            raise CheckpointError(
                f'{index}: {len(wrong)} of its tensors are not in their files: '
                f'{", ".join(wrong[:6])}{" ..." if len(wrong) > 6 else ""}. Next: index and '
                f'shards are of different checkpoints; copy or download all of them again'
            )


class ModelTensors:
    """The tensors of a state dict in memory, as a source for writing."""

    def __init__(self, state: Mapping[str, torch.Tensor]) -> None:
        self._state = dict(state)
        self.specs = {
            name: TensorSpec(tuple(tensor.shape), tensor.dtype)
            for name, tensor in self._state.items()
        }

    def read(self, names: Sequence[str]) -> Iterator[tuple[str, torch.Tensor]]:
        """Yield tensors as they are."""
        for name in names:
            yield name, self._state[name].detach()


def read_small(path: Path) -> dict[str, torch.Tensor]:
    """Return all tensors of a file of a few vectors, of any numeric type.

    Raises:
        CheckpointError: the file is missing, or is not whole.
    """
    with _open(path) as file:
        return {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118


def read_metadata(path: Path) -> dict[str, str]:
    """Return the free text of a file's header."""
    with _open(path) as file:
        return dict(file.metadata() or {})


def _open(path: Path) -> AbstractContextManager[Any]:
    try:
        return safe_open(str(path), framework='pt', device='cpu')
    except (SafetensorError, OSError) as error:
        size = f', {path.stat().st_size:,} bytes,' if path.is_file() else ''
        raise CheckpointError(
            f'{path}{size} is not a whole safetensors file: {error}. Next: copy or download it '
            f'again (a Git LFS pointer is a text file of about 130 bytes: run `git lfs pull`)'
        ) from error


def _no_weights(folder: Path) -> str:
    pickled = sorted(
        path.name for path in folder.iterdir() if path.suffix in ('.bin', '.pt', '.pth', '.ckpt')
    )
    shards = sorted(path.name for path in folder.glob('model-*.safetensors'))
    found = f'shards without their index ({INDEX}): {", ".join(shards)}' if shards else 'neither'
    if pickled:
        found = (
            f'{", ".join(pickled)}: pickled weights can run code and are not read. '
            f'Next: save the checkpoint as safetensors'
        )
    return f'{folder}: expected {SINGLE} or {INDEX}; found {found}'
