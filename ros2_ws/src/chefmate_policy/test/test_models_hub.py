"""Fetching over HTTP from a little hub: whole and verified, or a message and nothing half-made.

In processes of their own: the hub's client reads its environment when it is imported.
"""

import dataclasses
import json
import os
import subprocess
import sys

import pytest
from hub_server import COMMIT, LittleHub
from small_checkpoints import CONFIG, tiny, write
from test_processing_prompt import write_tokenizer

from chefmate_core.policy.model_folder import shared_manifest
from chefmate_policy.checkpoint import ModelTensors, save_checkpoint
from chefmate_policy.model.groot import Groot
from chefmate_policy.processing.tokens import FolderTokenizer

FETCH = (
    'import sys; from chefmate_policy.cli import models; import argparse; '
    "sys.exit(models.run(argparse.Namespace(task='fetch', model=sys.argv[1])))"
)


@pytest.fixture(scope='module')
def hub(tmp_path_factory):
    folder = write(tmp_path_factory.mktemp('hub') / 'a', shard_bytes=4_000_000)
    (folder / 'README.md').write_text('licence: MIT')
    (folder / 'virus.py').write_text('raise SystemExit')
    (folder / 'training.bin').write_bytes(b'\x80\x04')
    server = LittleHub(folder, 'someone/bread')
    yield server
    server.close()


@pytest.fixture
def fetch(tmp_path, hub):
    """Run `chefmate models fetch` as its command does; return exit code, error, models' folder."""
    (models := tmp_path / 'models').mkdir()
    prefix = os.environ['AMENT_PREFIX_PATH']
    assert shared_manifest().is_file()

    def run(model, url=None, **environment):
        settings = {
            'PATH': os.environ['PATH'], 'AMENT_PREFIX_PATH': prefix, 'HOME': str(tmp_path),
            'CHEFMATE_MODELS': str(models), 'HF_HOME': str(tmp_path / 'hf'),
            'HF_ENDPOINT': hub.url if url is None else url, 'OMP_NUM_THREADS': '1',
            'PYTHONPATH': os.environ.get('PYTHONPATH', ''), **environment,
        }  # fmt: skip
        done = subprocess.run(
            [sys.executable, '-c', FETCH, model], env=settings, capture_output=True, text=True
        )
        return done.returncode, done.stderr, models

    return run


def test_a_repository_is_fetched_at_its_commit_and_remembered(fetch, hub):
    code, error, models = fetch(f'someone/bread@{COMMIT}')
    assert code == 0, error
    folder = models / f'someone--bread@{COMMIT[:12]}'
    expected = {name for name in hub.files() if name not in ('virus.py', 'training.bin')}
    found = {str(p.relative_to(folder)) for p in folder.rglob('*') if p.is_file()}
    assert found == expected | {'provenance.json'}  # nothing that could be run
    for name in expected:
        assert (folder / name).read_bytes() == (hub.folder / name).read_bytes()
    provenance = json.loads((folder / 'provenance.json').read_text())
    assert (provenance['origin'], provenance['revision']) == ('someone/bread', COMMIT)
    assert set(provenance['files']) == expected
    assert [path.name for path in models.iterdir()] == [folder.name]


def test_a_branch_is_fetched_as_the_commit_that_it_is_now(fetch):
    code, error, models = fetch('someone/bread@main')
    assert code == 0, error
    provenance = json.loads((models / 'someone--bread@main' / 'provenance.json').read_text())
    assert (provenance['asked'], provenance['revision']) == ('main', COMMIT)


def test_a_fetched_model_opens_and_knows_where_it_came_from(fetch, monkeypatch):
    from chefmate_policy.models import find_model

    _, _, models = fetch(f'someone/bread@{COMMIT}')
    checkpoint = find_model(f'someone/bread@{COMMIT}', models=models).open()
    assert (checkpoint.origin, checkpoint.revision) == ('someone/bread', COMMIT)
    checkpoint.load()


def test_a_file_that_is_not_what_the_hub_says_is_refused_and_no_model_appears(fetch, hub):
    shard = next(name for name in hub.files() if name.startswith('model-00001'))
    data = bytearray((hub.folder / shard).read_bytes())
    data[-1] ^= 1
    hub.lies[shard] = bytes(data)
    try:
        code, error, models = fetch(f'someone/bread@{COMMIT}')
    finally:
        hub.lies.clear()
    assert code != 0
    assert 'sha256: expected' in error and shard in error
    assert not [path for path in models.iterdir() if not path.name.startswith('.')]


def test_an_interrupted_download_goes_on_where_it_stopped(fetch, hub):
    shards = [name for name in hub.files() if name.startswith('model-0')]
    hub.sent.clear()
    hub.lost.add(shards[-1])
    try:
        code, _, models = fetch(f'someone/bread@{COMMIT}')
    finally:
        hub.lost.clear()
    assert code != 0
    assert [path.name[:9] for path in models.iterdir()] == ['.partial-']  # which is no model
    before = set(hub.sent)
    hub.sent.clear()
    code, error, _ = fetch(f'someone/bread@{COMMIT}')
    assert code == 0, error
    assert shards[-1] in hub.sent
    assert not before & set(hub.sent)
    folder = models / f'someone--bread@{COMMIT[:12]}'
    assert {path.name for path in folder.glob('model-0*')} == set(shards)


@pytest.mark.parametrize(
    ('model', 'environment', 'message'),
    [
        (f'someone/bread@{COMMIT}', {'HF_HUB_OFFLINE': '1'}, 'offline (HF_HUB_OFFLINE is set)'),
        (f'someone/cheese@{COMMIT}', {}, 'no such repository, or no access'),
        ('someone/bread@nothing', {}, 'no revision nothing'),
        ('someone/bread', {}, 'no revision: what a hub repository holds changes'),
        ('n1.5-3b', {'HF_HUB_OFFLINE': '1'}, 'for non-commercial use only'),
        ('tiny-random', {}, 'its weights are drawn, there is nothing to fetch'),
        ('bread', {}, 'expected org/name@revision'),
    ],
)
def test_what_cannot_be_fetched_says_why_and_what_to_do(fetch, model, environment, message):
    code, error, models = fetch(model, **environment)
    assert code != 0
    assert message in error.replace('\n', ' ')
    assert not list(models.iterdir())


def test_a_hub_that_nobody_runs_is_a_message(fetch):
    code, error, models = fetch(f'someone/bread@{COMMIT}', url='http://127.0.0.1:9')
    assert code != 0
    assert 'check the network; or copy the folder from a machine that has it' in error
    assert not list(models.iterdir())


def test_what_is_here_is_not_fetched_again(fetch, hub):
    fetch(f'someone/bread@{COMMIT}')
    hub.sent.clear()
    code, error, _ = fetch(f'someone/bread@{COMMIT}')
    assert code != 0
    assert 'exists. Next: remove it to fetch it again' in error
    assert hub.sent == []


LOAD = (
    'import sys; from chefmate_policy.engine.load import load_engine; '
    "print(load_engine(sys.argv[1], device='cpu').name)"
)


def test_the_tokenizer_that_a_checkpoint_lacks_is_fetched_once(tmp_path):
    hub_folder = write_tokenizer(tmp_path / 'tokenizer')
    image_id = FolderTokenizer(hub_folder).image_id
    size = max(image_id + 1, 320)
    config = dataclasses.replace(
        CONFIG,
        eagle=dataclasses.replace(
            CONFIG.eagle,
            image_token_index=image_id,
            language=dataclasses.replace(CONFIG.eagle.language, vocab_size=size),
        ),
        extra={},
    )
    folder = tmp_path / 'mine'
    model = ModelTensors(Groot.random(config, 0).state_dict())
    save_checkpoint(folder, tiny(config=config), model, 'isaac')
    (models := tmp_path / 'models').mkdir()
    (models / 'manifest.yaml').write_text(
        f'eagle-tokenizer: {{origin: someone/words, revision: {COMMIT}, kind: tokenizer, '
        'licence: MIT}\n'
    )
    server = LittleHub(hub_folder, 'someone/words')

    def load(**environment):
        settings = {
            'PATH': os.environ['PATH'], 'AMENT_PREFIX_PATH': os.environ['AMENT_PREFIX_PATH'],
            'HOME': str(tmp_path), 'CHEFMATE_MODELS': str(models), 'OMP_NUM_THREADS': '1',
            'HF_HOME': str(tmp_path / 'hf'), 'HF_ENDPOINT': server.url,
            'PYTHONPATH': os.environ.get('PYTHONPATH', ''), **environment,
        }  # fmt: skip
        return subprocess.run(
            [sys.executable, '-c', LOAD, str(folder)], env=settings, capture_output=True, text=True
        )

    try:
        offline = load(HF_HUB_OFFLINE='1')
        assert offline.returncode
        assert 'chefmate models fetch eagle-tokenizer' in offline.stderr
        first = load()
        assert first.returncode == 0, first.stderr
        sent = len(server.sent)
        assert sent
        assert load(HF_HUB_OFFLINE='1').returncode == 0
        assert len(server.sent) == sent
    finally:
        server.close()
