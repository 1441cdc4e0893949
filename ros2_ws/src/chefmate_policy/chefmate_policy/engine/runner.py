"""What runs a model, and two ways to do it: the model as written, and packed.

A runner takes an observation that is encoded but for its images, which it prepares itself, where
it computes. B: samples, T: rows of the chunk, A: action_dim, K: committed rows.
"""

import time
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from chefmate_policy.engine.language import Prompt
from chefmate_policy.engine.packed import PackedGroot
from chefmate_policy.model.groot import Groot
from chefmate_policy.processing.images import preprocess_views
from chefmate_policy.processing.profile import Profile

# Prompts differ by their instruction; a kitchen has a handful of them.
KEPT_PROMPTS = 16


@dataclass(frozen=True)
class Encoded:
    """An observation for a runner; everything is on the host."""

    frames: Sequence[np.ndarray]  # uint8 (H, W, 3) each, in the model's order
    input_ids: tuple[int, ...]
    state: Tensor  # (1, max_state_dim), fp32
    noise: Tensor  # (B, T, A), fp32
    committed: Tensor | None = None  # (K, A), fp32, normalised


@dataclass
class Parts:
    """How long each part took, s. On a GPU each part waits for the last: for benches."""

    device: torch.device
    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Measure one."""
        start_s = time.perf_counter()
        yield
        if self.device.type == 'cuda':
            torch.cuda.synchronize(self.device)
        self.seconds[name] = time.perf_counter() - start_s


class Runner(Protocol):
    """Runs a model on one device. One thread calls it."""

    def prepare(self, encoded: Encoded) -> None:
        """Do what the first run with such an input would need besides."""

    def run(self, encoded: Encoded) -> tuple[Tensor, dict[str, float]]:
        """Return actions, (B, T, A) fp32 on the host, normalised, and the parts' seconds."""


class ReferenceRunner:
    """The model as it is written: what every other runner is compared with."""

    def __init__(self, model: Groot, slot: int, profile: Profile, device: torch.device) -> None:
        """Use `model`, whose weights are of one type and lie on `device`."""
        self._model, self._profile, self._device = model, profile, device
        self._dtype = model.action_head.model.proj_out_2.weight.dtype
        self._slot = torch.tensor([slot], device=device)

    def prepare(self, encoded: Encoded) -> None:
        """Run it once."""
        self.run(encoded)

    @torch.inference_mode()
    def run(self, encoded: Encoded) -> tuple[Tensor, dict[str, float]]:
        """See `Runner`."""
        parts = Parts(self._device)
        head, backbone = self._model.action_head, self._model.backbone
        with parts.part('images'):
            views = [host_tensor(frame).to(self._device) for frame in encoded.frames]
            pixel_values = preprocess_views(views, self._profile).to(self._dtype)
        with parts.part('backbone'):
            ids = torch.tensor([encoded.input_ids], device=self._device)
            features = backbone(pixel_values, ids, torch.ones_like(ids))
        with parts.part('head'):
            count = len(encoded.noise)
            state, noise = (
                x.to(self._device, self._dtype) for x in (encoded.state, encoded.noise)
            )
            committed = encoded.committed
            if committed is not None:
                committed = committed.to(noise).expand(count, -1, -1)
            actions = head.sample(
                features.expand(count, -1, -1),
                state.expand(count, 1, -1),
                self._slot.expand(count),
                noise,
                committed,
            )
        return actions.float().cpu(), parts.seconds


class PackedRunner:
    """The packed model, step by step: the fast path of a processor, and of a GPU for debugging."""

    def __init__(self, model: PackedGroot, profile: Profile) -> None:
        self._model, self._profile = model, profile
        self._prompts: OrderedDict[tuple, Prompt] = OrderedDict()

    def prepare(self, encoded: Encoded) -> None:
        """Run it once."""
        self.run(encoded)

    @torch.inference_mode()
    def run(self, encoded: Encoded) -> tuple[Tensor, dict[str, float]]:
        """See `Runner`."""
        model, device = self._model, self._model.device
        parts = Parts(device)
        prompt = self._prompt(encoded)
        with parts.part('images'):
            views = [host_tensor(frame).to(device) for frame in encoded.frames]
            pixel_values = preprocess_views(views, self._profile)
        with parts.part('vision'):
            images = model.vision(pixel_values.to(model.dtype))
        with parts.part('language'):
            features = model.features(prompt, images)
        with parts.part('head'):
            context = model.context(features)
            committed, is_committed = padded_prefix(encoded.committed, encoded.noise)
            actions = model.denoise(
                context,
                encoded.state[None].to(device),
                encoded.noise.to(device),
                committed.to(device),
                is_committed.to(device),
            )
        return actions.cpu(), parts.seconds

    def _prompt(self, encoded: Encoded) -> Prompt:
        key = (encoded.input_ids, len(encoded.frames))
        if key not in self._prompts:
            ids = torch.tensor(encoded.input_ids)
            self._prompts[key] = self._model.prompt(ids, len(encoded.frames))
            if len(self._prompts) > KEPT_PROMPTS:
                self._prompts.popitem(last=False)
        self._prompts.move_to_end(key)
        return self._prompts[key]


def host_tensor(frame: np.ndarray) -> Tensor:
    """Return a frame as a tensor; one that may not be written to (of a message) is copied."""
    return torch.from_numpy(np.require(frame, requirements='W'))


def padded_prefix(committed: Tensor | None, noise: Tensor) -> tuple[Tensor, Tensor]:
    """Return committed rows in a tensor of static shape, (T, A), and which they are, (T, 1)."""
    rows = torch.zeros_like(noise[0])
    is_committed = torch.zeros(len(rows), 1, dtype=torch.bool)
    if committed is not None:
        rows[: len(committed)] = committed
        is_committed[: len(committed)] = True
    return rows, is_committed
