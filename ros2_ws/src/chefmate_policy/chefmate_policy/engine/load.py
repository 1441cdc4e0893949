"""From a model's name to an engine that is ready but for its warm-up."""

import logging
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from chefmate_policy.engine import gate
from chefmate_policy.engine.cuda_graph import GraphRunner
from chefmate_policy.engine.groot_engine import EXPECTED_FRAME, EXPECTED_INSTRUCTION, GrootEngine
from chefmate_policy.engine.options import EngineOptions
from chefmate_policy.engine.packed import PackedGroot
from chefmate_policy.engine.runner import Encoded, PackedRunner, ReferenceRunner, Runner
from chefmate_policy.model.groot import Groot
from chefmate_policy.models import find_model
from chefmate_policy.models.tokenizer import ensure_tokenizer
from chefmate_policy.processing.processor import Processor

Progress = Callable[[str, int, int], None]  # what, bytes done, bytes of all

_log = logging.getLogger(__name__)


def load_engine(model: str, progress: Progress | None = None, **options: Any) -> GrootEngine:
    """Return the engine of a model.

    Args:
        model: a name under `models/`, the path of a checkpoint, or `org/name@revision` of the hub.
        progress: called while weights are loaded.
        options: see `EngineOptions`.

    Raises:
        ConfigurationError: there is no such model, it is damaged, or an option is wrong.
        PolicyError: fp8 was asked for and is not exact enough.
    """
    chosen = EngineOptions.read(options)
    torch.set_num_threads(chosen.chosen_threads)
    source = find_model(model)
    checkpoint = source.open(chosen.embodiment, cameras=chosen.cameras, base=chosen.base)
    ensure_tokenizer(checkpoint, source.models)
    for note in checkpoint.notes:
        _log.info('%s: %s', model, note)
    processor = checkpoint.processor(chosen.profile)
    device, dtype = chosen.torch_device, chosen.torch_dtype
    weights = checkpoint.load(
        # Packing copies to the device, layer by layer: weights are never there twice.
        device=device if chosen.chosen_backend == 'reference' else 'cpu',
        dtype=dtype if chosen.chosen_backend == 'reference' else None,
        progress=None if progress is None else _named(progress, 'weights'),
    )
    head = checkpoint.config.head
    return GrootEngine(
        name=f'{model} ({checkpoint.embodiment.tag}, {chosen.chosen_backend} on {device})',
        processor=processor,
        runner=make_runner(weights, processor, checkpoint.embodiment.slot, chosen),
        chunk_shape=(head.action_horizon, head.action_dim),
        samples=chosen.samples,
        seed=chosen.seed,
        state_range=checkpoint.range_of('state'),
    )


def make_runner(model: Groot, processor: Processor, slot: int, options: EngineOptions) -> Runner:
    """Return what computes.

    Raises:
        PolicyError: fp8 is not exact enough for this model.
    """
    device, dtype = options.torch_device, options.torch_dtype
    backend, profile = options.chosen_backend, processor.profile
    if backend == 'reference':
        model = model.to(device, dtype)
        return ReferenceRunner(model, slot, profile, device)
    packed = PackedGroot(model, slot, device, dtype, options.attention)
    if options.fp8:
        exact, packed = packed, PackedGroot(model, slot, device, dtype, options.attention, True)
        found = compare(
            PackedRunner(exact, profile), PackedRunner(packed, profile), processor, model
        )
        gate.require(found, 'fp8')
        _log.info('fp8: %s', found)
    if backend == 'packed':
        return PackedRunner(packed, profile)
    return GraphRunner(packed, profile, compiled=backend == 'graph-compiled')


def compare(first: Runner, second: Runner, processor: Processor, model: Groot) -> gate.Agreement:
    """Return how far two runners agree on random observations."""
    head = model.config.head

    def answer(runner: Runner, number: int) -> Tensor:
        shape = (1, head.action_horizon, head.action_dim)
        observed = random_observation(processor, head.max_state_dim, shape, number)
        # The noise is the same for both: what counts is how they change it.
        return runner.run(observed)[0] - observed.noise

    return gate.agreement(lambda n: answer(first, n), lambda n: answer(second, n))


def random_observation(
    processor: Processor, state_size: int, noise_shape: tuple[int, int, int], seed: int
) -> Encoded:
    """Return images, words, state and noise that the seed decides."""
    numbers = np.random.default_rng(seed)
    generator = torch.Generator().manual_seed(seed)
    return Encoded(
        frames=[numbers.integers(0, 256, EXPECTED_FRAME, np.uint8) for _ in processor.cameras],
        input_ids=processor.prompts.encode(EXPECTED_INSTRUCTION),
        state=torch.rand((1, state_size), generator=generator) * 2 - 1,
        noise=torch.randn(noise_shape, generator=generator),
    )


def _named(progress: Progress, what: str) -> Callable[[int, int], None]:
    return lambda done, total: progress(what, done, total)
