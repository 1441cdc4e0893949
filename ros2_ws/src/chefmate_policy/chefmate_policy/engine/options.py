"""How an engine is built: what a user may choose, checked once."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

import torch

from chefmate_core.errors import ConfigurationError
from chefmate_policy.checkpoint.loading import DTYPES
from chefmate_policy.engine.attention import KINDS
from chefmate_policy.engine.groot_engine import MAX_SAMPLES, MAX_SEED

BACKENDS = ('auto', 'reference', 'packed', 'graph', 'graph-compiled')


@dataclass(frozen=True)
class EngineOptions:
    """Choices of a user; the defaults are right for most."""

    device: str = 'auto'  # auto: cuda where there is one
    dtype: str = 'auto'  # auto: bfloat16 on a GPU, float32 on a processor
    backend: str = 'auto'  # auto: graph on a GPU, packed on a processor
    attention: str = 'sdpa'
    fp8: bool = False  # weights of the GEMMs, behind the accuracy gate
    embodiment: str | None = None  # tag; None: the checkpoint's only one
    cameras: tuple[str, ...] | None = None  # which, in the model's order; None: as stored
    profile: str | None = None  # how inputs are made; None: the checkpoint's
    base: str | None = None  # of an adapter
    samples: int = 1  # noise samples of which the most central one is played
    seed: int | None = None  # of the noise
    threads: int = 0  # on a processor; 0: half of it, the arm's loop needs some as well

    def __post_init__(self) -> None:
        for item in fields(self):
            kind = item.type.__name__ if isinstance(item.type, type) else str(item.type)
            _check_kind(item.name, getattr(self, item.name), kind)
        for name, value, allowed in (
            ('dtype', self.dtype, ('auto', *DTYPES)),
            ('backend', self.backend, BACKENDS),
            ('attention', self.attention, KINDS),
        ):
            if value not in allowed:
                raise ConfigurationError(f'{name}: expected {", ".join(allowed)}; found {value!r}')
        if not 1 <= self.samples <= MAX_SAMPLES:
            raise ConfigurationError(f'samples: expected 1 to {MAX_SAMPLES}; found {self.samples}')
        if self.seed is not None and not 0 <= self.seed <= MAX_SEED:
            raise ConfigurationError(f'seed: expected 0 to {MAX_SEED}; found {self.seed}')
        if not 0 <= self.threads <= 1024:
            raise ConfigurationError(f'threads: expected 0 to 1024; found {self.threads}')
        device = self.torch_device
        if device.type == 'cuda' and not torch.cuda.is_available():
            raise ConfigurationError(
                f'device={self.device}: there is no CUDA device here. Next: leave device=auto, '
                f'or look at nvidia-smi and at the build of torch ({torch.__version__})'
            )
        if self.backend.startswith('graph') and device.type != 'cuda':
            raise ConfigurationError(f'backend={self.backend} needs a CUDA device; found {device}')
        if self.fp8 and self.backend == 'reference':
            raise ConfigurationError('fp8 needs a packed backend; found backend=reference')

    @classmethod
    def read(cls, options: Mapping[str, Any]) -> 'EngineOptions':
        """Return options from a mapping, such as a JSON object.

        Raises:
            ConfigurationError: a name or a value is wrong; the message lists the names.
        """
        names = [item.name for item in fields(cls)]
        unknown = sorted(set(options) - set(names))
        if unknown:
            raise ConfigurationError(
                f'unknown option {", ".join(unknown)}; an engine takes: {", ".join(names)}'
            )
        values = dict(options)
        cameras = values.get('cameras')
        if isinstance(cameras, str):  # as a command line has it
            cameras = [name.strip() for name in cameras.split(',')]
        if isinstance(cameras, list):
            values['cameras'] = tuple(cameras)
        return cls(**values)

    @property
    def torch_device(self) -> torch.device:
        """Where it runs."""
        if self.device == 'auto':
            return torch.device('cuda' if torch.cuda.is_available() else 'cpu')
        if re.fullmatch(r'cpu|cuda(:\d+)?', self.device) is None:
            raise ConfigurationError(
                f'device: expected auto, cpu, cuda or cuda:N; found {self.device!r}'
            )
        return torch.device(self.device)

    @property
    def torch_dtype(self) -> torch.dtype:
        """Type of the weights and of most of the arithmetic."""
        if self.dtype == 'auto':
            return torch.bfloat16 if self.torch_device.type == 'cuda' else torch.float32
        return DTYPES[self.dtype]

    @property
    def chosen_threads(self) -> int:
        """How many threads compute on a processor."""
        return self.threads or max(1, len(os.sched_getaffinity(0)) // 2)

    @property
    def chosen_backend(self) -> str:
        """Which runner."""
        if self.backend == 'auto':
            return 'graph' if self.torch_device.type == 'cuda' else 'packed'
        return self.backend


_KINDS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    'str': ('text', lambda value: isinstance(value, str)),
    'bool': ('true or false', lambda value: isinstance(value, bool)),
    'int': (
        'a whole number',
        lambda value: isinstance(value, int) and not isinstance(value, bool),
    ),
    'tuple[str, ...]': (
        'names',
        lambda value: isinstance(value, tuple) and all(isinstance(name, str) for name in value),
    ),
}


def _check_kind(name: str, value: object, annotation: str) -> None:
    """Hold a value against its annotation."""
    kind, _, optional = annotation.partition(' | ')
    expected, fits = _KINDS[kind]
    if not (fits(value) or (optional and value is None)):
        raise ConfigurationError(f'{name}: expected {expected}; found {value!r}')
