"""How much memory a way to run a model takes: its weights, and what it works in."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import FunctionType
from typing import Any

import torch
from torch import Tensor

_CLEAR_REFS, _STATUS = Path('/proc/self/clear_refs'), Path('/proc/self/status')
_RESET_PEAK = '5'  # man 5 proc: sets VmHWM to VmRSS


def weights_bytes(owner: object) -> int:
    """Return the bytes of all tensors that an object holds, however deep, each counted once."""
    found: dict[int, int] = {}
    _collect(owner, found, set())
    return sum(found.values())


def _collect(thing: Any, found: dict[int, int], seen: set[int]) -> None:
    if id(thing) in seen:
        return
    seen.add(id(thing))
    if isinstance(thing, Tensor):
        size = thing.numel() * thing.element_size()
        found[thing.data_ptr()] = max(size, found.get(thing.data_ptr(), 0))
    elif isinstance(thing, Mapping):
        for part in list(thing.values()):
            _collect(part, found, seen)
    elif isinstance(thing, list | tuple):
        for part in thing:
            _collect(part, found, seen)
    elif hasattr(thing, '__dict__') and not isinstance(thing, type | FunctionType):
        _collect(vars(thing), found, seen)


class WorkingMemory:
    """The most that was in use since this was made, above what was in use then, bytes.

    On a GPU what torch allocated there; elsewhere what the process had resident.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        if device.type == 'cuda':
            torch.cuda.synchronize(device)
            torch.cuda.reset_peak_memory_stats(device)
            self._before = torch.cuda.memory_allocated(device)
        else:
            with suppress(OSError):  # where it may not be reset, it is the peak of the process
                _CLEAR_REFS.write_text(_RESET_PEAK)
            self._before = _resident('VmRSS')

    def peak_bytes(self) -> int:
        """Return it."""
        if self._device.type == 'cuda':
            return torch.cuda.max_memory_allocated(self._device) - self._before
        return max(0, _resident('VmHWM') - self._before)


def _resident(name: str) -> int:
    """A line of the process's status, bytes."""
    for line in _STATUS.read_text().splitlines():
        if line.startswith(f'{name}:'):
            return int(line.split()[1]) * 1024
    return 0
