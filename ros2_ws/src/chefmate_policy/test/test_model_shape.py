"""Keys, shapes and sizes of the published checkpoint, and configs in and out."""

import hashlib

import pytest
import torch

from chefmate_core.errors import ConfigurationError, PolicyError
from chefmate_policy.model.config import PRESETS, GrootConfig
from chefmate_policy.model.groot import Groot, ModelTensors

# Of the 899 lines `key<TAB>AxBxC` of the published state dict, sorted.
TABLE_SHA256 = '584d56c2f3b85a0c75ca02af44ad43294012796bec58d29aaa39408814b88a82'


@pytest.fixture(scope='module')
def tiny():
    return Groot.random(GrootConfig.preset('tiny'), seed=1)


@pytest.fixture(scope='module')
def lively():
    """Random weights large enough that every row of the chunk has a say in every other."""
    model = Groot.random(GrootConfig.preset('tiny'), seed=1)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(4)
    return model


def prompt(config, images=2):
    ids = [5, 6]
    for _ in range(images):
        ids += [config.eagle.image_token_index] * config.eagle.tokens_per_image + [9]
    return torch.tensor([ids])


def tensors(config, images=2, seed=0):
    generator = torch.Generator().manual_seed(seed)
    ids = prompt(config, images)
    return ModelTensors(
        torch.randn((images, 3, 224, 224), generator=generator),
        ids,
        torch.ones_like(ids),
        torch.randn((1, 1, config.head.max_state_dim), generator=generator),
        torch.tensor([31]),
    )


def test_keys_shapes_and_parameters_of_n15_3b_are_the_published_ones():
    state = Groot.on_meta(GrootConfig.preset('n1.5-3b')).state_dict()
    lines = sorted(f'{key}\t{"x".join(map(str, value.shape))}' for key, value in state.items())
    assert len(state) == 899
    assert sum(value.numel() for value in state.values()) == 2_724_163_520
    assert hashlib.sha256(('\n'.join(lines) + '\n').encode()).hexdigest() == TABLE_SHA256


def test_a_model_on_meta_has_no_memory_but_knows_positions_and_frequencies():
    model = Groot.on_meta(GrootConfig.preset('n1.5-3b'))
    assert all(parameter.is_meta for parameter in model.parameters())
    assert all(torch.isfinite(buffer).all() for buffer in model.buffers())


def test_weights_given_to_a_model_on_meta_make_it_the_same_model(tiny):
    model = Groot.on_meta(tiny.config)
    model.load_state_dict(tiny.state_dict(), assign=True)
    x, noise = tensors(tiny.config), tiny.noise(1, torch.Generator().manual_seed(3))
    with torch.inference_mode():
        assert torch.equal(model.get_action(x, noise), tiny.get_action(x, noise))


@pytest.mark.parametrize('change', [lambda m: m.to(torch.bfloat16), lambda m: m.half()])
def test_rotary_frequencies_stay_exact_when_the_weights_are_rounded(change):
    model = Groot.random(GrootConfig.preset('tiny'), seed=1)
    before = model.backbone.eagle_model.language_model.model.rotary_emb.inv_freq.clone()
    model = change(model)
    assert model.action_head.vlln.weight.dtype != torch.float32
    assert torch.equal(model.backbone.eagle_model.language_model.model.rotary_emb.inv_freq, before)


def test_the_four_steps_use_the_published_buckets():
    assert GrootConfig.preset('n1.5-3b').head.buckets == (0, 250, 500, 750)


@pytest.mark.parametrize('name', PRESETS)
def test_a_config_survives_its_json(name):
    config = GrootConfig.preset(name)
    assert GrootConfig.from_dict(config.to_dict()) == config


def test_what_a_config_json_says_besides_is_written_back():
    read = GrootConfig.preset('n1.5-3b').to_dict()
    read['transformers_version'] = '4.51.3'
    read['backbone_cfg']['tune_llm'] = True
    read['action_head_cfg']['diffusion_model_cfg']['upcast_attention'] = False
    assert GrootConfig.from_dict(read).to_dict() == read


@pytest.mark.parametrize(
    ('part', 'key', 'value', 'message'),
    [
        ('backbone_cfg', 'reproject_vision', True, 'reproject_vision'),
        ('backbone_cfg', 'select_layer', 99, 'select_layer'),
        ('backbone_cfg', 'project_to_dim', 1536, 'backbone_embedding_dim'),
        ('action_head_cfg', 'input_embedding_dim', 100, 'input_embedding_dim'),
    ],
)
def test_a_variant_that_cannot_be_built_is_refused_by_name(part, key, value, message):
    read = GrootConfig.preset('n1.5-3b').to_dict()
    read[part][key] = value
    with pytest.raises(ConfigurationError, match=message):
        GrootConfig.from_dict(read)


def test_the_config_of_another_model_is_refused_with_what_it_is():
    with pytest.raises(ConfigurationError, match="found model_type 'qwen3'"):
        GrootConfig.from_dict({'model_type': 'qwen3'})


def test_an_unknown_preset_lists_those_there_are():
    with pytest.raises(ConfigurationError, match=r"'small'; there are: n1\.5-3b, tiny"):
        GrootConfig.preset('small')


def test_a_prompt_with_room_for_other_images_is_refused(tiny):
    x = tensors(tiny.config)
    with pytest.raises(PolicyError, match=r'room for 128 image tokens .* found 1 images'):
        tiny.features(ModelTensors(x.pixel_values[:1], *list(vars(x).values())[1:]))


def test_random_weights_are_the_same_for_the_same_seed(tiny):
    again = Groot.random(tiny.config, seed=1).state_dict()
    assert all(torch.equal(value, again[key]) for key, value in tiny.state_dict().items())
    other = Groot.random(tiny.config, seed=2).state_dict()
    assert not torch.equal(other['action_head.state_encoder.layer1.W'],
                           again['action_head.state_encoder.layer1.W'])  # fmt: skip


@torch.inference_mode()
def test_padding_a_prompt_on_the_left_changes_nothing_that_the_prompt_sees(tiny):
    x = tensors(tiny.config)
    padded = ModelTensors(
        x.pixel_values,
        torch.cat([torch.zeros((1, 4), dtype=torch.long), x.input_ids], dim=1),
        torch.cat([torch.zeros((1, 4), dtype=torch.long), x.attention_mask], dim=1),
        x.state,
        x.slot,
    )
    assert torch.allclose(tiny.features(padded)[:, 4:], tiny.features(x), atol=1e-4)


@torch.inference_mode()
def test_the_action_depends_on_every_input(tiny):
    x, noise = tensors(tiny.config), tiny.noise(1, torch.Generator().manual_seed(3))
    action = tiny.get_action(x, noise)
    other_words = x.input_ids.clone()
    other_words[0, 0] = 17
    for name, value in (
        ('pixel_values', x.pixel_values.flip(0)),
        ('input_ids', other_words),
        ('state', x.state + 1),
        ('slot', torch.tensor([2])),
    ):
        changed = ModelTensors(**{**vars(x), name: value})
        assert not torch.allclose(tiny.get_action(changed, noise), action, atol=1e-6), name


@torch.inference_mode()
def test_an_answer_begins_with_the_committed_rows_and_the_rest_follows_them(lively):
    x, noise = tensors(lively.config), lively.noise(1, torch.Generator().manual_seed(3))
    free = lively.get_action(x, noise)
    committed = free[:, :4] + 0.3
    joined = lively.get_action(x, noise, committed)
    assert torch.equal(joined[:, :4], committed)
    assert not torch.allclose(joined[:, 4:], free[:, 4:], atol=1e-5)
    own = lively.get_action(x, noise, free[:, :0])
    assert torch.equal(own, free)


def test_the_loss_reaches_every_part_that_is_trained(tiny):
    model = Groot.random(tiny.config, seed=4).train()
    actions = torch.randn((1, 16, 32))
    mask = torch.ones_like(actions)
    model.loss(tensors(tiny.config), actions, mask).backward()
    untouched = {name.split('.')[-2] for name, p in model.named_parameters() if p.grad is None}
    assert untouched <= {'lm_head', 'head', 'attention', 'layernorm', 'fc1', 'fc2', 'out_proj'}


def test_training_times_lie_in_the_unit_interval_and_favour_the_noise(tiny):
    times = tiny.action_head.sample_time(4000, torch.zeros(1))
    assert times.min() > -0.002 and times.max() < 1.0
    assert 0.36 < times.mean() < 0.44  # of 1 - Beta(1.5, 1): 0.4
