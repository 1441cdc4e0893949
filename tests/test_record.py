"""Recording with real processes: the node's services, the launch, the keys, a kill."""

import json
import signal
import time
from pathlib import Path

import pytest
from deployment import ROOT
from rosbags.highlevel import AnyReader

from chefmate_core.recording.repair import repair_session

pytest_plugins = ['recorder_fixtures']
PATIENCE_S = 60.0
system = pytest.mark.system
patient = pytest.mark.timeout(300)


def messages(folder):
    with AnyReader([folder]) as reader:
        return [
            (connection.topic, reader.deserialize(data, connection.msgtype))
            for connection, _, data in reader.messages()
        ]


@system
def test_services_record_discard_and_continue(robot, recorder, tmp_path):
    session = tmp_path / 'session'
    recorder(instruction='pick up the cheese')
    assert 'episode 0' in robot.start().message
    assert not robot.call('start_recording').success
    answer = robot.call('stop_recording')
    assert answer.success and 'saved' in answer.message
    robot.start()
    assert robot.call('discard_episode').success
    assert not (session / 'episode_000001').exists()
    robot.say('pick up the bread')
    robot.start()
    assert robot.call('stop_recording').success
    found = messages(session / 'episode_000001')
    counts = {topic: sum(name == topic for name, _ in found) for topic, _ in found}
    assert counts['/follower/joint_states'] >= 20
    assert counts['/wrist/image_raw/compressed'] >= 20
    said = [message.data for topic, message in found if topic == '/policy/instruction']
    assert set(said) == {'pick up the bread'}
    stamps = [m.header.stamp.sec for topic, m in found if topic == '/scene/image_raw/compressed']
    assert all(abs(stamp - time.time()) < 600 for stamp in stamps)


@system
def test_a_recorder_that_is_ended_in_the_middle_saves_the_episode(robot, recorder, tmp_path):
    process = recorder(instruction='pick up the cheese')
    robot.start()
    process.terminate()
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0
    record = json.loads((tmp_path / 'session/episode_000000.json').read_text())
    assert record['ended_by'] == 'the recorder was ended'
    assert messages(tmp_path / 'session/episode_000000')


@system
def test_a_recorder_that_is_killed_leaves_what_can_be_repaired(robot, recorder, tmp_path):
    session = tmp_path / 'session'
    process = recorder(instruction='pick up the cheese')
    robot.start()
    robot.call('stop_recording')
    whole = len(messages(session / 'episode_000000'))
    robot.start()
    bag = session / '.open_episode_000001/episode_000001_0.mcap'
    end_s = time.monotonic() + PATIENCE_S
    while bag.stat().st_size < 50_000:
        assert time.monotonic() < end_s
        time.sleep(0.1)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert repair_session(session).finished == [0]
    assert len(messages(session / 'episode_000000')) == whole
    assert messages(session / 'episode_000001')


@system
def test_a_pulled_camera_ends_the_episode(robot, recorder, tmp_path):
    recorder(instruction='pick up the cheese', stall_timeout_s=1.5)
    robot.start()
    robot.pulled.add('wrist')
    path = tmp_path / 'session/episode_000000.json'
    end_s = time.monotonic() + PATIENCE_S
    while not path.exists():
        assert time.monotonic() < end_s
        time.sleep(0.1)
    assert 'wrist/image_raw/compressed fell silent' in path.read_text()
    answer = robot.call('start_recording')
    assert not answer.success and 'wrist/image_raw/compressed' in answer.message


@system
def test_a_folder_of_something_else_is_refused_with_exit_code_1(recorder, tmp_path):
    (tmp_path / 'session').mkdir()
    (tmp_path / 'session/thesis.txt').write_text('mine')
    process = recorder(instruction='pick up the cheese')
    _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert 'thesis.txt' in said


@system
@patient
def test_a_virtual_leader_is_recorded_by_the_clock(chefmate, tmp_path):
    session = tmp_path / 'session'
    command = chefmate(
        'record',
        str(session),
        'episodes:=1',
        'episode_time_s:=3.0',
        'autostart:=true',
        f'run_dir:={tmp_path / "run"}',
    )
    command.wait(200.0)
    assert (session / 'episode_000000/metadata.yaml').exists(), command.output
    found = {topic for topic, _ in messages(session / 'episode_000000')}
    assert {'/leader/joint_states', '/wrist/image_raw/compressed', '/diagnostics'} <= found
    content = json.loads((session / 'session.json').read_text())
    assert content['cameras']['scene'] == {'width': 640, 'height': 480}


@system
@patient
def test_the_task_of_a_policy_is_recorded_from_its_first_moment_to_its_end(chefmate, tmp_path):
    session = tmp_path / 'session'
    command = chefmate(
        'deploy',
        '--headless',
        'instruction:=pick up the bread slice',
        'record:=true',
        'max_duration_s:=20.0',
        f'session:={session}',
        f'run_dir:={tmp_path / "run"}',
    )
    command.wait(200.0)  # how the task ends is not what is tested here
    record = json.loads((session / 'episode_000000.json').read_text())
    assert record['instruction'] == 'pick up the bread slice'
    assert record['report']['gate']['counters']['accepted'] > 0
    assert json.loads((session / 'session.json').read_text())['source'] == 'policy'
    assert '/follower/joint_commands' in {
        topic for topic, _ in messages(session / 'episode_000000')
    }


def test_the_recipe_for_ros2_bag_names_every_topic_that_is_recorded():
    from chefmate_core.recording.topics import recorded_topics

    text = (Path(ROOT) / 'docs/recording.md').read_text()
    for topic in recorded_topics(['wrist', 'scene'], 30.0, 100.0, leader=True):
        assert '/' + topic.name.lstrip('/') in text
