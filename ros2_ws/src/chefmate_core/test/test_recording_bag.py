"""Bags as others read them: the wheel `rosbags`, and the MCAP library's own reader."""

import json
from pathlib import Path

import numpy as np
import pytest
import recording_rig as rig
import yaml
from mcap.reader import make_reader
from rosbags.highlevel import AnyReader

from chefmate_core.recording.session import episode_name


@pytest.fixture
def recorded(tmp_path):
    recorder = rig.make_recorder(tmp_path / 'session')
    record = list(rig.episode_messages())
    rig.record(recorder, record)
    recorder.close()
    return tmp_path / 'session', record


def test_rosbags_reads_every_message_as_it_was_given(recorded):
    session, given = recorded
    with AnyReader([session / episode_name(0)]) as reader:
        found = [
            (connection.topic.lstrip('/'), log_ns, bytes(data))
            for connection, log_ns, data in reader.messages()
            if connection.topic != '/policy/instruction'
        ]
        one = next(reader.messages([c for c in reader.connections if 'states' in c.topic]))
        joints = reader.deserialize(one[2], one[0].msgtype)
    assert sorted(found) == sorted((each.name, each.log_ns, each.data) for each in given)
    assert len(joints.position) == 6


def test_the_instruction_in_force_is_in_the_bag(recorded):
    session, _ = recorded
    with AnyReader([session / episode_name(0)]) as reader:
        said = [
            reader.deserialize(data, connection.msgtype).data
            for connection, _, data in reader.messages()
            if connection.topic == '/policy/instruction'
        ]
    assert said == ['pick up the cheese']


def test_metadata_is_version_9_as_jazzy_writes_it(recorded):
    session, given = recorded
    content = yaml.safe_load((session / episode_name(0) / 'metadata.yaml').read_text())
    info = content['rosbag2_bagfile_information']
    assert (info['version'], info['storage_identifier'], info['ros_distro']) == (
        9,
        'mcap',
        'jazzy',
    )
    assert info['message_count'] == len(given) + 1  # and the instruction
    assert info['relative_file_paths'] == ['episode_000000_0.mcap']
    assert info['files'][0]['message_count'] == info['message_count']
    assert info['starting_time']['nanoseconds_since_epoch'] == rig.START_NS
    topics = {
        entry['topic_metadata']['name']: entry for entry in info['topics_with_message_count']
    }
    assert topics['/follower/joint_states']['message_count'] == 100
    assert topics['/follower/joint_commands']['message_count'] == 0  # listed all the same
    profile = topics['/policy/instruction']['topic_metadata']['offered_qos_profiles'][0]
    assert (profile['durability'], profile['reliability']) == ('transient_local', 'reliable')
    assert profile['liveliness_lease_duration'] == {'sec': 9223372036, 'nsec': 854775807}


def test_the_mcap_file_alone_is_whole_and_in_order_of_time(recorded):
    session, given = recorded
    path = session / episode_name(0) / 'episode_000000_0.mcap'
    with path.open('rb') as stream:
        reader = make_reader(stream, validate_crcs=True)
        assert reader.get_header().profile == 'ros2'
        times_ns = [message.log_time for _, _, message in reader.iter_messages()]
    assert times_ns == sorted(times_ns)
    assert len(times_ns) == len(given) + 1


def test_session_json_says_what_data_sets_need(recorded):
    session, _ = recorded
    content = json.loads((session / 'session.json').read_text())
    assert content['cameras'] == {
        'wrist': {'width': 64, 'height': 48},
        'scene': {'width': 64, 'height': 48},
    }
    assert (content['fps'], content['units'], content['source']) == (30, 'rad', 'teleop')
    assert content['follower_calibration'] == rig.CALIBRATION


def test_the_episodes_report_is_what_was_recorded(recorded):
    session, _ = recorded
    record = json.loads((session / 'episode_000000.json').read_text())
    assert (record['index'], record['outcome']) == (0, 'saved')
    assert record['instruction'] == 'pick up the cheese'
    assert record['started'] == pytest.approx(rig.START_NS * 1e-9)
    report = record['report']
    for name in ('follower/joint_states', 'wrist/image_raw/compressed'):
        assert report['topics'][name]['missing'] == 0
    assert report['topics']['follower/joint_states']['rate_hz'] == pytest.approx(100.0, rel=1e-3)
    assert report['sync']['wrist-joints']['max_ms'] < 10.1
    assert np.isfinite(report['idle_head_s'])


def test_nothing_but_the_contracts_files_is_left(recorded):
    session, _ = recorded
    names = {path.relative_to(session) for path in session.rglob('*') if path.is_file()}
    assert names == {
        Path('.lock'),
        Path('session.json'),
        Path('episode_000000.json'),
        Path('episode_000000/metadata.yaml'),
        Path('episode_000000/episode_000000_0.mcap'),
    }
