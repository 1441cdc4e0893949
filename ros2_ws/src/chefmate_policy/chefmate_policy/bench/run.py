"""The policy bench: gets every backend ready, then lets them take turns.

They take turns because a machine that is slow for a while is then slow for all of them.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch

from chefmate_core.timing import percentiles_ms
from chefmate_policy.bench.config import PolicyBench
from chefmate_policy.bench.contestants import Contestants
from chefmate_policy.bench.limit import time_limit
from chefmate_policy.bench.memory import WorkingMemory, weights_bytes
from chefmate_policy.bench.stages import make_calls
from chefmate_policy.bench.subject import Subject, make_subject
from chefmate_policy.engine.groot_engine import GrootEngine
from chefmate_policy.engine.load import compare, random_observation
from chefmate_policy.engine.options import EngineOptions

WARM_UP_TURNS = 3
REFERENCE = 'reference'
WHOLE, MODEL = 'whole', 'model'  # raw frames -> action; pixel values -> action on the device


@dataclass
class _Entry:
    """One backend: what is timed, and what was found."""

    calls: dict[str, Callable[[], object]] = field(default_factory=dict)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    found: dict[str, Any] = field(default_factory=dict)
    trouble: list[str] = field(default_factory=list)

    def row(self) -> dict[str, Any]:
        """Return the numbers: parts only of what was timed."""
        timed = {name: percentiles_ms(values, 'run') for name, values in self.seconds.items()}
        return {
            'runs': len(self.seconds.get(WHOLE, ())),
            'trouble': self.trouble,
            **self.found,
            'times': {name: numbers for name, numbers in timed.items() if numbers},
        }


def steps(bench: PolicyBench) -> int:
    """Return how often `run` will call `advance`.

    Raises:
        ConfigurationError: there is no such device here, or a backend needs another one.
    """
    device = EngineOptions(device=bench.device).torch_device
    return 1 + len(bench.chosen_backends(device.type)) + bench.runs


def run(
    bench: PolicyBench, advance: Callable[[str], None] = lambda what: None
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Measure; return settings and {backend: numbers}.

    Raises:
        ConfigurationError: a backend needs another device, or the model is not there.
    """
    options = EngineOptions(device=bench.device)
    device = options.torch_device
    names = bench.chosen_backends(device.type)
    advance('model')
    subject = make_subject(bench, options)
    shape = (bench.samples, *subject.chunk_shape)
    encoded = random_observation(
        subject.processor, subject.model.config.head.max_state_dim, shape, bench.seed
    )
    contestants = Contestants(subject, encoded)
    entries = {name: _Entry() for name in names}
    for name, entry in entries.items():
        advance(f'getting ready: {name}')
        try:
            with time_limit(bench.seconds):
                _get_ready(name, entry, contestants, subject, bench, encoded)
        except Exception as error:  # what a compiler or a small GPU raises is a result, too
            _note(entry, error)
    for number in range(bench.runs):
        advance('taking turns')
        for entry in _rotated([entry for entry in entries.values() if entry.calls], number):
            try:
                _turn(entry, device)
            except Exception as error:
                _note(entry, error)
    results = {name: entry.row() for name, entry in entries.items()}
    _compare_times(results)
    return _settings(bench, subject, len(encoded.input_ids)), results


def _get_ready(
    name: str,
    entry: _Entry,
    contestants: Contestants,
    subject: Subject,
    bench: PolicyBench,
    encoded: Any,
) -> None:
    """Build it, as an engine does, and do everything that only first runs need."""
    start_s = time.perf_counter()
    contestant = contestants.build(name)
    memory = WorkingMemory(subject.device)
    engine = GrootEngine(
        name,
        subject.processor,
        contestant.runner,
        subject.chunk_shape,
        samples=bench.samples,
        seed=bench.seed,
    )
    request = subject.request(bench.seed)
    engine.warm_up()
    engine.infer(request)
    entry.found['start_s'] = time.perf_counter() - start_s
    working = memory.peak_bytes()
    weights = weights_bytes(contestant.weights)
    entry.found['memory'] = {
        'weights_bytes': weights,
        'working_bytes': working,
        'total_bytes': weights + working,
    }
    if name != REFERENCE:
        found = compare(
            contestants.reference_runner, contestant.runner, subject.processor, subject.model
        )
        entry.found['agreement'] = vars(found)
    calls = make_calls(contestant.stages(), encoded, subject.device, contestant.graphs)
    entry.calls = {WHOLE: lambda: engine.infer(request), MODEL: calls.model, **calls.parts}
    for _ in range(WARM_UP_TURNS):
        _turn(entry, subject.device)
    entry.seconds.clear()


@torch.inference_mode()
def _turn(entry: _Entry, device: torch.device) -> None:
    for name, call in entry.calls.items():
        _wait(device)
        start_s = time.perf_counter()
        call()
        _wait(device)
        entry.seconds.setdefault(name, []).append(time.perf_counter() - start_s)


def _wait(device: torch.device) -> None:
    if device.type == 'cuda':
        torch.cuda.synchronize(device)


def _rotated(entries: list[_Entry], number: int) -> list[_Entry]:
    """Another one begins each round: nobody always follows the same neighbour."""
    first = number % len(entries) if entries else 0
    return [*entries[first:], *entries[:first]]


def _note(entry: _Entry, error: Exception) -> None:
    """Keep the first line of what went wrong; what failed takes no more turns."""
    lines = str(error).strip().splitlines() or ['']
    entry.trouble.append(f'{type(error).__name__}: {lines[0]}')
    entry.calls = {}


def _compare_times(results: dict[str, dict[str, Any]]) -> None:
    """Add how many times as fast as the eager reference each part is, by p50."""
    eager = results.get(REFERENCE, {}).get('times', {})
    for row in results.values():
        for name, numbers in row['times'].items():
            if name in eager:
                numbers['times_eager'] = eager[name]['run_p50_ms'] / numbers['run_p50_ms']


def _settings(bench: PolicyBench, subject: Subject, tokens: int) -> dict[str, Any]:
    cuda = subject.device.type == 'cuda'
    return {
        'model': subject.name,
        'parameters': sum(weight.numel() for weight in subject.model.parameters()),
        'device': torch.cuda.get_device_name(subject.device) if cuda else 'cpu',
        'dtype': str(subject.dtype).removeprefix('torch.'),
        'cameras': len(subject.processor.cameras),
        'frame': '640x480',
        'prompt_tokens': tokens,
        'steps': subject.model.config.head.num_inference_timesteps,
        'samples': bench.samples,
        'runs': bench.runs,
        'seed': bench.seed,
        'torch': torch.__version__,
        'threads': torch.get_num_threads(),
    }
