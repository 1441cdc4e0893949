"""A model's forward in stages, each a function of the one before: how long each takes.

A stage's input stays where the stage before left it, on the device. On a GPU with graphs every
stage, and all of them together, is a CUDA graph of its own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from chefmate_policy.engine.cuda_graph import WARM_UP_RUNS
from chefmate_policy.engine.packed import PackedGroot
from chefmate_policy.engine.runner import Encoded, padded_prefix
from chefmate_policy.model.groot import Groot
from chefmate_policy.processing.images import preprocess_views
from chefmate_policy.processing.profile import Profile

Stage = Callable[[Any], Any]


@dataclass(frozen=True)
class Calls:
    """What can be timed, each without arguments."""

    model: Callable[[], object]  # pixel values on the device -> actions there
    parts: Mapping[str, Callable[[], object]]


def reference_stages(
    model: Groot, slot: int, profile: Profile, device: torch.device, encoded: Encoded
) -> dict[str, Stage]:
    """Frames on the host -> pixel values -> features -> actions, by the model as written."""
    dtype = model.action_head.model.proj_out_2.weight.dtype
    count = len(encoded.noise)
    ids = torch.tensor([encoded.input_ids], device=device)
    everything = torch.ones_like(ids)
    state = encoded.state.to(device, dtype).expand(count, 1, -1)
    noise = encoded.noise.to(device, dtype)
    slots = torch.full((count,), slot, device=device)

    def head(features: Tensor) -> Tensor:
        return model.action_head.sample(features.expand(count, -1, -1), state, slots, noise)

    return {
        'images': partial(_pixel_values, profile, device, dtype),
        'backbone': lambda pixel_values: model.backbone(pixel_values, ids, everything),
        'head': head,
    }


def packed_stages(
    model: PackedGroot, profile: Profile, encoded: Encoded, compiled: bool = False
) -> dict[str, Stage]:
    """Frames on the host -> pixel values -> image tokens -> features -> actions.

    What is `compiled` is compiled as one, so after the images there is one stage.
    """
    device, dtype = model.device, model.dtype
    prompt = model.prompt(torch.tensor(encoded.input_ids), len(encoded.frames))
    state, noise = (x.to(device) for x in (encoded.state[None], encoded.noise))
    prefix = tuple(x.to(device) for x in padded_prefix(encoded.committed, encoded.noise))
    images = {'images': partial(_pixel_values, profile, device, dtype)}
    if compiled:
        forward = torch.compile(model, dynamic=False)
        return {**images, 'all': lambda x: forward(x, prompt, state, noise, *prefix)}
    return {
        **images,
        'vision': model.vision,
        'language': lambda x: model.features(prompt, x),
        'head': lambda x: model.denoise(model.context(x), state, noise, *prefix),
    }


def _pixel_values(
    profile: Profile, device: torch.device, dtype: torch.dtype, frames: list[Tensor]
) -> Tensor:
    views = [frame.to(device, non_blocking=True) for frame in frames]
    return preprocess_views(views, profile).to(dtype)


@torch.inference_mode()
def make_calls(
    stages: Mapping[str, Stage], encoded: Encoded, device: torch.device, graphs: bool
) -> Calls:
    """Run the stages once, and return them as calls on the inputs that they had."""
    value: Any = [_on_host(torch.from_numpy(frame), device) for frame in encoded.frames]
    parts: dict[str, Callable[[], object]] = {}
    inputs = []
    for name, stage in stages.items():
        inputs.append(value)
        parts[name] = partial(stage, value)
        value = stage(value)
    if len(stages) == 2:  # after the images, the whole model: it is timed as that
        del parts[name]
    model = partial(_chain, list(stages.values())[1:], inputs[1])
    if graphs:
        return Calls(Graph(model, device), {n: Graph(part, device) for n, part in parts.items()})
    return Calls(model, parts)


def _on_host(frame: Tensor, device: torch.device) -> Tensor:
    """Where cameras put frames; pinned, so that a GPU fetches them by itself."""
    return frame.pin_memory() if device.type == 'cuda' else frame


def _chain(stages: list[Stage], value: Any) -> Any:
    for stage in stages:
        value = stage(value)
    return value


class Graph:
    """A call as one CUDA graph."""

    def __init__(self, call: Callable[[], object], device: torch.device) -> None:
        self._call = call  # its inputs must live as long as the graph
        stream = torch.cuda.Stream(device)
        stream.wait_stream(torch.cuda.current_stream(device))
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP_RUNS):
                call()
        stream.synchronize()
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._output = call()

    def __call__(self) -> object:
        """Replay it; the output is overwritten by the next replay."""
        self._graph.replay()
        return self._output
