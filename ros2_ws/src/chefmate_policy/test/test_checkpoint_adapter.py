"""LoRA adapters and the embodiment's slot: trained, saved, found again, merged."""

import json

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from small_checkpoints import ARM_KEY, CONFIG, change_json, tiny, write

from chefmate_policy.checkpoint import CheckpointError, Embodiment, EmbodimentError
from chefmate_policy.checkpoint.adapter import (
    PARTS,
    LoraSettings,
    add_adapter,
    load_adapter,
    merge_adapter,
    read_base,
    save_adapter,
    target_layers,
)
from chefmate_policy.checkpoint.slot import slot_parameters
from chefmate_policy.model.groot import Groot, ModelTensors
from chefmate_policy.models import find_model

SETTINGS = LoraSettings(rank=4, alpha=8.0, parts=tuple(PARTS))


def base():
    return Groot.random(CONFIG, 1).requires_grad_(False)


def trained(settings=SETTINGS, slot=31):
    """Return an adapter whose update is not nothing, over a model whose slot has changed."""
    adapter = add_adapter(base(), settings).eval()
    generator = torch.Generator().manual_seed(2)
    with torch.no_grad():
        for name, parameter in adapter.named_parameters():
            if '.lora_B.' in name:
                parameter.copy_(0.05 * torch.randn(parameter.shape, generator=generator))
        for parameter in slot_parameters(adapter).values():
            parameter[slot] += 0.1
    return adapter


def answer(model):
    generator = torch.Generator().manual_seed(3)
    ids = torch.full((1, CONFIG.eagle.tokens_per_image + 5), CONFIG.eagle.image_token_index)
    ids[0, -5:] = torch.tensor([5, 6, 7, 8, 9])
    size = CONFIG.eagle.vision.image_size
    inputs = ModelTensors(
        torch.randn((1, 3, size, size), generator=generator), ids, torch.ones_like(ids),
        torch.randn((1, 1, 64), generator=generator), torch.tensor([31]),
    )  # fmt: skip
    with torch.no_grad():
        return model.get_action(inputs, torch.randn((1, 16, 32), generator=generator))


@pytest.fixture(scope='module')
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp('adapters') / 'bread'
    adapter = trained()
    save_adapter(folder, adapter, tiny(origin='tiny-random'))
    return folder, answer(adapter.base_model.model)


def test_a_fresh_adapter_changes_nothing():
    model = base()
    before = answer(model)
    assert torch.equal(answer(add_adapter(model, SETTINGS).eval().base_model.model), before)


def test_parts_are_the_layers_that_eagle_and_isaac_groot_wrap():
    model = base()
    counts = {part: len(target_layers(model, (part,))) for part in PARTS}
    eagle, head = CONFIG.eagle, CONFIG.head
    assert counts == {
        'vision': 6 * eagle.vision.num_hidden_layers,
        'llm': 7 * eagle.select_layer,
        'dit': 3 * head.diffusion_model.num_layers,
        'vl_self_attention': 3 * head.vl_self_attention.num_layers,
    }
    assert len(target_layers(model, tuple(PARTS))) == sum(counts.values())


def test_only_the_adapter_is_trained():
    adapter = add_adapter(base(), LoraSettings(rank=2, parts=('dit',)))
    learning = [name for name, p in adapter.named_parameters() if p.requires_grad]
    assert learning
    assert all('.lora_' in name and 'action_head.model.' in name for name in learning)


def test_merged_weights_answer_as_the_adapter_does(saved):
    folder, expected = saved
    adapter = load_adapter(base(), folder, Embodiment('new_embodiment', 31))
    assert torch.equal(answer(adapter.base_model.model), expected)
    merged = merge_adapter(adapter)
    assert set(merged.state_dict()) == set(base().state_dict())
    torch.testing.assert_close(answer(merged), expected, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(answer(base()), expected, atol=1e-2)


def test_peft_reads_what_was_saved(saved):
    folder, expected = saved
    config = json.loads((folder / 'adapter_config.json').read_text())
    assert (config['peft_type'], config['r'], config['lora_alpha']) == ('LORA', 4, 8.0)
    assert config['base_model_name_or_path'] == 'tiny-random'
    names = load_file(folder / 'adapter_model.safetensors')
    assert all(name.startswith('base_model.model.') and '.lora_' in name for name in names)
    model = base()
    with torch.no_grad():
        for parameter in slot_parameters(model).values():
            parameter[31] += 0.1
    peft = PeftModel.from_pretrained(model, str(folder))
    assert torch.allclose(answer(peft.base_model.model), expected, atol=1e-6)


def test_the_slot_that_was_trained_comes_back_and_no_other_changes(saved):
    folder, _ = saved
    before = {name: p.clone() for name, p in slot_parameters(base()).items()}
    after = slot_parameters(load_adapter(base(), folder, Embodiment('new_embodiment', 31)))
    assert len(after) == 14  # weights and biases of seven layers
    for name, parameter in after.items():
        torch.testing.assert_close(parameter[31], before[name][31] + 0.1)
        assert torch.equal(parameter[:31], before[name][:31])


def test_a_slot_of_another_embodiment_is_refused(saved):
    folder, _ = saved
    with pytest.raises(EmbodimentError, match=r'expected slot 24 \(gr1\); found slot 31'):
        load_adapter(base(), folder, Embodiment('gr1', 24))


def test_an_adapter_of_another_model_is_refused(saved):
    import dataclasses

    folder, _ = saved
    wider = dataclasses.replace(
        CONFIG.eagle, language=dataclasses.replace(CONFIG.eagle.language, intermediate_size=256)
    )
    other = Groot.random(dataclasses.replace(CONFIG, eagle=wider), 1)
    with pytest.raises(CheckpointError, match=r'trained on another model \(tiny-random\)') as e:
        load_adapter(other, folder)
    assert 'mlp.down_proj.lora_A.weight: expected [4, 256], found [4, 192]' in str(e.value)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda c: c.update(peft_type='IA3'), 'expected peft_type LORA; found IA3'),
        (lambda c: c.update(r=8), r'expected \[8, '),
        (lambda c: c.pop('r'), 'expected r; found'),
        (lambda c: c.update(r='many'), 'r: expected a whole number'),
        (lambda c: c.update(rank_pattern=[3]), 'rank_pattern: expected a table'),
    ],
)
def test_an_adapter_that_contradicts_its_config_is_refused(tmp_path, change, message):
    folder = tmp_path / 'a'
    save_adapter(folder, trained(LoraSettings(rank=2, parts=('dit',))), tiny())
    change_json(folder / 'adapter_config.json', change)
    with pytest.raises(CheckpointError, match=message):
        load_adapter(base(), folder)


def test_an_adapter_of_no_known_layer_is_refused(tmp_path):
    from safetensors.torch import save_file

    folder = tmp_path / 'a'
    save_adapter(folder, trained(LoraSettings(rank=2, parts=('dit',))), tiny())
    name = 'base_model.model.transformer.h.0.attn.lora_A.weight'
    save_file({name: torch.ones(2, 4)}, folder / 'adapter_model.safetensors')
    with pytest.raises(CheckpointError, match=r'unexpected 1 tensors:\n  transformer\.h\.0'):
        load_adapter(base(), folder)


def test_a_folder_with_an_adapter_is_a_model(saved):
    folder, expected = saved
    checkpoint = find_model(str(folder)).open(base='tiny-random')
    assert checkpoint.embodiment.tag == 'new_embodiment'
    assert checkpoint.modality.cameras == ('wrist', 'scene')
    assert checkpoint.byte_tokens
    # `tiny-random` draws other weights (seed 0): only the base that it was trained on is right.
    assert not torch.allclose(answer(checkpoint.load()), expected, atol=1e-2)


@pytest.mark.parametrize('layout', ['isaac', 'lerobot'])
def test_an_adapter_finds_its_base_by_path(tmp_path, layout):
    state = base().state_dict()
    below = write(tmp_path / 'base', layout, state=state)
    adapter = trained()
    save_adapter(tmp_path / 'a', adapter, tiny(origin=str(below)))
    model = find_model(str(tmp_path / 'a')).open().load(dtype='float32')
    expected = answer(adapter.base_model.model)
    torch.testing.assert_close(answer(model), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ('written', 'expected'),
    [
        ('nvidia/GR00T-N1.5-3B', 'nvidia/GR00T-N1.5-3B'),
        (
            '/cache/huggingface/hub/models--nvidia--GR00T-N1.5-3B/snapshots/abc123',
            'nvidia/GR00T-N1.5-3B@abc123',
        ),
    ],
)
def test_the_base_is_found_by_what_trainers_write(tmp_path, written, expected):
    content = {'base_model_name_or_path': written}
    (tmp_path / 'adapter_config.json').write_text(json.dumps(content))
    assert read_base(tmp_path) == expected


def test_an_adapter_without_a_named_base_asks_for_it(saved, tmp_path):
    import shutil

    folder = shutil.copytree(saved[0], tmp_path / 'a')
    change_json(folder / 'adapter_config.json', lambda c: c.update(base_model_name_or_path=None))
    with pytest.raises(CheckpointError, match='Next: say it'):
        find_model(str(folder)).open()


@pytest.mark.parametrize(
    'wrong', [{'parts': ()}, {'parts': ('eyes',)}, {'rank': 0}, {'alpha': float('nan')},
              {'dropout': 1.0}],
)  # fmt: skip
def test_settings_that_make_no_sense_are_refused(wrong):
    with pytest.raises(CheckpointError, match='LoRA'):
        LoraSettings(**wrong)


def test_raw_parameters_have_the_published_names():
    assert ARM_KEY in slot_parameters(base())
    assert set(slot_parameters(trained())) == set(slot_parameters(base()))
