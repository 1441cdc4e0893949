"""From a name, a path or a hub id to a model."""

import shutil
from pathlib import Path

import pytest
import torch
import yaml
from small_checkpoints import write

from chefmate_core.errors import ConfigurationError
from chefmate_core.policy.model_folder import shared_manifest
from chefmate_policy.checkpoint import EmbodimentError
from chefmate_policy.models import find_model, models_folder
from chefmate_policy.models.hub import HubId
from chefmate_policy.models.known import known_models, list_models
from chefmate_policy.models.manifest import read_manifest


@pytest.fixture
def models(tmp_path, monkeypatch):
    """An empty folder of models, and a hub cache with nothing in it."""
    (folder := tmp_path / 'models').mkdir()
    monkeypatch.setenv('CHEFMATE_MODELS', str(folder))
    monkeypatch.setattr('huggingface_hub.constants.HF_HUB_CACHE', str(tmp_path / 'cache'))
    return folder


def cached(tmp_path, hub, commit):
    """Put a checkpoint into the hub's cache as its client does."""
    repository = tmp_path / 'cache' / f'models--{hub.replace("/", "--")}'
    write(repository / 'snapshots' / commit)
    return repository


def test_the_tiny_random_model_needs_no_file(models):
    first, second = (find_model('tiny-random').open() for _ in range(2))
    assert first.modality.cameras == ('wrist', 'scene')
    assert first.byte_tokens
    assert first.range_of('state')[0].tolist() == [-100.0] * 5 + [0.0]
    assert first.range_of('action')[1].tolist() == [100.0] * 6
    assert 'trained on nothing' in first.notes[0]
    one, two = first.load().state_dict(), second.load().state_dict()
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert first.load(dtype='bfloat16').action_head.vlln.weight.dtype == torch.bfloat16


def test_a_folder_is_found_by_its_name_and_by_its_path(models):
    folder = write(models / 'bread')
    assert find_model('bread').folder == folder
    assert find_model(str(folder)).folder == folder
    assert find_model('bread').open().origin == str(folder)


def test_a_relative_path_is_a_path(models, tmp_path, monkeypatch):
    write(tmp_path / 'runs' / 'bread')
    monkeypatch.chdir(tmp_path)
    for text in ('runs/bread', './runs/bread'):
        assert find_model(text).open().embodiment.slot == 31
    monkeypatch.chdir(tmp_path / 'runs')
    assert find_model('bread').open().embodiment.slot == 31


def test_a_link_among_the_models_is_a_model(models, tmp_path):
    (models / 'bread').symlink_to(write(tmp_path / 'elsewhere'))
    assert find_model('bread').open().embodiment.tag == 'new_embodiment'


def test_a_mistyped_name_suggests_the_right_one_and_lists_all(models):
    write(models / 'bread')
    with pytest.raises(ConfigurationError, match="Did you mean 'bread'") as error:
        find_model('braed')
    assert all(name in str(error.value) for name in ('n1.5-3b', 'tiny-random', str(models)))


def test_what_is_not_fetched_yet_says_how_and_under_which_licence(models):
    for text in ('n1.5-3b', 'nvidia/GR00T-N1.5-3B'):
        with pytest.raises(ConfigurationError, match=r'chefmate models fetch n1\.5-3b') as error:
            find_model(text)
        assert 'non-commercial' in str(error.value)


def test_a_hub_id_without_a_revision_is_refused(models):
    with pytest.raises(ConfigurationError, match=r'someone/bread: no revision.*@REVISION'):
        find_model('someone/bread')


def test_what_another_program_fetched_is_found_in_the_hubs_cache(models, tmp_path):
    commit = 'c0ffee' * 6 + 'c0ff'
    cached(tmp_path, 'someone/bread', commit)
    assert find_model(f'someone/bread@{commit}').open().embodiment.slot == 31
    revision = known_models(models)['n1.5-3b'].revision
    repository = cached(tmp_path, 'nvidia/GR00T-N1.5-3B', revision)
    for text in ('n1.5-3b', 'nvidia/GR00T-N1.5-3B', f'nvidia/GR00T-N1.5-3B@{revision}'):
        assert find_model(text).folder == repository / 'snapshots' / revision


def test_a_branch_of_the_cache_is_the_commit_that_it_pointed_to(models, tmp_path):
    repository = cached(tmp_path, 'someone/bread', 'abc123')
    (repository / 'refs').mkdir()
    (repository / 'refs' / 'main').write_text('abc123')
    assert find_model('someone/bread@main').folder == repository / 'snapshots' / 'abc123'


def test_cameras_and_embodiment_are_passed_on(models):
    write(models / 'bread')
    opened = find_model('bread').open(cameras=['scene', 'wrist'])
    assert opened.modality.cameras == ('scene', 'wrist')
    with pytest.raises(EmbodimentError):
        find_model('bread').open('gr1')


def test_the_tokenizer_is_looked_for_in_the_checkpoint_first(models, tmp_path, monkeypatch):
    monkeypatch.setenv('HF_LEROBOT_HOME', str(tmp_path))
    folder = write(models / 'bread')
    folders = find_model('bread').open().tokenizer_folders
    assert folders == (
        folder, folder / 'tokenizer', models / 'eagle-tokenizer',
        tmp_path / 'lerobot' / 'eagle2hg-processor-groot-n1p5',
    )  # fmt: skip


def test_models_live_in_the_repository_unless_told_otherwise(monkeypatch, tmp_path):
    monkeypatch.delenv('CHEFMATE_MODELS', raising=False)
    assert (models_folder() / 'manifest.yaml').is_file()
    assert models_folder() == shared_manifest().parent
    assert not models_folder().is_symlink()
    monkeypatch.setenv('CHEFMATE_MODELS', str(tmp_path / 'nowhere'))
    with pytest.raises(ConfigurationError, match=r'nowhere: expected a folder; found nothing'):
        models_folder()


def test_the_installed_share_has_the_manifest(monkeypatch):
    monkeypatch.delenv('CHEFMATE_MODELS', raising=False)
    repository = Path(__file__).resolve().parents[4] / 'models' / 'manifest.yaml'
    assert shared_manifest().read_text() == repository.read_text()


def test_the_manifest_names_the_licence_of_the_published_weights():
    entry = read_manifest(shared_manifest().parent)['n1.5-3b']
    assert entry.commercial is False
    assert 'non-commercial' in entry.licence
    assert len(entry.revision) == 40


def test_a_folder_of_models_may_have_a_manifest_of_its_own(models):
    own = {'ours': {'origin': 'us/ours', 'revision': 'a' * 40, 'licence': 'MIT'}}
    (models / 'manifest.yaml').write_text(yaml.safe_dump(own))
    assert {'ours', 'n1.5-3b'} <= set(known_models(models))


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('a: [', 'expected YAML'),
        ('- a', 'expected name -> entry'),
        ('a: 3', 'a: expected origin and licence'),
        ('a: {origin: x/y}', 'a: expected origin and licence'),
        ('a: {origin: x/y, licence: MIT, size: 3}', 'a: expected origin and licence'),
        ('a: {origin: x/y, licence: MIT, kind: pet}', 'kind: expected model or tokenizer'),
        ('a: {origin: x/y, licence: MIT, preset: huge}', 'there are: n1.5-3b, tiny'),
        ('a: {origin: random, licence: MIT, preset: tiny}', 'needs cameras and an embodiment'),
    ],
)
def test_a_wrong_manifest_names_the_entry(models, text, message):
    (models / 'manifest.yaml').write_text(text)
    with pytest.raises(ConfigurationError, match=message):
        known_models(models)


def test_the_list_tells_what_is_here_and_how_large(models):
    folder = write(models / 'bread')
    (models / '.partial-n1.5-3b').mkdir()
    found = {model.name: model for model in list_models(models)}
    assert set(found) == {'n1.5-3b', 'eagle-tokenizer', 'tiny-random', 'bread'}
    assert found['bread'].state == 'here'
    assert found['bread'].size_bytes > (folder / 'model.safetensors').stat().st_size
    assert found['n1.5-3b'].state == 'not fetched'
    shutil.rmtree(folder)
    assert 'bread' not in {model.name for model in list_models(models)}


@pytest.mark.parametrize('text', ['bread', 'a/b/c', '/a/b', 'a/', 'a/b@', '../a', 'a b/c'])
def test_what_is_no_hub_id_is_not_taken_for_one(text):
    assert not HubId.is_one(text)
    with pytest.raises(ConfigurationError):
        HubId.parse(text)
