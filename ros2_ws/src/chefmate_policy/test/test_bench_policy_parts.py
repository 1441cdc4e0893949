"""The parts of `chefmate bench policy`: what is measured, by what, within which limits."""

import io
import time
from contextlib import suppress

import pytest
import torch
from rich.console import Console

from chefmate_core.errors import PolicyError
from chefmate_policy.bench.aims import aims
from chefmate_policy.bench.limit import time_limit
from chefmate_policy.bench.memory import WorkingMemory, weights_bytes
from chefmate_policy.bench.stages import make_calls, packed_stages, reference_stages
from chefmate_policy.bench.subject import SLOT, random_model, random_processor, twin
from chefmate_policy.bench.tables import policy_table
from chefmate_policy.engine.linear import DenseLinear
from chefmate_policy.engine.load import random_observation
from chefmate_policy.engine.packed import PackedGroot
from chefmate_policy.engine.runner import PackedRunner
from chefmate_policy.model.config import GrootConfig
from chefmate_policy.processing.profile import ISAAC

CPU = torch.device('cpu')


def test_random_weights_are_the_same_for_the_same_seed():
    config = GrootConfig.preset('tiny')
    first, again, other = (random_model(config, n, CPU, torch.float32) for n in (1, 1, 2))
    a, b, c = (model.state_dict() for model in (first, again, other))
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert not torch.equal(a['action_head.vlln.bias'], c['action_head.vlln.bias'])
    assert bool((a['action_head.vlln.weight'] == 1).all())
    assert not any(tensor.is_meta for tensor in (*first.parameters(), *first.buffers()))


def test_a_twin_has_the_same_weights_and_not_a_copy():
    model = random_model(GrootConfig.preset('tiny'), 0, CPU, torch.float32)
    state, other = model.state_dict(), twin(model, CPU).state_dict()
    assert state.keys() == other.keys()
    assert all(state[name].data_ptr() == other[name].data_ptr() for name in state)


def test_a_prompt_has_as_many_tokens_as_a_trained_tokenizer_makes():
    processor = random_processor(GrootConfig.preset('n1.5-3b'), cameras=2)
    ids = processor.prompts.encode('pick up the bread slice and place it on the plate')
    assert 540 <= len(ids) <= 580  # 512 of them image tokens
    assert len(ids) > len(processor.prompts.encode('pick up the bread'))


def test_stages_one_after_the_other_are_the_whole_model():
    config = GrootConfig.preset('tiny')
    model = random_model(config, 0, CPU, torch.float32)
    packed = PackedGroot(model, SLOT, CPU, torch.float32)
    encoded = random_observation(random_processor(config, 2), 64, (2, 16, 32), seed=3)
    expected, _ = PackedRunner(packed, ISAAC).run(encoded)
    with torch.compiler.set_stance('force_eager'):
        for stages in (
            reference_stages(model, SLOT, ISAAC, CPU, encoded),
            packed_stages(packed, ISAAC, encoded),
            packed_stages(packed, ISAAC, encoded, compiled=True),
        ):
            calls = make_calls(stages, encoded, CPU, graphs=False)
            with torch.inference_mode():
                assert torch.allclose(calls.model(), expected, atol=1e-4)
                assert calls.parts['images']().shape == (2, 3, 224, 224)


def test_weights_are_counted_once_however_deep_they_are():
    shared, bias = torch.zeros(10, 4), torch.zeros(10)
    layers = [DenseLinear(shared, bias), {'again': (DenseLinear(shared, None),)}]
    assert weights_bytes(layers) == 4 * (40 + 10)
    assert weights_bytes({'half': shared.half(), 'itself': layers}) == 4 * 50 + 2 * 40


def test_working_memory_is_what_came_on_top():
    memory = WorkingMemory(CPU)
    torch.ones(16 * 2**20).sum()  # 64 MiB, freed at once
    assert memory.peak_bytes() >= 48 * 2**20


def test_the_limit_ends_what_catches_every_exception():
    with pytest.raises(PolicyError, match='not ready after'), time_limit(0.05):
        while True:
            with suppress(Exception):  # as compilers do
                time.sleep(10.0)


def test_the_limit_is_gone_when_its_body_is_done():
    with time_limit(0.05):
        pass
    time.sleep(0.1)


H200 = {'device': 'NVIDIA H200', 'model': 'n1.5-3b, random weights', 'cameras': 2, 'samples': 1}


def engine_row(whole_ms, model_ms, ratio, gigabytes):
    return {
        'times': {
            'whole': {'run_p50_ms': whole_ms, 'times_eager': ratio},
            'model': {'run_p50_ms': model_ms},
        },
        'memory': {'total_bytes': gigabytes * 1e9},
    }


def test_aims_are_held_against_the_faster_engine():
    results = {
        'graph': engine_row(9.0, 6.5, 7.0, 7.0),
        'graph-compiled': engine_row(7.5, 6.5, 8.5, 6.0),
    }
    found = aims(H200, results)
    assert [aim.found for aim in found] == [6.5, 7.5, 8.5, 6.0]
    assert [aim.is_met for aim in found] == [False, True, True, True]


def test_an_aim_that_was_not_measured_is_not_met():
    row = engine_row(1.0, 1.0, 9.0, 1.0)
    del row['times']['whole']['times_eager']
    assert [aim.is_met for aim in aims(H200, {'graph': row})] == [True, True, False, True]


@pytest.mark.parametrize(
    'other', [{'device': 'cpu'}, {'device': 'NVIDIA L4'}, {'model': 'tiny'}, {'cameras': 1}]
)
def test_aims_of_another_machine_or_model_are_not_shown(other):
    assert aims({**H200, **other}, {'graph': engine_row(1.0, 1.0, 9.0, 1.0)}) == []


def test_the_table_of_an_h200_shows_the_aims():
    row = engine_row(7.0, 5.5, 9.0, 6.2)
    for numbers in row['times'].values():
        numbers |= {'run_p99_ms': 8.0, 'run_max_ms': 9.0}
    row |= {'trouble': [], 'start_s': 3.0}
    row['memory'] |= {'weights_bytes': 5.5e9, 'working_bytes': 0.7e9}
    settings = {**H200, 'parameters': 2724163520, 'dtype': 'bfloat16', 'frame': '640x480',
                'prompt_tokens': 560, 'steps': 4, 'runs': 200, 'torch': '2'}  # fmt: skip
    console = Console(file=io.StringIO(), width=140)
    console.print(policy_table(settings, {'graph': row}))
    out = console.file.getvalue()
    assert 'model only, p50: at most 6 ms; found 5.50' in out
    assert 'not measured' not in out
    assert '5,500.0' in out
