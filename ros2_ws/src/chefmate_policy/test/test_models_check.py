"""`chefmate models list|check`: what it reports, and that it finds what is wrong."""

import argparse
import json

import pytest
import torch
from small_checkpoints import change_json, change_weights, tiny, weights, write

from chefmate_core.errors import ConfigurationError
from chefmate_policy.checkpoint.adapter import LoraSettings, add_adapter, save_adapter
from chefmate_policy.checkpoint.lerobot import PREFIX
from chefmate_policy.cli import models as command


@pytest.fixture
def models(tmp_path, monkeypatch):
    (folder := tmp_path / 'models').mkdir()
    monkeypatch.setenv('CHEFMATE_MODELS', str(folder))
    monkeypatch.setattr('huggingface_hub.constants.HF_HUB_CACHE', str(tmp_path / 'cache'))
    return folder


@pytest.fixture
def check(capsys):
    """Run `chefmate models check ... --json`; return exit code and report."""

    def run(model, embodiment=None):
        arguments = argparse.Namespace(
            task='check', model=str(model), embodiment=embodiment, json=True
        )
        code = command.run(arguments)
        return code, json.loads(capsys.readouterr().out)

    return run


def test_the_published_model_is_counted_without_any_weights(models, check):
    code, report = check('n1.5-3b')
    assert code == 0
    assert (report['keys'], report['parameters']) == (899, 2_724_163_520)
    assert report['weights'] == 'not here'
    assert 'non-commercial' in report['licence']


def test_random_weights_are_said_to_be_random(models, check):
    code, report = check('tiny-random')
    assert (code, report['weights'], report['problems']) == (0, 'random', [])
    assert report['keys'] == len(weights())
    assert report['embodiments']['new_embodiment']['cameras'] == ['wrist', 'scene']


@pytest.mark.parametrize('layout', ['isaac', 'lerobot'])
def test_a_whole_checkpoint_has_no_problem(models, check, layout):
    write(models / 'bread', layout)
    code, report = check('bread')
    assert (code, report['problems']) == (0, [])
    assert report['layout'] == layout
    assert report['keys'] == len(weights())
    assert set(report['dtypes']) == {'bfloat16', 'float32'}
    assert report['size_bytes'] == sum(file['bytes'] for file in report['files'].values())
    facts = report['embodiments']['new_embodiment']
    assert facts['slot'] == 31
    assert facts['state'] == {'single_arm': 5, 'gripper': 1}
    assert facts['profile'] == layout


def test_an_adapter_is_checked_with_the_model_below_it(models, check):
    folder = models / 'bread-lora'
    adapter = add_adapter(tiny().load(), LoraSettings(rank=2, parts=('dit',)))
    save_adapter(folder, adapter, tiny(origin='tiny-random'))
    code, report = check('bread-lora')
    assert (code, report['problems'], report['layout']) == (0, [], 'adapter')
    change_json(folder / 'adapter_config.json', lambda c: c.update(r=16))
    code, report = check('bread-lora')
    assert code == 1
    assert 'trained on another model' in report['problems'][0]


def spoil_number(tensors, prefix=''):
    tensors[f'{prefix}action_head.vlln.weight'][3] = float('nan')


@pytest.mark.parametrize('layout', ['isaac', 'lerobot'])
def test_every_kind_of_damage_is_a_problem(models, check, layout):
    prefix = PREFIX if layout == 'lerobot' else ''
    folder = write(models / 'bread', layout)
    change_weights(folder, lambda tensors: spoil_number(tensors, prefix))
    code, report = check('bread')
    assert code == 1
    assert '1 tensors hold NaN or inf: action_head.vlln.weight' in report['problems'][0]

    change_weights(folder, lambda tensors: tensors.update(more=torch.ones(1)))
    assert 'unexpected 1 tensors' in check('bread')[1]['problems'][0]

    path = folder / 'model.safetensors'
    path.write_bytes(path.read_bytes()[:-10])
    code, report = check('bread')
    assert code == 1
    assert 'is not a whole safetensors file' in report['problems'][0]
    assert len(report['problems']) == len(set(report['problems']))


def test_wrong_statistics_are_a_problem(models, check):
    folder = write(models / 'bread')
    change_json(
        folder / 'experiment_cfg' / 'metadata.json',
        lambda c: c['new_embodiment']['statistics']['state']['gripper'].update(min=[1e9]),
    )
    code, report = check('bread')
    assert code == 1
    assert 'state.gripper' in report['problems'][0]


def test_an_embodiment_that_it_cannot_run_is_a_problem(models, check):
    write(models / 'bread')
    assert check('bread', 'new_embodiment')[0] == 0
    code, report = check('bread', 'gr1')
    assert code == 1
    assert "no statistics for embodiment 'gr1'" in report['problems'][0]


def test_a_base_model_may_have_embodiments_that_cannot_run_here(models, check):
    folder = write(models / 'base')

    def add_humanoid(content):
        content['gr1'] = json.loads(json.dumps(content['new_embodiment']))
        content['gr1']['statistics']['action']['legs'] = {'min': [0] * 40, 'max': [1] * 40}
        content['alien'] = content['new_embodiment']

    change_json(folder / 'experiment_cfg' / 'metadata.json', add_humanoid)
    code, report = check('base')
    assert (code, report['problems']) == (0, [])
    assert 'has room for 32' in report['embodiments']['gr1']['refused']
    assert "unknown embodiment 'alien'" in report['embodiments']['alien']['refused']
    assert report['embodiments']['new_embodiment']['slot'] == 31
    code, report = check('base', 'gr1')
    assert code == 1
    assert 'has room for 32' in report['problems'][0]


def test_a_fetched_file_that_changed_since_is_a_problem(models, check):
    from chefmate_policy.models.hub import digest_of

    folder = write(models / 'bread')
    names = ('config.json', 'model.safetensors')
    files = {name: {'bytes': 1, 'sha256': digest_of(folder / name)} for name in names}
    provenance = {'origin': 'someone/bread', 'revision': 'abc', 'files': files}
    (folder / 'provenance.json').write_text(json.dumps(provenance))
    code, report = check('bread')
    assert (code, report['origin'], report['revision']) == (0, 'someone/bread', 'abc')
    assert report['files']['config.json']['sha256'] == files['config.json']['sha256']

    (folder / 'config.json').write_text((folder / 'config.json').read_text() + '\n')
    code, report = check('bread')
    assert code == 1
    assert 'config.json: sha256: expected' in report['problems'][0]
    (folder / 'provenance.json').write_text('{}')
    assert 'expected files: name -> bytes, sha256' in check('bread')[1]['problems'][0]


def test_digests_of_the_manifest_are_compared(models, check):
    import yaml

    write(models / 'bread')
    entry = {'origin': 'a/b', 'licence': 'MIT', 'preset': 'tiny',
             'sha256': {'config.json': 'f' * 64, 'gone.json': 'f' * 64}}  # fmt: skip
    (models / 'manifest.yaml').write_text(yaml.safe_dump({'bread': entry}))
    problems = check('bread')[1]['problems']
    assert any('config.json: sha256: expected fff' in problem for problem in problems)
    assert any('gone.json is missing' in problem for problem in problems)


def test_what_is_no_checkpoint_is_a_problem_and_what_is_no_model_an_error(models, check):
    (models / 'empty').mkdir()
    code, report = check('empty')
    assert code == 1
    assert 'found an empty folder' in report['problems'][0]
    with pytest.raises(ConfigurationError, match='no model'):
        check('nothing')


def test_the_report_for_people_names_licence_and_problems(models, capsys):
    folder = write(models / 'bread')
    (folder / 'config.json').write_text('{}')
    arguments = argparse.Namespace(task='check', model='bread', embodiment=None, json=False)
    assert command.run(arguments) == 1
    assert 'problem: ' in capsys.readouterr().out
    command.run(argparse.Namespace(task='check', model='n1.5-3b', embodiment=None, json=False))
    out = capsys.readouterr().out
    assert '2,724,163,520' in out
    assert 'non-commercial' in out


def test_the_list_for_people_and_programs(models, capsys):
    write(models / 'bread')
    command.run(argparse.Namespace(task='list', json=True))
    listed = {model['name']: model for model in json.loads(capsys.readouterr().out)['models']}
    assert listed['bread']['state'] == 'here'
    assert listed['n1.5-3b']['commercial'] is False
    command.run(argparse.Namespace(task='list', json=False))
    out = capsys.readouterr().out
    assert all(name in out for name in ('bread', 'n1.5-3b', 'tiny-random', str(models)))
    assert 'non-commercial' in out
