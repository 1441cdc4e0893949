"""Damaged and foreign weights: each refused with a message: what, where, what to do."""

import json
import random
import shutil

import pytest
import torch
from small_checkpoints import (
    ARM_KEY,
    change_json,
    change_weights,
    weights,
    write,
)

from chefmate_core.errors import ChefMateError
from chefmate_policy.checkpoint import CheckpointError, open_checkpoint
from chefmate_policy.checkpoint.compare import EMBED_TOKENS, LM_HEAD, compare

VLLN = 'action_head.vlln.weight'


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path / 'a')


def refusal(folder, load=True):
    """Return the message with which a folder is refused."""
    with pytest.raises(CheckpointError) as error:
        checkpoint = open_checkpoint(folder)
        if load:
            checkpoint.load()
    return str(error.value)


def test_a_missing_tensor_is_named(folder):
    change_weights(folder, lambda tensors: tensors.pop(VLLN))
    message = refusal(folder)
    assert f'missing 1 tensors:\n  {VLLN}' in message
    assert f'{len(weights()) - 1} of the {len(weights())} that the model needs' in message


def test_an_unexpected_tensor_is_named(folder):
    change_weights(folder, lambda tensors: tensors.update({'action_head.extra': torch.ones(1)}))
    assert 'unexpected 1 tensors:\n  action_head.extra' in refusal(folder)


def test_a_wrongly_shaped_tensor_is_named_with_both_shapes(folder):
    change_weights(folder, lambda tensors: tensors.update({ARM_KEY: torch.ones(32, 7, 64)}))
    assert f'{ARM_KEY}: expected [32, 64, 64], found [32, 7, 64]' in refusal(folder)


def test_all_kinds_of_differences_are_in_one_message(folder):
    def spoil(tensors):
        del tensors[VLLN]
        tensors['extra'] = torch.ones(1)
        tensors[ARM_KEY] = torch.ones(1)

    change_weights(folder, spoil)
    message = refusal(folder)
    assert all(text in message for text in ('missing 1', 'unexpected 1', 'wrongly shaped 1'))


def test_many_missing_tensors_are_counted_and_grouped(folder):
    change_weights(
        folder, lambda tensors: [tensors.pop(k) for k in list(tensors) if 'transformer_bl' in k]
    )
    message = refusal(folder)
    assert message.count('\n  action_head.') == 12
    assert 'more: action_head.' in message
    assert 'transformer_blocks.*.' in message
    assert len(message) < 3000


def test_both_tied_matrices_missing_is_refused(folder):
    change_weights(folder, lambda tensors: (tensors.pop(LM_HEAD), tensors.pop(EMBED_TOKENS)))
    assert 'missing 2 tensors' in refusal(folder)


def test_a_checkpoint_of_another_size_is_refused(folder):
    def smaller(config):
        config['action_head_cfg']['diffusion_model_cfg']['num_layers'] = 2

    change_json(folder / 'config.json', smaller)
    message = refusal(folder)
    assert 'unexpected' in message
    assert 'is it a checkpoint of this size' in message


def test_lerobot_weights_without_their_prefix_are_refused(tmp_path):
    folder = write(tmp_path / 'a', 'lerobot')
    change_weights(folder, lambda tensors: tensors.update(other=torch.ones(1)))
    assert 'unexpected 1 tensors:\n  other' in refusal(folder)


def test_a_truncated_file_is_refused(folder):
    path = folder / 'model.safetensors'
    path.write_bytes(path.read_bytes()[:-1000])
    message = refusal(folder, load=False)
    assert 'is not a whole safetensors file' in message
    assert f'{path.stat().st_size:,} bytes' in message


def test_a_git_lfs_pointer_is_explained(folder):
    (folder / 'model.safetensors').write_text('version https://git-lfs.github.com/spec/v1\n')
    assert 'git lfs pull' in refusal(folder, load=False)


def test_a_missing_shard_is_named(tmp_path):
    folder = write(tmp_path / 'a', shard_bytes=2_000_000)
    shard = sorted(folder.glob('model-0*'))[1]
    shard.unlink()
    message = refusal(folder, load=False)
    assert '1 of ' in message and shard.name in message


def test_shards_of_another_checkpoint_are_noticed(tmp_path):
    folder = write(tmp_path / 'a', shard_bytes=2_000_000)
    first, second = sorted(folder.glob('model-0*'))[:2]
    shutil.copy(first, second)
    message = refusal(folder, load=False)
    assert 'is also in' in message


def test_an_index_that_promises_what_is_not_there_is_refused(tmp_path):
    folder = write(tmp_path / 'a', shard_bytes=2_000_000)
    index = folder / 'model.safetensors.index.json'
    shard = sorted(folder.glob('model-0*'))[0].name
    change_json(index, lambda content: content['weight_map'].update(ghost=shard))
    assert '1 of its tensors are not in their files: ghost' in refusal(folder, load=False)


def test_an_index_cannot_lead_out_of_its_folder(folder):
    index = folder / 'model.safetensors.index.json'
    index.write_text(json.dumps({'weight_map': {VLLN: '../../etc/passwd'}}))
    assert 'expected names of files' in refusal(folder, load=False)


def test_shards_without_an_index_and_no_weights_at_all_are_different_messages(tmp_path):
    folder = write(tmp_path / 'a', shard_bytes=2_000_000)
    (folder / 'model.safetensors.index.json').unlink()
    assert 'shards without their index' in refusal(folder, load=False)
    for shard in folder.glob('model-0*'):
        shard.unlink()
    assert 'found neither' in refusal(folder, load=False)


def test_pickled_weights_are_never_read(folder):
    (folder / 'model.safetensors').unlink()
    (folder / 'pytorch_model.bin').write_bytes(b'\x80\x04')
    message = refusal(folder, load=False)
    assert 'pytorch_model.bin: pickled weights can run code and are not read' in message


def test_tensors_of_whole_numbers_are_refused(folder):
    change_weights(folder, lambda tensors: tensors.update({VLLN: torch.ones(96).int()}))
    assert f'{VLLN}: expected one of F64, F32, F16, BF16; found I32' in refusal(folder)


def test_the_trainers_folder_lists_the_checkpoints_in_it(tmp_path):
    write(tmp_path / 'run' / 'checkpoint-500')
    write(tmp_path / 'run' / 'checkpoint-1000')
    message = refusal(tmp_path / 'run')
    assert 'name one of checkpoint-1000, checkpoint-500' in message
    assert 'found nothing' in refusal(tmp_path / 'nowhere')
    (tmp_path / 'empty').mkdir()
    assert 'found an empty folder' in refusal(tmp_path / 'empty')


def test_differences_of_equal_shapes_are_none():
    shapes = {'a.b': (1, 2), LM_HEAD: (3,), EMBED_TOKENS: (3,)}
    assert not compare(shapes, shapes)
    assert str(compare(shapes, shapes)) == 'every tensor is as expected'
    assert compare({'a.b': (1, 2), LM_HEAD: (3,)}, shapes).tied == {EMBED_TOKENS: LM_HEAD}


@pytest.mark.parametrize('seed', range(30))
def test_any_damage_to_any_file_is_a_message_or_harmless(tmp_path, seed):
    """Flip, cut or repeat bytes somewhere: never another exception, never a half-loaded model."""
    rng = random.Random(seed)
    layout = rng.choice(('isaac', 'lerobot'))
    folder = write(tmp_path / 'a', layout, shard_bytes=rng.choice((2_000_000, 10**9)))
    path = rng.choice(sorted(path for path in folder.rglob('*') if path.is_file()))
    data = bytearray(path.read_bytes())
    for _ in range(rng.randint(1, 4)):
        where = rng.randrange(min(len(data), 4000))  # headers and text are at the beginning
        kind = rng.choice(('flip', 'cut', 'repeat'))
        if kind == 'flip':
            data[where] ^= 1 << rng.randrange(8)
        elif kind == 'cut':
            del data[where : where + rng.randint(1, 50)]
        else:
            data[where:where] = data[max(0, where - 20) : where]
        if not data:
            break
    path.write_bytes(data)
    try:
        model = open_checkpoint(folder).load()
    except ChefMateError as error:
        assert str(error)
    else:
        found = model.state_dict()
        assert {name: tensor.shape for name, tensor in found.items()} == {
            name: tensor.shape for name, tensor in weights().items()
        }
