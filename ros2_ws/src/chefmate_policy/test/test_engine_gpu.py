"""What only a GPU can show; skipped where there is none."""

import numpy as np
import pytest
import torch
from test_engine import request

from chefmate_policy.engine.load import compare, load_engine, make_runner
from chefmate_policy.engine.options import EngineOptions
from chefmate_policy.model.config import GrootConfig
from chefmate_policy.models import find_model

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device'),
]


def runners(preset, *options):
    checkpoint = find_model('tiny-random').open()
    assert checkpoint.config == GrootConfig.preset('tiny')
    processor = checkpoint.processor()
    model = checkpoint.load()
    made = [make_runner(model, processor, 31, EngineOptions(**one)) for one in options]
    return made, processor, model


@pytest.mark.parametrize('dtype', ['float32', 'bfloat16'])
def test_a_graph_says_what_the_reference_says(dtype):
    (graph, reference), processor, model = runners(
        'tiny', {'backend': 'graph', 'dtype': dtype}, {'backend': 'reference', 'dtype': dtype}
    )
    assert compare(graph, reference, processor, model).least_cosine >= 0.9999


def test_instructions_of_equal_length_share_a_graph_and_not_an_answer():
    engine = load_engine('tiny-random', backend='graph')
    cheese, breads = (
        engine.infer(request(instruction=f'pick up the {what}')).action
        for what in ('cheese', 'breads')
    )
    assert len(engine._runner._graphs) == 1
    assert not np.array_equal(cheese, breads)


def test_a_graph_takes_committed_rows_and_samples():
    engine = load_engine('tiny-random', backend='graph')
    committed = np.full((3, 6), 12.5)
    output = engine.infer(request(committed=committed, samples=4))
    assert np.array_equal(output.action[:3], committed)
    assert output.spread > 0


def test_a_chunk_stays_what_it_was_when_the_next_one_is_made():
    engine = load_engine('tiny-random', backend='graph')
    first = engine.infer(request()).action
    kept = first.copy()
    engine.infer(request(seed=8))
    assert np.array_equal(first, kept)
