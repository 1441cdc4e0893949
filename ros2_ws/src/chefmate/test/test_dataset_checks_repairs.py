"""The command that a finding names is run as it stands, and the finding is gone."""

import json
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from small_session import EpisodePlan, write_session

from chefmate.cli.main import main
from chefmate_core.dataset.convert import Options
from chefmate_core.dataset.layout import Format
from chefmate_core.dataset.recorded import write_recording
from chefmate_core.dataset.video import VideoCodec
from chefmate_core.dataset_checks import check
from chefmate_core.session_reader import open_session

ROWS = 'data/chunk-000/episode_000001.parquet'
WRIST, SCENE = '/wrist/image_raw/compressed', '/scene/image_raw/compressed'


def swap(messages):
    other = {WRIST: SCENE, SCENE: WRIST}
    return [replace(m, topic=other.get(m.topic, m.topic)) for m in messages]


@pytest.fixture(scope='module')
def session(tmp_path_factory):
    plans = [EpisodePlan(), EpisodePlan(), EpisodePlan(), EpisodePlan(alter=swap)]
    return write_session(tmp_path_factory.mktemp('recorded') / 'session', plans)


@pytest.fixture
def make(session, tmp_path):
    """Return a function that writes the session in a format."""

    def write(format_=Format.LEROBOT_V21, codec=None):
        options = Options(workers=1, codec=codec)
        return write_recording(open_session(session), tmp_path / 'set', format_, options=options)

    return write


def change_column(path, key, change):
    table = pq.read_table(path)
    values = change(np.array(table.column(key).to_pylist()))
    column = pa.array(values.tolist(), table.schema.field(key).type)
    pq.write_table(table.set_column(table.column_names.index(key), key, column), path)


def put(place, value):
    def change(values):
        values[place] = value
        return values

    return change


def repaired(folder, name):
    """Run the repair of the finding `name`, and return the findings of what it wrote."""
    finding = next(finding for finding in check(folder) if finding.name == name)
    text = finding.repair[finding.repair.index('chefmate dataset') :]
    command = shlex.split(text.replace('WHAT TO DO', 'pick up the bread'))
    assert main([*command[1:], '--workers', '1']) == 0
    return [finding.name for finding in check(Path(f'{folder}-repaired'))]


@pytest.mark.parametrize('format_', Format)
def test_swapped_cameras_are_exchanged(make, format_):
    folder = make(format_)
    assert [f.name for f in check(folder)] == ['swapped-cameras']
    assert repaired(folder, 'swapped-cameras') == []


@pytest.mark.parametrize(
    ('name', 'key', 'change'),
    [
        ('not-finite', 'action', put(5, np.nan)),
        ('timestamps-off', 'timestamp', put(5, 0.9)),
        ('wrong-index', 'index', put(5, 900)),
        ('stale-statistics', 'action', lambda values: values * 0.9),
        ('unknown-task', 'task_index', put(slice(None), 4)),
        ('joint-outside-calibration', 'observation.state', put(5, [0, 0, 150, 0, 0, 50])),
    ],
)
def test_rows_that_break_training_are_mended_or_left_out(make, name, key, change):
    folder = make()
    change_column(folder / ROWS, key, change)
    left = repaired(folder, name)
    assert set(left) <= {'swapped-cameras'}  # in the recording, and not what was asked for


def test_a_damaged_video_is_left_out(make):
    folder = make()
    video = folder / 'videos/chunk-000/observation.images.wrist/episode_000001.mp4'
    video.write_bytes(video.read_bytes()[:3000])
    assert 'unreadable-video' not in repaired(folder, 'unreadable-video')


def test_a_codec_that_groot_refuses_is_compressed_anew(make):
    folder = make(Format.GROOT, VideoCodec.AV1)
    assert 'refused-codec' not in repaired(folder, 'refused-codec')


@pytest.mark.parametrize('file', ['meta/stats.json'])
def test_missing_statistics_are_made(make, file):
    folder = make(Format.LEROBOT_V30)
    (folder / file).unlink()
    assert 'missing-statistics' not in repaired(folder, 'missing-statistics')


def test_an_episode_that_never_moves_is_left_out(session, tmp_path):
    folder = shutil.copytree(session, tmp_path / 'session')
    still = write_session(tmp_path / 'other', [EpisodePlan(idle_s=99.0)])
    shutil.copytree(still / 'episode_000000', folder / 'episode_000004')
    entry = json.loads((still / 'episode_000000.json').read_text()) | {'index': 4}
    (folder / 'episode_000004.json').write_text(json.dumps(entry))
    out = write_recording(
        open_session(folder), tmp_path / 'set', Format.LEROBOT_V30, options=Options(workers=1)
    )
    assert repaired(out, 'no-motion') == ['swapped-cameras']
