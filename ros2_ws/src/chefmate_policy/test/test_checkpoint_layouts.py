"""Both published layouts: written, detected, read back bit for bit."""

import json

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from small_checkpoints import CONFIG, change_json, change_weights, tiny, weights, write

from chefmate_policy.checkpoint import (
    CheckpointError,
    ModelTensors,
    TensorFiles,
    open_checkpoint,
    save_checkpoint,
)
from chefmate_policy.checkpoint.compare import EMBED_TOKENS, LM_HEAD
from chefmate_policy.checkpoint.lerobot import PREFIX

LAYOUTS = ('isaac', 'lerobot')


@pytest.mark.parametrize('layout', LAYOUTS)
def test_what_was_written_is_read_back_bit_for_bit(tmp_path, layout):
    checkpoint = open_checkpoint(write(tmp_path / 'a', layout))
    assert (checkpoint.profile, checkpoint.embodiment.tag) == (layout, 'new_embodiment')
    found, expected = checkpoint.load().state_dict(), weights()
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert found[name].dtype == tensor.dtype, name
        assert torch.equal(found[name], tensor), name


@pytest.mark.parametrize('layout', LAYOUTS)
def test_config_statistics_and_modality_come_back_as_they_were(tmp_path, layout):
    checkpoint = open_checkpoint(write(tmp_path / 'a', layout))
    before = tiny()
    assert checkpoint.config == CONFIG
    assert checkpoint.byte_tokens
    assert [group.name for group in checkpoint.modality.state] == ['single_arm', 'gripper']
    assert checkpoint.modality.horizon == 16
    for part in ('state', 'action'):
        for found, expected in zip(checkpoint.range_of(part), before.range_of(part), strict=True):
            assert np.array_equal(found, expected)


@pytest.mark.parametrize('layout', LAYOUTS)
def test_files_are_copied_from_checkpoint_to_checkpoint_without_a_model(tmp_path, layout):
    first = open_checkpoint(write(tmp_path / 'a', layout))
    save_checkpoint(tmp_path / 'b', first, first.weights.files, layout)
    for name in ('model.safetensors', 'config.json'):
        assert (tmp_path / 'a' / name).read_bytes() == (tmp_path / 'b' / name).read_bytes()


def test_shards_are_of_the_size_asked_for_and_the_index_names_them(tmp_path):
    folder = write(tmp_path / 'a', shard_bytes=2_000_000)
    index = json.loads((folder / 'model.safetensors.index.json').read_text())
    names = sorted(set(index['weight_map'].values()))
    total = sum(t.numel() * t.element_size() for t in weights().values())
    assert index['metadata']['total_size'] == total
    assert len(names) == len(list(folder.glob('model-*-of-*.safetensors'))) >= total / 2e6
    assert names[0] == f'model-00001-of-{len(names):05d}.safetensors'
    for name in names:
        assert len(load_file(folder / name)) == 1 or (folder / name).stat().st_size < 2_100_000
    found = open_checkpoint(folder).load().state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in weights().items())


def test_lerobot_finds_its_names_in_our_files(tmp_path):
    folder = write(tmp_path / 'a', 'lerobot')
    with safe_open(folder / 'model.safetensors', framework='pt') as file:
        assert set(file.keys()) == {PREFIX + name for name in weights()}
    config = json.loads((folder / 'config.json').read_text())
    assert config['type'] == 'groot'
    assert config['input_features']['observation.images.wrist']['type'] == 'VISUAL'
    assert config['output_features']['action'] == {'type': 'ACTION', 'shape': [6]}
    for pipeline in ('policy_preprocessor', 'policy_postprocessor'):
        content = json.loads((folder / f'{pipeline}.json').read_text())
        assert content['name'] == pipeline
        files = [s['state_file'] for s in content['steps'] if 'state_file' in s]
        tensors = load_file(folder / files[0])
        assert tensors['action.min'].shape == tensors['observation.state.q99'].shape == (6,)


def test_what_lerobot_wrote_is_read(tmp_path):
    """Every file as LeRobot 0.4.2 writes it, made without our writer."""
    (folder := tmp_path / 'checkpoints' / 'last' / 'pretrained_model').mkdir(parents=True)
    save_file({f'_groot_model.{k}': v for k, v in weights().items()}, folder / 'model.safetensors')
    image = {'type': 'VISUAL', 'shape': [3, 480, 640]}
    inputs = {
        'observation.state': {'type': 'STATE', 'shape': [6]},
        'observation.images.wrist': image,
        'observation.images.front': image,
    }
    outputs = {'action': {'type': 'ACTION', 'shape': [6]}}
    config = {'type': 'groot', 'n_obs_steps': 1, 'input_features': inputs, 'chunk_size': 50,
              'output_features': outputs, 'n_action_steps': 50, 'embodiment_tag': 'so100',
              'base_model_path': 'nvidia/GR00T-N1.5-3B', 'lora_rank': 0}  # fmt: skip
    (folder / 'config.json').write_text(json.dumps(config))
    (folder / 'groot_config.json').write_text(json.dumps(CONFIG.to_dict()))
    state_file = 'policy_preprocessor_step_2_groot_pack_inputs_v3.safetensors'
    low, high = torch.arange(6.0) - 90, torch.arange(6.0) + 90
    save_file(
        {'observation.state.min': low, 'observation.state.max': high, 'action.min': low - 1,
         'action.max': high + 1, 'action.count': torch.tensor([1000]),
         'observation.images.front.mean': torch.zeros(3, 1, 1), 'task_index.min': torch.zeros(1)},
        folder / state_file,
    )  # fmt: skip
    pack = {'embodiment_tag': 'so100', 'normalize_min_max': True, 'formalize_language': False,
            'embodiment_mapping': {'new_embodiment': 31, 'so100': 2}}  # fmt: skip
    steps = [
        {'registry_name': 'to_batch_processor', 'config': {}},
        {'registry_name': 'groot_pack_inputs_v3', 'config': pack, 'state_file': state_file},
    ]
    preprocessor = {'name': 'policy_preprocessor', 'steps': steps}
    (folder / 'policy_preprocessor.json').write_text(json.dumps(preprocessor))

    checkpoint = open_checkpoint(tmp_path)
    assert (checkpoint.embodiment.tag, checkpoint.embodiment.slot) == ('so100', 2)
    assert checkpoint.modality.cameras == ('front', 'wrist')  # by name, as LeRobot sorts them
    assert checkpoint.modality.horizon == 16
    assert np.array_equal(checkpoint.range_of('action')[1], high.numpy() + 1)
    assert any('pretrained_model' in note for note in checkpoint.notes)
    checkpoint.load()


def test_what_isaac_groot_wrote_is_read(tmp_path):
    """`experiment_cfg/metadata.json` as Isaac-GR00T n1.5 writes it, made without our writer."""
    folder = write(tmp_path / 'a')
    video = {'resolution': [640, 480], 'channels': 3, 'fps': 30.0}
    one, five = {'min': [0.0], 'max': [100.0]}, {'min': [-9.0] * 5, 'max': [9.0] * 5}
    shape = {'absolute': True, 'rotation_type': None, 'continuous': True}
    part = {'single_arm': {**shape, 'shape': [5]}, 'gripper': {**shape, 'shape': [1]}}
    entry = {
        'statistics': {'state': {'single_arm': five, 'gripper': one},
                       'action': {'single_arm': five, 'gripper': one}},
        'modalities': {'video': {'front': video, 'wrist': video}, 'state': part, 'action': part},
        'embodiment_tag': 'new_embodiment',
    }  # fmt: skip
    (folder / 'experiment_cfg' / 'metadata.json').write_text(json.dumps({'new_embodiment': entry}))
    checkpoint = open_checkpoint(folder)
    assert checkpoint.modality.cameras == ('front', 'wrist')
    assert [(g.name, g.start, g.stop) for g in checkpoint.modality.action] == [
        ('single_arm', 0, 5), ('gripper', 5, 6)]  # fmt: skip
    assert checkpoint.range_of('state')[1].tolist() == [9.0] * 5 + [100.0]
    assert 'only one with statistics' in checkpoint.notes[0]


def test_a_modality_file_beside_the_checkpoint_places_groups_and_orders_cameras(tmp_path):
    folder = write(tmp_path / 'a')
    own = {
        'state': {'gripper': {'start': 0, 'end': 1}, 'single_arm': {'start': 1, 'end': 6}},
        'action': {'gripper': {'start': 0, 'end': 1}, 'single_arm': {'start': 1, 'end': 6}},
        'video': {'scene': {'original_key': 'x'}, 'wrist': {'original_key': 'y'}},
    }
    (folder / 'modality.json').write_text(json.dumps(own))
    checkpoint = open_checkpoint(folder)
    assert checkpoint.modality.cameras == ('scene', 'wrist')
    assert [(g.name, g.start) for g in checkpoint.modality.state] == [
        ('single_arm', 1), ('gripper', 0)]  # fmt: skip
    assert checkpoint.range_of('state')[0].tolist()[0] == -105.0  # the gripper's, now in front
    change_json(folder / 'modality.json', lambda c: c['state']['single_arm'].update(end=5))
    with pytest.raises(CheckpointError, match=r"modality.json: state: expected .*single_arm': 5"):
        open_checkpoint(folder)


@pytest.mark.parametrize(('profile', 'layout'), [('isaac', 'lerobot'), ('lerobot', 'isaac')])
def test_a_converted_checkpoint_is_processed_as_it_was_trained(tmp_path, profile, layout):
    before = open_checkpoint(write(tmp_path / 'a', profile))
    save_checkpoint(tmp_path / 'b', before, before.weights.files, layout)
    after = open_checkpoint(tmp_path / 'b')
    assert after.profile == profile
    assert after.modality == before.modality
    assert set(after.statistics.state) == set(before.statistics.state)
    assert np.array_equal(after.range_of('action')[0], before.range_of('action')[0])
    save_checkpoint(tmp_path / 'c', after, after.weights.files, profile)  # and back
    assert 'processing_profile' not in (tmp_path / 'c' / 'config.json').read_text()


@pytest.mark.parametrize('layout', LAYOUTS)
@pytest.mark.parametrize('missing', [LM_HEAD, EMBED_TOKENS])
def test_one_of_the_tied_matrices_may_be_missing(tmp_path, layout, missing):
    folder = write(tmp_path / 'a', layout)
    prefix = PREFIX if layout == 'lerobot' else ''
    change_weights(folder, lambda tensors: tensors.pop(prefix + missing))
    twin = EMBED_TOKENS if missing == LM_HEAD else LM_HEAD
    found = open_checkpoint(folder).load().state_dict()
    assert torch.equal(found[missing], weights()[twin])
    assert len(found) == len(weights())


@pytest.mark.parametrize(('dtype', 'expected'), [
    ('float32', torch.float32), ('bfloat16', torch.bfloat16), (torch.float16, torch.float16)
])  # fmt: skip
def test_weights_take_the_dtype_that_is_asked_for(tmp_path, dtype, expected):
    model = open_checkpoint(write(tmp_path / 'a')).load(dtype=dtype)
    assert {tensor.dtype for tensor in model.state_dict().values()} == {expected}


def test_an_unknown_dtype_lists_the_known_ones(tmp_path):
    with pytest.raises(CheckpointError, match=r"expected one of bfloat16, .* found 'int4'"):
        open_checkpoint(write(tmp_path / 'a')).load(dtype='int4')


def test_a_loaded_model_does_not_depend_on_its_files(tmp_path):
    folder = write(tmp_path / 'a')
    model = open_checkpoint(folder).load()
    with (folder / 'model.safetensors').open('r+b') as file:
        file.truncate(0)
    found = model.state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in weights().items())


def test_loading_tells_how_far_it_is(tmp_path):
    seen = []
    open_checkpoint(write(tmp_path / 'a')).load(progress=lambda *numbers: seen.append(numbers))
    total = sum(t.numel() * t.element_size() for t in weights().values())
    assert seen[-1] == (total, total)
    assert [done for done, _ in seen] == sorted({done for done, _ in seen})


def test_a_model_for_inference_has_no_gradients_and_runs(tmp_path):
    from chefmate_policy.model.groot import ModelTensors as Inputs

    model = open_checkpoint(write(tmp_path / 'a')).load(dtype='float32')
    assert not any(parameter.requires_grad for parameter in model.parameters())
    ids = torch.full((1, CONFIG.eagle.tokens_per_image + 4), CONFIG.eagle.image_token_index)
    ids[0, -4:] = 7
    inputs = Inputs(torch.zeros(1, 3, 224, 224), ids, torch.ones_like(ids),
                    torch.zeros(1, 1, 64), torch.tensor([31]))  # fmt: skip
    assert torch.isfinite(model.get_action(inputs, torch.zeros(1, 16, 32))).all()


def test_a_failed_save_leaves_nothing_and_an_existing_folder_is_not_touched(tmp_path):
    folder = write(tmp_path / 'a')
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(CheckpointError, match=r'a exists\. Next: name another folder'):
        write(folder)
    short = {name: tensor for name, tensor in weights().items() if 'vlln' not in name}
    with pytest.raises(CheckpointError, match=r'missing 2 tensors:\n  action_head\.vlln\.weight'):
        write(tmp_path / 'b', state=short)
    assert sorted(path.name for path in tmp_path.iterdir()) == before
    write(folder, 'lerobot', overwrite=True)
    assert open_checkpoint(folder).profile == 'lerobot'
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_tensors_that_share_memory_are_written_each_for_itself(tmp_path):
    state = dict(weights())
    state[LM_HEAD] = state[EMBED_TOKENS]
    folder = write(tmp_path / 'a', state=state)
    files = TensorFiles.in_folder(folder)
    assert {LM_HEAD, EMBED_TOKENS} <= set(files.specs)
    assert ModelTensors(state).specs == {name: files.specs[name] for name in state}


def test_cameras_can_be_chosen_and_ordered_but_not_invented(tmp_path):
    checkpoint = open_checkpoint(write(tmp_path / 'a'))
    assert checkpoint.with_cameras(['scene', 'wrist']).modality.cameras == ('scene', 'wrist')
    assert checkpoint.with_cameras(None) is checkpoint
    for wrong in (['front'], [], ['wrist', 'wrist']):
        with pytest.raises(CheckpointError, match='expected some of wrist, scene, each once'):
            checkpoint.with_cameras(wrong)
