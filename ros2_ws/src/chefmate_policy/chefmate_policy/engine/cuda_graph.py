"""The whole way from frames in pinned memory to actions in pinned memory as one CUDA graph.

A graph has static shapes: there is one for each prompt length, frame sizes and number of samples.
Words are inputs, so instructions of equal length share one. Graphs share one memory pool, because
only one of them runs at a time.
"""

import math
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from chefmate_core.errors import PolicyError
from chefmate_policy.engine.language import Prompt
from chefmate_policy.engine.packed import PackedGroot
from chefmate_policy.engine.runner import Encoded, host_tensor, padded_prefix
from chefmate_policy.processing.images import preprocess_views
from chefmate_policy.processing.profile import Profile

KEPT_GRAPHS = 8
WARM_UP_RUNS = 3  # cuBLAS and allocator settle before a capture


class GraphRunner:
    """See the module's docstring. Needs a CUDA device."""

    def __init__(self, model: PackedGroot, profile: Profile, compiled: bool = False) -> None:
        """`compiled`: let torch.compile fuse what lies between the GEMMs; capture takes longer."""
        self._model, self._profile = model, profile
        self._forward = _compiled(model) if compiled else model
        self._graphs: OrderedDict[tuple, _Graph] = OrderedDict()
        with torch.cuda.device(model.device):
            self._pool = torch.cuda.graph_pool_handle()

    # Buffers that are made in inference mode may be written to in inference mode only.
    @torch.inference_mode()
    def prepare(self, encoded: Encoded) -> None:
        """Capture the graph for such an input, and replay it once: the first one is slower."""
        self.run(encoded)

    @torch.inference_mode()
    def run(self, encoded: Encoded) -> tuple[Tensor, dict[str, float]]:
        """See `Runner`; on the GPU there is one part only."""
        with torch.cuda.device(self._model.device):  # streams and events belong to it
            graph = self._graph(encoded)
            graph.load(encoded)
            milliseconds = graph.replay()
            return graph.actions.clone(), {'gpu': milliseconds * 1e-3}

    def _graph(self, encoded: Encoded) -> '_Graph':
        key = (
            len(encoded.input_ids),
            tuple(frame.shape for frame in encoded.frames),
            len(encoded.noise),
        )
        if key not in self._graphs:
            self._graphs[key] = _Graph(self, encoded)
            if len(self._graphs) > KEPT_GRAPHS:
                self._graphs.popitem(last=False)
        self._graphs.move_to_end(key)
        return self._graphs[key]


def _compiled(model: PackedGroot) -> Callable[..., Tensor]:
    # One compilation for each length of a prompt; beyond its limit torch would go on eagerly.
    config = torch._dynamo.config
    config.recompile_limit = max(config.recompile_limit, 8 * KEPT_GRAPHS)
    return torch.compile(model.__call__, dynamic=False)


@dataclass
class _Buffers:
    """Inputs and output in pinned memory: their addresses are part of the graph."""

    frames: list[Tensor]
    input_ids: Tensor  # (L,)
    state: Tensor  # (1, 1, max_state_dim)
    noise: Tensor  # (B, T, A)
    committed: Tensor  # (T, A)
    is_committed: Tensor  # (T, 1)
    actions: Tensor  # (B, T, A)

    @classmethod
    def like(cls, encoded: Encoded) -> '_Buffers':
        committed, is_committed = padded_prefix(encoded.committed, encoded.noise)
        return cls(
            [torch.empty(f.shape, dtype=torch.uint8, pin_memory=True) for f in encoded.frames],
            torch.tensor(encoded.input_ids).pin_memory(),
            encoded.state[None].contiguous().pin_memory(),
            encoded.noise.contiguous().pin_memory(),
            committed.pin_memory(),
            is_committed.pin_memory(),
            torch.empty(encoded.noise.shape, pin_memory=True),
        )


class _Graph:
    """One captured forward."""

    def __init__(self, runner: GraphRunner, encoded: Encoded) -> None:
        self._runner, self._model = runner, runner._model
        self._buffers = _Buffers.like(encoded)
        self.load(encoded)
        # Where the images go depends on the template alone; the words are gathered in the graph.
        self._layout = self._model.prompt(self._buffers.input_ids, len(encoded.frames))
        stream = torch.cuda.Stream(self._model.device)
        stream.wait_stream(torch.cuda.current_stream(self._model.device))
        with torch.cuda.stream(stream):
            for _ in range(WARM_UP_RUNS):
                self._whole()
        stream.synchronize()
        self._start = torch.cuda.Event(enable_timing=True)
        self._end = torch.cuda.Event(enable_timing=True)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, pool=runner._pool):
            self._whole()
        self._check(self.actions.clone())

    @property
    def actions(self) -> Tensor:
        return self._buffers.actions

    def load(self, encoded: Encoded) -> None:
        """Put an observation into the pinned inputs."""
        buffers = self._buffers
        for buffer, frame in zip(buffers.frames, encoded.frames, strict=True):
            buffer.copy_(host_tensor(frame))
        committed, is_committed = padded_prefix(encoded.committed, encoded.noise)
        buffers.input_ids.copy_(torch.tensor(encoded.input_ids))
        buffers.state.copy_(encoded.state[None])
        buffers.noise.copy_(encoded.noise)
        buffers.committed.copy_(committed)
        buffers.is_committed.copy_(is_committed)

    def replay(self) -> float:
        """Run it and wait for the answer; return what the GPU took, ms."""
        self._start.record()
        self._graph.replay()
        self._end.record()
        self._end.synchronize()
        return self._start.elapsed_time(self._end)

    def _check(self, eager: Tensor) -> None:
        """Hold the first replay against the run before the capture."""
        self.actions.fill_(math.inf)
        self.replay()
        if not torch.allclose(self.actions, eager, rtol=0.02, atol=0.02, equal_nan=True):
            raise PolicyError(
                'the CUDA graph does not say what was captured into it. Next: backend=packed, '
                f'and report it with the versions of torch ({torch.__version__}) and the driver'
            )

    def _whole(self) -> None:
        model, buffers = self._model, self._buffers

        def on_device(tensor: Tensor) -> Tensor:
            return tensor.to(model.device, non_blocking=True)

        frames = [on_device(frame) for frame in buffers.frames]
        layout = self._layout
        prompt = Prompt(
            model.language.embed(on_device(buffers.input_ids)),
            layout.image_index,
            layout.cos,
            layout.sin,
        )
        actions = self._runner._forward(
            preprocess_views(frames, self._runner._profile),
            prompt,
            on_device(buffers.state),
            on_device(buffers.noise),
            on_device(buffers.committed),
            on_device(buffers.is_committed),
        )
        buffers.actions.copy_(actions, non_blocking=True)
