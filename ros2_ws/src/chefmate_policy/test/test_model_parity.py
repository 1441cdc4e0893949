"""Against LeRobot's GR00T N1.5: golden tensors; `golden/make.py` says how they were made."""

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from chefmate_policy.model.action_head import FlowMatchingHead
from chefmate_policy.model.config import GrootConfig
from chefmate_policy.model.groot import Groot, ModelTensors

GOLDEN = Path(__file__).resolve().parent / 'golden'
sys.path.insert(0, str(GOLDEN))
from cases import CASES, inputs, weight  # noqa: E402

TOLERANCE = 1e-4  # of the largest element


def groot(case):
    model = Groot(GrootConfig.from_dict(case)).eval()
    model.load_state_dict(
        {
            key: torch.from_numpy(weight(key, tuple(value.shape)))
            for key, value in model.state_dict().items()
        }
    )
    return model


@pytest.fixture(scope='module', params=CASES)
def bench(request):
    case = CASES[request.param]
    x = {name: torch.from_numpy(value) for name, value in inputs(case).items()}
    tensors = ModelTensors(
        x['pixel_values'], x['input_ids'], x['attention_mask'], x['state'], x['slot']
    )
    with np.load(GOLDEN / 'golden.npz') as golden:
        expected = {
            name.removeprefix(f'{request.param}.'): torch.from_numpy(golden[name])
            for name in golden.files
            if name.startswith(f'{request.param}.')
        }
    return groot(case), tensors, x, expected


def assert_agrees(found, expected):
    assert found.shape == expected.shape
    assert (found - expected).abs().max() <= TOLERANCE * expected.abs().max()


@torch.no_grad()
def test_backbone_features_agree(bench):
    model, tensors, _, expected = bench
    assert_agrees(model.features(tensors), expected['features'])


@torch.no_grad()
def test_the_velocity_agrees(bench):
    model, tensors, x, expected = bench
    head: FlowMatchingHead = model.action_head
    context = head.context(model.features(tensors))
    velocity = head.velocity(context, x['state'], x['noise'], x['buckets'], x['slot'])
    assert_agrees(velocity, expected['velocity'])


@torch.no_grad()
def test_the_action_after_four_steps_agrees(bench):
    model, tensors, x, expected = bench
    assert_agrees(model.get_action(tensors, x['noise']), expected['action'])


@torch.no_grad()
def test_the_training_loss_agrees(bench):
    model, tensors, x, expected = bench
    loss = model.loss(tensors, x['actions'], x['action_mask'], x['noise'], x['time'])
    assert_agrees(loss, expected['loss'])


@torch.no_grad()
@pytest.mark.parametrize(
    'part',
    [
        'action_head.model.proj_out_1.weight',
        'action_head.model.transformer_blocks.1.norm1.linear.bias',
        'action_head.position_embedding.weight',
        'backbone.eagle_model.mlp1.0.weight',
        'backbone.eagle_model.language_model.model.layers.2.mlp.down_proj.weight',
    ],
)
def test_a_weight_that_is_off_by_a_little_would_be_seen(bench, part):
    model, tensors, x, expected = bench
    parameter = model.get_parameter(part)
    before = parameter.clone()
    parameter.mul_(1.01)
    try:
        with pytest.raises(AssertionError):
            assert_agrees(model.get_action(tensors, x['noise']), expected['action'])
    finally:
        parameter.copy_(before)
