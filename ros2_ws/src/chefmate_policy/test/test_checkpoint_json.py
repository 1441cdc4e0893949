"""Configs, statistics and processors that are damaged or foreign: each refused with a message."""

import copy
import json
import random
import shutil

import pytest
import torch
from safetensors.torch import save_file
from small_checkpoints import change_json, write

from chefmate_core.errors import ChefMateError, ConfigurationError
from chefmate_policy.checkpoint import CheckpointError, open_checkpoint


@pytest.fixture
def folder(tmp_path):
    return write(tmp_path / 'a')


def refusal(folder):
    """Return the message with which a folder is refused."""
    with pytest.raises(CheckpointError) as error:
        open_checkpoint(folder)
    return str(error.value)


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('{"model_type": ', 'expected JSON; JSONDecodeError'),
        ('[]', 'expected a JSON object; found list'),
        ('{}', "expected GR00T N1.5: model_type 'gr00t_n1_5'.*found neither"),
        ('{"model_type": "gr00t_n1"}', "found {'model_type': 'gr00t_n1'}"),
        ('{"type": "act"}', "found {'type': 'act'}"),
        ('{"type": "groot", "model_version": "n1.7"}', "found model_version 'n1.7'"),
        ('{"model_type": "gr00t_n1_5"}', 'holds backbone_cfg and action_head_cfg'),
        ('\x80', 'expected JSON'),
    ],
)
def test_a_config_that_is_not_ours_is_refused(folder, text, message):
    (folder / 'config.json').write_bytes(text.encode('latin-1'))
    with pytest.raises(ConfigurationError, match=message):
        open_checkpoint(folder)


def metadata(folder, change):
    change_json(folder / 'experiment_cfg' / 'metadata.json', lambda c: change(c['new_embodiment']))


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda e: e['statistics']['state']['gripper'].update(max=[float('nan')]), 'finite'),
        (lambda e: e['statistics']['action']['gripper'].update(min=[float('-inf')]), 'finite'),
        (lambda e: e['statistics']['state']['gripper'].pop('min'), 'missing min'),
        (lambda e: e['statistics']['state']['single_arm'].update(min=[0.0]), 'one length'),
        (lambda e: e['statistics']['state']['single_arm'].update(min=['a'] * 5), 'numbers'),
        (lambda e: e['statistics']['state']['gripper'].update(min=[1e9]), 'min <= max'),
        (lambda e: e['modalities'].pop('video'), 'modalities.video'),
        (lambda e: e['modalities'].update(video={}), 'expected cameras'),
        (lambda e: e.pop('modalities'), 'expected modalities'),
        (lambda e: e['statistics'].update(state={}), 'no known embodiment has statistics'),
        (lambda e: e.pop('statistics'), 'no known embodiment has statistics'),
    ],
)
def test_wrong_statistics_or_modalities_are_refused(folder, change, message):
    metadata(folder, change)
    found = refusal(folder)
    assert message in found
    assert 'metadata.json' in found


def test_without_statistics_nothing_runs(folder):
    shutil.rmtree(folder / 'experiment_cfg')
    assert "copy the trainer's experiment_cfg folder" in refusal(folder)


def test_a_state_larger_than_the_model_is_refused(tmp_path):
    folder = write(tmp_path / 'a')

    def widen(entry):
        entry['statistics']['state']['legs'] = {'min': [0.0] * 60, 'max': [1.0] * 60}

    metadata(folder, widen)
    message = refusal(folder)
    assert 'has 66 elements (single_arm 5, gripper 1, legs 60); the model has room for 64' in (
        message
    )


@pytest.mark.parametrize(
    ('spoil', 'message'),
    [
        (lambda f: (f / 'policy_preprocessor.json').unlink(), 'policy_preprocessor.json is miss'),
        (lambda f: next(f.glob('policy_pre*.safetensors')).unlink(), 'is not a whole'),
        (
            lambda f: change_json(f / 'policy_preprocessor.json', lambda c: c['steps'].pop(2)),
            'expected a step groot_pack_inputs_v3; found rename_observations_processor',
        ),
        (
            lambda f: change_json(
                f / 'policy_preprocessor.json', lambda c: c['steps'][2].pop('state_file')
            ),
            'has no state_file, so no statistics',
        ),
        (
            lambda f: change_json(
                f / 'policy_preprocessor.json',
                lambda c: c['steps'][2]['config'].update(normalize_min_max=False),
            ),
            'expected normalize_min_max true',
        ),
        (
            lambda f: change_json(
                f / 'policy_preprocessor.json', lambda c: c.update(steps={'a': 'b'})
            ),
            'steps: expected a list; found',
        ),
        (
            lambda f: change_json(
                f / 'config.json', lambda c: c['input_features'].pop('observation.state')
            ),
            'expected observation.state; found',
        ),
        (
            lambda f: change_json(
                f / 'config.json',
                lambda c: c['output_features']['action'].update(shape=[7]),
            ),
            'action: expected min and max of [7] each',
        ),
        (
            lambda f: save_file(
                {'action.min': torch.ones(6), 'action.max': torch.ones(6)},
                next(f.glob('policy_pre*.safetensors')),
            ),
            'no statistics of observation.state',
        ),
    ],
)
def test_damaged_lerobot_files_are_refused(tmp_path, spoil, message):
    folder = write(tmp_path / 'a', 'lerobot')
    spoil(folder)
    assert message in refusal(folder)


JUNK = (None, 3, -1, float('inf'), 'x', [], {}, [None], {'a': None}, True)


def places(content, path=()):
    """Yield the path of every value in a JSON document."""
    yield path
    if isinstance(content, (dict, list)):
        for key, value in content.items() if isinstance(content, dict) else enumerate(content):
            yield from places(value, (*path, key))


def put(content, path, value):
    """Return the document with another value at `path`."""
    if not path:
        return value
    changed = copy.deepcopy(content)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return changed


@pytest.mark.parametrize('layout', ['isaac', 'lerobot'])
def test_junk_anywhere_in_a_json_file_is_a_message_or_harmless(tmp_path, layout):
    rng = random.Random(0)
    folder = write(tmp_path / 'a', layout, shard_bytes=2_000_000)
    for path in sorted(folder.rglob('*.json')):
        text = path.read_text()
        content = json.loads(text)
        everywhere = list(places(content))
        for place in rng.sample(everywhere, min(len(everywhere), 25)):
            path.write_text(json.dumps(put(content, place, rng.choice(JUNK))))
            try:
                checkpoint = open_checkpoint(folder)
                checkpoint.weights.check(checkpoint.config)
            except ChefMateError as error:
                assert str(error)
        path.write_text(text)
