"""What may stand after `policy:=`."""

import subprocess
import sys

import pytest

from chefmate_core.errors import ConfigurationError, PolicyError
from chefmate_core.policy.loading import choose
from chefmate_core.policy.registry import available_policies
from chefmate_core.policy.resolve import ChosenPolicy, choose_policy, model_names


@pytest.fixture
def models(tmp_path, monkeypatch):
    """A models' folder with a manifest and one checkpoint of a user."""
    (tmp_path / 'mine').mkdir()
    (tmp_path / 'mine' / 'config.json').write_text('{}')
    (tmp_path / '.cache').mkdir()
    (tmp_path / 'manifest.yaml').write_text('ours: {preset: tiny}\nwords: {kind: tokenizer}\n')
    monkeypatch.setenv('CHEFMATE_MODELS', str(tmp_path))
    return tmp_path


def test_an_installed_policy_is_itself():
    name = next(iter(available_policies()))
    assert choose_policy(name, {'a': 1}) == ChosenPolicy(name, {'a': 1})


@pytest.mark.parametrize(
    'url', ['zmq://gpu:5555', 'http://gpu:8000', 'https://gpu/act', 'chefmate://gpu:5555']
)
def test_an_address_is_the_remote_policy(url):
    assert choose_policy(url) == ChosenPolicy('remote', {'url': url})


def test_models_are_those_of_the_manifests_and_the_folders(models):
    names = model_names()
    assert {'mine', 'ours', 'n1.5-3b', 'tiny-random'} <= set(names)
    assert not {'words', '.cache', 'eagle-tokenizer'} & set(names)
    for name in model_names():
        assert choose_policy(name, {'units': 'degrees'}) == ChosenPolicy(
            'groot', {'units': 'degrees', 'model': name}
        )


def test_the_folder_of_a_checkpoint_is_taken_by_its_path(models):
    path = str(models / 'mine')
    assert choose_policy(path) == ChosenPolicy('groot', {'model': path})


def test_a_relative_folder_becomes_absolute(models, monkeypatch):
    monkeypatch.chdir(models)
    assert choose_policy('./mine').options == {'model': str(models / 'mine')}


@pytest.mark.parametrize('hub_id', ['nvidia/GR00T-N1.5-3B', 'me/so101@0123abc'])
def test_a_hub_id_is_a_model(models, hub_id):
    assert choose_policy(hub_id) == ChosenPolicy('groot', {'model': hub_id})


def test_a_mistyped_name_lists_what_there_is(models):
    with pytest.raises(ConfigurationError) as refusal:
        choose_policy('n1.5-3')
    for words in (
        "unknown policy 'n1.5-3'",
        'installed policies',
        'remote',
        'mine, n1.5-3b, ours',
    ):
        assert words in str(refusal.value)


@pytest.mark.parametrize('text', ['', '/nowhere/at/all', 'a/b/c'])
def test_what_means_nothing_is_refused(models, text):
    with pytest.raises(ConfigurationError, match='unknown policy'):
        choose_policy(text)


def test_an_unknown_kind_of_address_lists_the_known_ones():
    with pytest.raises(ConfigurationError, match='zmq://, http://'):
        choose_policy('tcp://gpu:5555')


def test_an_option_that_contradicts_the_name_is_refused():
    with pytest.raises(ConfigurationError, match="option 'url'"):
        choose_policy('zmq://gpu:5555', {'url': 'zmq://other:5555'})


@pytest.mark.parametrize('options', ['{', '[]', '1'])
def test_options_that_are_no_json_object_are_refused(options):
    with pytest.raises(ConfigurationError, match='policy_options'):
        choose('zmq://gpu:5555', options)


def test_a_manifest_that_is_broken_is_named(models):
    (models / 'manifest.yaml').write_text('ours: [')
    with pytest.raises(ConfigurationError, match=r'manifest\.yaml'):
        choose_policy('mine')


def test_to_choose_a_model_imports_no_torch():
    program = (
        'import sys\n'
        'from chefmate_core.policy.resolve import choose_policy\n'
        "choose_policy('nvidia/GR00T-N1.5-3B')\n"
        "assert 'torch' not in sys.modules and 'chefmate_policy' not in sys.modules\n"
    )
    subprocess.run([sys.executable, '-c', program], check=True)


def test_a_policy_whose_requirements_are_missing_says_how_to_get_them(tmp_path, monkeypatch):
    (tmp_path / 'lame.py').write_text('def make():\n    import not_installed_anywhere\n')
    info = tmp_path / 'lame-1.dist-info'
    info.mkdir()
    (info / 'METADATA').write_text('Name: lame\nVersion: 1\n')
    (info / 'entry_points.txt').write_text('[chefmate.policies]\nlame = lame:make\n')
    monkeypatch.syspath_prepend(tmp_path)
    from chefmate_core.policy.registry import load_policy

    with pytest.raises(PolicyError, match=r'not_installed_anywhere.*make setup'):
        load_policy('lame')
