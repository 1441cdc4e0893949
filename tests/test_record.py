"""Recording with real processes: the node's services, the launch, the keys, a kill."""

import io
import json
import os
import pty
import select
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import rclpy
from deployment import ROOT, Command
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rosbags.highlevel import AnyReader
from sensor_msgs.msg import CompressedImage, JointState
from std_msgs.msg import String
from std_srvs.srv import Trigger

from chefmate.cli.record import launch_arguments
from chefmate.cli.recording.keys import Key, read_key
from chefmate.cli.recording.view import recording_line, recording_view
from chefmate_core.errors import ConfigurationError
from chefmate_core.recording.repair import repair_session
from chefmate_ros import qos
from chefmate_ros.image_messages import image_header
from chefmate_ros.joint_messages import joint_state
from chefmate_ros.jpeg_messages import jpeg_message

NODE = 'import sys; from chefmate.start import recorder_node; sys.exit(recorder_node())'
PATIENCE_S = 60.0
system = pytest.mark.system


class Robot:
    """Publishes what an arm and two cameras would, and calls the recorder."""

    def __init__(self, domain):
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain)
        self.node = rclpy.create_node('robot', context=self._context)
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._joints = [
            self.node.create_publisher(JointState, f'follower/{name}', qos.STATE)
            for name in ('joint_states', 'joint_commands_applied')
        ]
        self._cameras = {
            name: self.node.create_publisher(
                CompressedImage, f'{name}/image_raw/compressed', qos.IMAGE
            )
            for name in ('wrist', 'scene')
        }
        self._instruction = self.node.create_publisher(String, 'policy/instruction', qos.LATCHED)
        self.pulled = set()
        self.sent = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._publish, daemon=True)
        self._thread.start()

    def say(self, instruction):
        self._instruction.publish(String(data=instruction))

    def _publish(self):
        rng = np.random.default_rng(1)
        while not self._stop.wait(0.02):
            stamp = self.node.get_clock().now()
            for writer in self._joints:
                writer.publish(
                    joint_state(stamp.to_msg(), np.full(6, 0.01 * self.sent), np.zeros(6))
                )
            for name, writer in self._cameras.items():
                if name not in self.pulled:
                    image = rng.integers(0, 256, (48, 64, 3), np.uint8)
                    writer.publish(jpeg_message(image, image_header(stamp.nanoseconds, name), 60))
            self.sent += 1

    def call(self, name):
        client = self.node.create_client(Trigger, f'recorder/{name}')
        assert client.wait_for_service(PATIENCE_S)
        future = client.call_async(Trigger.Request())
        self._executor.spin_until_future_complete(future, PATIENCE_S)
        assert future.done(), f'{name} was not answered'
        return future.result()

    def start(self):
        """Start an episode as soon as the recorder hears everybody."""
        end_s = time.monotonic() + PATIENCE_S
        while not (answer := self.call('start_recording')).success:
            assert time.monotonic() < end_s, answer.message
            time.sleep(0.1)
        before = self.sent
        while self.sent < before + 30:
            time.sleep(0.05)
        return answer

    def close(self):
        self._stop.set()
        self._thread.join()
        self._executor.shutdown(timeout_sec=0)
        self.node.destroy_node()
        rclpy.try_shutdown(context=self._context)


@pytest.fixture
def robot(domain):
    made = Robot(domain)
    yield made
    made.close()


@pytest.fixture
def recorder(environment, tmp_path):
    """Start the node alone; ended in order, it must end with exit code 0."""
    running = []

    def start(**parameters):
        values = {
            'session': tmp_path / 'session',
            'follower_calibration': ROOT / 'calibration/follower.json',
            'stop_free_mb': 1.0,
            'camera_rate_hz': 50.0,
            'state_rate_hz': 50.0,
            'stall_timeout_s': 5.0,
            **parameters,
        }
        words = [word for key, value in values.items() for word in ('-p', f'{key}:={value}')]
        running.append(
            subprocess.Popen(
                [sys.executable, '-c', NODE, '--ros-args', *words],
                env=environment,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
        return running[-1]

    yield start
    for process in running:
        process.terminate()
        process.communicate(timeout=PATIENCE_S)


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
    command.wait(115.0)
    assert (session / 'episode_000000/metadata.yaml').exists(), command.output
    found = {topic for topic, _ in messages(session / 'episode_000000')}
    assert {'/leader/joint_states', '/wrist/image_raw/compressed', '/diagnostics'} <= found
    content = json.loads((session / 'session.json').read_text())
    assert content['cameras']['scene'] == {'width': 640, 'height': 480}


@system
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
    command.wait(115.0)  # how the task ends is not what is tested here
    record = json.loads((session / 'episode_000000.json').read_text())
    assert record['instruction'] == 'pick up the bread slice'
    assert record['report']['gate']['counters']['accepted'] > 0
    assert json.loads((session / 'session.json').read_text())['source'] == 'policy'
    assert '/follower/joint_commands' in {
        topic for topic, _ in messages(session / 'episode_000000')
    }


class Terminal(Command):
    """`chefmate` with a terminal in front of it."""

    def __init__(self, environment, *words):
        self.lines = []
        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            ['chefmate', *words],
            env={**environment, 'TERM': 'xterm'},
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            start_new_session=True,
        )
        os.close(theirs)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        while select.select((self._ours,), (), (), None)[0]:
            try:
                self.lines.append(os.read(self._ours, 65536).decode(errors='replace'))
            except OSError:
                return  # it has ended

    def press(self, keys):
        os.write(self._ours, keys)


@system
def test_keys_begin_finish_discard_and_quit(robot, recorder, environment, tmp_path):
    recorder(instruction='pick up the cheese')
    terminal = Terminal(environment, 'record', '--attach')
    session = tmp_path / 'session'

    def press_until(keys, pattern, there=True):
        end_s = time.monotonic() + PATIENCE_S
        while any(session.glob(pattern)) is not there:
            assert time.monotonic() < end_s, terminal.output[-2000:]
            terminal.press(keys)
            time.sleep(3.0)  # longer than the state takes to come back to the terminal

    try:
        press_until(b'\x1b[C', '.open_episode_000000')
        press_until(b'\x1b[C', 'episode_000000')
        press_until(b'\x1b[C', '.open_episode_000001')
        press_until(b'\x1b[D', '.open_episode_000001', there=False)
        press_until(b'\x1b[C', '.open_episode_000001')
        terminal.press(b'\x1b')
        assert terminal.wait(PATIENCE_S) == 0
    finally:
        terminal.end()
    assert (session / 'episode_000001/metadata.yaml').exists()
    assert not (session / 'episode_000002').exists()


@pytest.mark.parametrize(
    ('pressed', 'key'),
    [
        (b'\x1b[C', Key.NEXT),
        (b'\x1bOC', Key.NEXT),
        (b'\x1b[D', Key.REDO),
        (b'\x1b', Key.QUIT),
        (b'\x1b[A', None),
        (b'x', None),
    ],
)
def test_keys_are_known_by_their_bytes(pressed, key):
    ours, theirs = os.pipe()
    os.write(theirs, pressed)
    assert read_key(ours, 1.0) is key
    os.close(theirs)
    assert read_key(ours, 1.0) is Key.QUIT  # the terminal was closed
    os.close(ours)


class Arguments:
    """What argparse would hand over."""

    def __init__(self, *words, overwrite=False, attach=False):
        self.arguments, self.overwrite, self.attach = list(words), overwrite, attach


def test_the_command_line_names_the_session_and_what_else_is_wanted():
    found = launch_arguments(Arguments('there', 'episodes:=3', overwrite=True))
    assert found == {'session': 'there', 'episodes': '3', 'overwrite': 'true'}


@pytest.mark.parametrize(
    'arguments',
    [
        Arguments('one', 'two'),
        Arguments('one', 'session:=two'),
        Arguments(overwrite=True),
        Arguments('one', attach=True),
    ],
)
def test_command_lines_that_mean_nothing_are_refused(arguments):
    with pytest.raises(ConfigurationError):
        launch_arguments(arguments)


def test_the_view_shows_time_rates_drops_disk_and_failures():
    from rich.console import Console

    console = Console(width=100, record=True, file=io.StringIO())
    values = {
        'state': 'recording', 'episode': '3', 'elapsed_s': '12.5', 'episode_time_s': '30',
        'episodes': '5', 'saved': '2', 'instruction': 'pick up the cheese', 'session': 'there',
        'rate_hz wrist/image_raw/compressed': '29.9', 'missing wrist/image_raw/compressed': '7',
        'free_mb': '2048', 'written_mb': '50', 'last': '2', 'last_failure': 'episode 2 FAILED',
    }  # fmt: skip
    console.print(recording_view(values, 0, 'recording', ['a line']))
    text = console.export_text()
    for word in ('12.5 s', '29.9', '7', '2.0 GiB', 'FAILED', '2 of 5 saved', 'a line', 'cheese'):
        assert word in text
    assert '7 missing' in recording_line(values, 'recording')
    console.print(recording_view({}, 3, 'the recorder is not up yet', []))
    assert 'not up yet' in console.export_text()


def test_the_recipe_for_ros2_bag_names_every_topic_that_is_recorded():
    from chefmate_core.recording.topics import recorded_topics

    text = (Path(ROOT) / 'docs/recording.md').read_text()
    for topic in recorded_topics(['wrist', 'scene'], 30.0, 100.0, leader=True):
        assert '/' + topic.name.lstrip('/') in text
