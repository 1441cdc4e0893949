"""The packed model against the model as it is written: same weights, same noise."""

import pytest
import torch
from test_model_parity import CASES, groot, inputs
from test_model_shape import tensors

from chefmate_core.errors import ConfigurationError, PolicyError
from chefmate_policy.engine.attention import attention
from chefmate_policy.engine.linear import Fp8Linear, Packer
from chefmate_policy.engine.packed import PackedGroot
from chefmate_policy.engine.runner import padded_prefix
from chefmate_policy.model.config import GrootConfig
from chefmate_policy.model.groot import Groot, ModelTensors

CPU = torch.device('cpu')


def golden_case(name):
    """A model with large weights, one of its prompts, and noise."""
    case = CASES[name]
    x = {key: torch.from_numpy(value) for key, value in inputs(case).items()}
    one = ModelTensors(
        x['pixel_values'][:2], x['input_ids'][:1], x['attention_mask'][:1], x['state'][:1],
        x['slot'][:1],
    )  # fmt: skip
    return groot(case), one, x['noise'][:1]


def run(packed, tensors, noise, committed=None):
    prompt = packed.prompt(tensors.input_ids[0], len(tensors.pixel_values))
    rows, is_committed = padded_prefix(committed, noise)
    with torch.inference_mode():
        return packed(tensors.pixel_values, prompt, tensors.state, noise, rows, is_committed)


def cosine(a, b):
    return float(torch.cosine_similarity(a.float().flatten(), b.float().flatten(), dim=0))


@pytest.mark.parametrize('name', CASES)
@torch.inference_mode()
def test_in_fp32_the_packed_model_is_the_model(name):
    model, one, noise = golden_case(name)
    found = run(PackedGroot(model, int(one.slot), CPU, torch.float32), one, noise)
    expected = model.get_action(one, noise)
    assert (found - expected).abs().max() <= 1e-5 * expected.abs().max()


@torch.inference_mode()
def test_in_fp32_the_packed_preset_is_the_preset():
    model = Groot.random(GrootConfig.preset('tiny'), seed=5)
    one, noise = tensors(model.config), torch.randn(1, 16, 32)
    found = run(PackedGroot(model, 31, CPU, torch.float32), one, noise)
    assert torch.allclose(found, model.get_action(one, noise), atol=1e-5)


def in_bf16(seed):
    """Random weights, an observation, noise, and what the reference makes of it."""
    model = Groot.random(GrootConfig.preset('tiny'), seed).to(torch.bfloat16)
    one = tensors(model.config, seed=seed)
    noise = torch.randn(1, 16, 32, generator=torch.Generator().manual_seed(seed))
    action = model.get_action(halved(one), noise.to(torch.bfloat16))
    return model, one, noise, action.float() - noise


def halved(x):
    return ModelTensors(*[
        value.to(torch.bfloat16) if value.is_floating_point() else value
        for value in vars(x).values()
    ])  # fmt: skip


@pytest.mark.parametrize('seed', range(4))
@torch.inference_mode()
def test_in_bf16_the_packed_model_agrees_with_the_model_in_bf16(seed):
    model, one, noise, expected = in_bf16(seed)
    assert cosine(noise, noise + expected) < 0.95  # the model has a say
    found = run(PackedGroot(model, 31, CPU, torch.bfloat16), one, noise)
    assert cosine(found, noise + expected) >= 0.9999
    assert cosine(found - noise, expected) >= 0.9999


def blind(packed):
    packed.vision = lambda x, see=packed.vision: see(x) * 0


def without_context(packed):
    packed._context = lambda x, ask=packed._context: [(k * 0, v * 0) for k, v in ask(x)]


def without_state(packed):
    packed.denoise._state_2 = lambda x, encode=packed.denoise._state_2: encode(x) * 0


def without_feed_forward(packed):
    packed.denoise._blocks[-1].feed_forward = lambda x: x * 0


def at_one_time(packed):
    packed.denoise._steps = packed.denoise._steps[:1] * 4


@pytest.mark.parametrize(
    'damage', [blind, without_context, without_state, without_feed_forward, at_one_time]
)
@torch.inference_mode()
def test_a_packed_model_that_lacks_a_part_would_be_seen(damage):
    model, one, noise, expected = in_bf16(0)
    packed = PackedGroot(model, 31, CPU, torch.bfloat16)
    damage(packed)
    assert cosine(run(packed, one, noise) - noise, expected) < 0.9999


@torch.inference_mode()
def test_a_packed_model_of_another_robot_would_be_seen():
    model, one, noise, expected = in_bf16(0)
    found = run(PackedGroot(model, 30, CPU, torch.bfloat16), one, noise)
    assert cosine(found - noise, expected) < 0.9999


@pytest.mark.parametrize('name', CASES)
@torch.inference_mode()
def test_rounding_to_bf16_costs_the_packed_model_no_more_than_the_model(name):
    model, one, noise = golden_case(name)
    exact = model.get_action(one, noise)
    found = run(PackedGroot(model, int(one.slot), CPU, torch.bfloat16), one, noise)
    reference = model.to(torch.bfloat16).get_action(halved(one), noise.to(torch.bfloat16))
    assert 1 - cosine(found, exact) <= 4 * (1 - cosine(reference, exact)) + 1e-4


@torch.inference_mode()
def test_committed_rows_steer_the_packed_model_as_they_steer_the_model():
    model, one, noise = golden_case('published')
    committed = torch.full((1, 2, 5), 0.4)
    found = run(PackedGroot(model, 2, CPU, torch.float32), one, noise, committed[0])
    expected = model.get_action(one, noise, committed)
    assert torch.equal(found[:, :2], committed)
    assert torch.allclose(found, expected, atol=1e-5)
    assert not torch.allclose(found, model.get_action(one, noise), atol=1e-2)


@torch.inference_mode()
def test_samples_together_are_what_they_are_alone():
    model, one, _ = golden_case('published')
    packed = PackedGroot(model, 2, CPU, torch.float32)
    noise = torch.randn(3, 6, 5, generator=torch.Generator().manual_seed(1))
    together = run(packed, one, noise)
    alone = torch.cat([run(packed, one, sample[None]) for sample in noise])
    assert torch.allclose(together, alone, atol=1e-5)


@torch.inference_mode()
def test_fp8_is_near_and_not_the_same():
    model, one, noise = golden_case('pixel_shuffle')
    packed = PackedGroot(model, 2, CPU, torch.float32, fp8=True)
    found = run(packed, one, noise)
    expected = model.get_action(one, noise)
    assert 0.998 < cosine(found, expected) < 1.0


def test_a_layer_whose_sizes_fp8_cannot_take_stays_as_it_is():
    packer = Packer(CPU, torch.float32, fp8=True)
    assert isinstance(packer.fused([torch.nn.Linear(48, 32)]), Fp8Linear)
    assert not isinstance(packer.fused([torch.nn.Linear(20, 32)]), Fp8Linear)


def test_zeros_survive_fp8():
    linear = torch.nn.Linear(48, 32)
    torch.nn.init.ones_(linear.bias)
    layer = Packer(CPU, torch.float32, fp8=True).fused([linear])
    assert torch.equal(layer(torch.zeros(2, 3, 48)), torch.ones(2, 3, 32))


@torch.inference_mode()
def test_another_slot_is_another_robot():
    model, one, noise = golden_case('published')
    answers = [run(PackedGroot(model, slot, CPU, torch.float32), one, noise) for slot in (0, 2)]
    assert not torch.allclose(*answers, atol=1e-2)


def test_a_slot_that_is_not_there_is_refused():
    model, _, _ = golden_case('published')
    with pytest.raises(ConfigurationError, match='expected 0 to 2; found 3'):
        PackedGroot(model, 3, CPU, torch.float32)


def test_a_prompt_with_room_for_other_images_is_refused():
    model, one, _ = golden_case('published')
    with pytest.raises(PolicyError, match='room for 32 image tokens'):
        PackedGroot(model, 2, CPU, torch.float32).prompt(one.input_ids[0], images=1)


def test_an_attention_that_is_not_installed_says_so():
    with pytest.raises(ConfigurationError, match='flash-attn, which is not installed'):
        attention('flash')
    with pytest.raises(ConfigurationError, match="sdpa or flash; found 'eager'"):
        attention('eager')
