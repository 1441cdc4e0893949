"""The DDS client against real ROS nodes (rclpy, Fast DDS), in both directions."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
import rclpy
from builtin_interfaces.msg import Duration as RosDuration
from builtin_interfaces.msg import Time as RosTime
from rclpy.context import Context
from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
from rosgraph_msgs.msg import Clock as RosClock
from sensor_msgs.msg import CompressedImage as RosCompressedImage
from sensor_msgs.msg import Image as RosImage
from sensor_msgs.msg import JointState as RosJointState
from std_msgs.msg import Bool as RosBool
from std_msgs.msg import Header as RosHeader
from std_msgs.msg import String as RosString
from trajectory_msgs.msg import JointTrajectory as RosJointTrajectory
from trajectory_msgs.msg import JointTrajectoryPoint as RosJointTrajectoryPoint

from chefmate_core import qos_table
from chefmate_core.dds import dds_environment
from chefmate_core.dds_client import stamps
from chefmate_core.dds_client.discovery import discovery
from chefmate_core.dds_client.errors import DdsError
from chefmate_core.dds_client.images import CompressedImage, Image
from chefmate_core.dds_client.joint_state_client import JointStateClient
from chefmate_core.dds_client.messages import (
    Bool,
    Clock,
    Duration,
    Header,
    JointState,
    JointTrajectory,
    JointTrajectoryPoint,
    String,
    Time,
)
from chefmate_core.dds_client.mismatch import mismatches
from chefmate_core.dds_client.participant import Participant
from chefmate_core.errors import ConfigurationError
from chefmate_core.joints import ISAAC_JOINT_NAMES, JOINT_NAMES
from chefmate_ros.qos import profile

pytestmark = pytest.mark.system

REPOSITORY = Path(__file__).resolve().parents[1]
CONFIG = REPOSITORY / 'ros2_ws' / 'src' / 'chefmate' / 'config'
PATIENCE_S = 30.0


class Ros:
    """A ROS node that spins in a thread."""

    def __init__(self, domain):
        self._context = Context()
        rclpy.init(context=self._context, domain_id=domain)
        self.node = rclpy.create_node('other_side', context=self._context)
        self._others = []  # functions that count who is on the other end
        self._executor = SingleThreadedExecutor(context=self._context)
        self._executor.add_node(self.node)
        self._thread = threading.Thread(target=self._spin, daemon=True)
        self._thread.start()

    def _spin(self):
        with contextlib.suppress(ExternalShutdownException):
            self._executor.spin()

    def hear(self, name, kind, row=qos_table.EVERY_STATE):
        heard = []
        made = self.node.create_subscription(kind, name, heard.append, profile(row))
        self._others.append(made.get_publisher_count)
        return heard

    def speak(self, name, kind, row=qos_table.STATE):
        made = self.node.create_publisher(kind, name, profile(row))
        self._others.append(made.get_subscription_count)
        return made

    def is_connected(self):
        """Whether each of our topics has somebody on its other end."""
        return all(count() for count in self._others)

    def close(self):
        self._executor.shutdown(timeout_sec=0)
        self._thread.join(timeout=5.0)
        self.node.destroy_node()
        rclpy.try_shutdown(context=self._context)


@pytest.fixture
def ros(domain):
    ros = Ros(domain)
    yield ros
    ros.close()


@pytest.fixture
def variables(domain):
    return {'ROS_DOMAIN_ID': str(domain), 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}


@pytest.fixture
def dds(variables):
    with Participant(environment=variables) as participant:
        yield participant


@pytest.fixture
def start(environment):
    """Run Python code in a process of its own that is killed after the test."""
    running = []

    def run(code, *words, **more):
        more_environment = {**environment, **dds_environment(CONFIG), **more}
        process = subprocess.Popen(
            [sys.executable, '-c', code, *words],
            env=more_environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        running.append(process)
        return process

    yield run
    for process in running:
        process.kill()
        process.communicate()


def until(dds, condition, what):
    assert dds.spin_until(condition, PATIENCE_S), f'{what} did not happen'


def connected(dds, ros=None):
    """Wait until both sides know of each other: they do not learn it at the same instant."""
    assert dds.wait_until_connected(PATIENCE_S), mismatches(dds)
    if ros is not None:
        until(dds, ros.is_connected, 'that ROS knows of us, too,')


# What both sides call the same, and how rclpy spells its fields' types.
PAIRS = [
    (Time, RosTime),
    (Duration, RosDuration),
    (Header, RosHeader),
    (Bool, RosBool),
    (String, RosString),
    (Clock, RosClock),
    (JointState, RosJointState),
    (JointTrajectoryPoint, RosJointTrajectoryPoint),
    (JointTrajectory, RosJointTrajectory),
    (Image, RosImage),
    (CompressedImage, RosCompressedImage),
]


def spelled(annotation):
    """Return an annotation of cyclonedds as rclpy spells that type."""
    if hasattr(annotation, '__idl_typename__'):
        return annotation.__idl_typename__.replace('.msg.dds_.', '/').removesuffix('_')
    if annotation in (str, bool):
        return {str: 'string', bool: 'boolean'}[annotation]
    kind = annotation.__metadata__[0]
    if hasattr(kind, 'subtype'):
        return f'sequence<{spelled(kind.subtype)}>'
    return {'float64': 'double'}.get(kind, kind)


@pytest.mark.parametrize('ours, theirs', PAIRS, ids=lambda kind: kind.__name__)
def test_a_message_has_the_name_and_the_fields_of_ros(ours, theirs):
    module = theirs.__module__.split('.')[0]
    assert ours.__idl_typename__ == f'{module}.msg.dds_.{theirs.__name__}_'
    fields = {name: spelled(kind) for name, kind in ours.__annotations__.items()}
    assert list(fields.items()) == list(theirs.get_fields_and_field_types().items())


STATES = [
    (['Rotation', 'Jaw'], [0.25, -1.5], [0.0, 2.0], []),
    (['Jaw'], [1.0], [], []),
    ([], [], [], []),
    (['Gelenk für Käse', '関節'], [float('inf'), -0.0], [], [1e-300, 5.0]),
]


def test_joint_states_pass_both_ways_with_every_value(dds, ros):
    heard = ros.hear('here_to_ros', RosJointState)
    here_to_ros = dds.publisher('here_to_ros', JointState, qos_table.STATE)
    ros_to_here = ros.speak('ros_to_here', RosJointState)
    here = []
    dds.subscription('ros_to_here', JointState, qos_table.EVERY_STATE, here.append)
    connected(dds, ros)
    stamp = RosTime(sec=5, nanosec=999_999_999)
    sent = [
        RosJointState(
            header=RosHeader(stamp=stamp, frame_id='ä'),
            name=name,
            position=position,
            velocity=velocity,
            effort=effort,
        )
        for name, position, velocity, effort in STATES
    ]
    for message in sent:
        ros_to_here.publish(message)
    until(dds, lambda: len(here) == len(STATES), 'all messages from ROS')
    assert here == [JointState(Header(Time(5, 999_999_999), 'ä'), *state) for state in STATES]
    for message in here:
        here_to_ros.publish(message)
    until(dds, lambda: len(heard) == len(STATES), 'all messages to ROS')
    assert heard == sent


def test_a_chunk_passes_both_ways(dds, ros):
    heard = ros.hear('here_to_ros', RosJointTrajectory, qos_table.CHUNK)
    here_to_ros = dds.publisher('here_to_ros', JointTrajectory, qos_table.CHUNK)
    ros_to_here = ros.speak('ros_to_here', RosJointTrajectory, qos_table.CHUNK)
    here = []
    dds.subscription('ros_to_here', JointTrajectory, qos_table.CHUNK, here.append)
    connected(dds, ros)
    rows = [([0.1 * i] * 6, Duration(i // 30, i * 33_333_333 % 10**9)) for i in range(16)]
    chunk = JointTrajectory(
        Header(Time(1, 2), 'base'),
        list(ISAAC_JOINT_NAMES),
        [JointTrajectoryPoint(positions=row, time_from_start=at) for row, at in rows],
    )
    here_to_ros.publish(chunk)
    until(dds, lambda: heard, 'a chunk to ROS')
    assert [list(point.positions) for point in heard[0].points] == [row for row, _ in rows]
    ros_to_here.publish(heard[0])
    until(dds, lambda: here, 'a chunk from ROS')
    assert here[0] == chunk


def test_the_clock_of_a_simulation_passes_both_ways(dds, ros):
    heard = ros.hear('/here_to_ros', RosClock)
    here_to_ros = dds.publisher('/here_to_ros', Clock, qos_table.STATE)
    ros_to_here = ros.speak('/ros_to_here', RosClock)
    here = []
    dds.subscription('/ros_to_here', Clock, qos_table.LATEST_STATE, here.append)
    connected(dds, ros)
    here_to_ros.publish(Clock(stamps.to_stamp(1_500_000_001)))
    until(dds, lambda: heard, 'the time to ROS')
    ros_to_here.publish(heard[0])
    until(dds, lambda: here, 'the time from ROS')
    assert stamps.from_stamp(here[0].clock) == 1_500_000_001


def repeated(dds, publish, arrived):
    """Publish until it arrives: two ends do not learn of each other at the same instant."""
    end_s = time.monotonic() + PATIENCE_S
    while not arrived():
        assert time.monotonic() < end_s, 'nothing arrived'
        publish()
        dds.spin_until(arrived, 0.3)


def test_pictures_pass_both_ways_with_every_pixel(dds, ros):
    heard = ros.hear('here_to_ros', RosImage, qos_table.EVERY_IMAGE)
    here_to_ros = dds.publisher('here_to_ros', Image, qos_table.IMAGE)
    ros_to_here = ros.speak('ros_to_here', RosImage, qos_table.IMAGE)
    here = []
    dds.subscription('ros_to_here', Image, qos_table.EVERY_IMAGE, here.append)
    connected(dds, ros)
    pixels = np.random.default_rng(3).integers(0, 256, (480, 640, 3), dtype=np.uint8)
    picture = Image.from_rgb(stamps.header(frame_id='wrist_camera_optical_frame'), pixels)
    repeated(dds, lambda: here_to_ros.publish(picture), lambda: heard)
    assert (heard[0].width, heard[0].height, heard[0].step) == (640, 480, 1920)
    assert heard[0].encoding == 'rgb8'
    assert bytes(heard[0].data) == pixels.tobytes()
    repeated(dds, lambda: ros_to_here.publish(heard[0]), lambda: here)
    assert here[0] == picture
    assert (here[0].rgb() == pixels).all()


def test_compressed_pictures_pass_both_ways(dds, ros):
    heard = ros.hear('here_to_ros', RosCompressedImage, qos_table.EVERY_IMAGE)
    here_to_ros = dds.publisher('here_to_ros', CompressedImage, qos_table.COMPRESSED_IMAGE)
    ros_to_here = ros.speak('ros_to_here', RosCompressedImage, qos_table.COMPRESSED_IMAGE)
    here = []
    dds.subscription('ros_to_here', CompressedImage, qos_table.EVERY_IMAGE, here.append)
    connected(dds, ros)
    file = CompressedImage(stamps.header(), 'rgb8; jpeg compressed', os.urandom(50_001))
    repeated(dds, lambda: here_to_ros.publish(file), lambda: heard)
    assert bytes(heard[0].data) == file.data
    repeated(dds, lambda: ros_to_here.publish(heard[0]), lambda: here)
    assert here[0] == file


ROS_PICTURES = """
import array, sys, time
import rclpy
from sensor_msgs.msg import Image
from chefmate_ros import qos
rclpy.init()
node = rclpy.create_node('pictures')
count = int(sys.argv[2])
if sys.argv[1] == 'publish':
    image = Image(height=480, width=640, encoding='rgb8', step=1920)
    image.data = array.array('B', bytes(921600))
    publisher = node.create_publisher(Image, 'pictures', qos.IMAGE)
    while not publisher.get_subscription_count():
        time.sleep(0.01)
    time.sleep(0.5)
    for number in range(count):
        image.header.frame_id = str(number)
        publisher.publish(image)
        time.sleep(1 / 30)
    time.sleep(5)
else:
    seen = set()
    node.create_subscription(
        Image, 'pictures', lambda image: seen.add(image.header.frame_id), qos.EVERY_IMAGE
    )
    print('listening', flush=True)
    while str(count - 1) not in seen:
        rclpy.spin_once(node)
    print(len(seen), flush=True)
"""


def test_pictures_from_ros_arrive_at_their_rate(dds, start):
    count = 60
    numbers = set()
    dds.subscription(
        'pictures', Image, qos_table.EVERY_IMAGE, lambda image: numbers.add(image.header.frame_id)
    )
    start(ROS_PICTURES, 'publish', str(count))
    until(dds, lambda: str(count - 1) in numbers, 'the last picture')
    assert len(numbers) > 0.9 * count, f'{count - len(numbers)} of {count} pictures were lost'


def test_pictures_to_a_ros_node_with_the_profile_arrive_at_their_rate(dds, start):
    count = 60
    publisher = dds.publisher('pictures', Image, qos_table.IMAGE)
    listener = start(ROS_PICTURES, 'listen', str(count))
    assert listener.stdout.readline() == 'listening\n'
    connected(dds)
    time.sleep(0.5)
    pixels = np.zeros((480, 640, 3), np.uint8)
    for number in range(count):
        publisher.publish(Image.from_rgb(stamps.header(frame_id=str(number)), pixels))
        time.sleep(1 / 30)
    arrived = int(listener.stdout.readline())
    assert arrived > 0.9 * count, f'{count - arrived} of {count} pictures were lost'


def test_who_comes_late_learns_what_is_in_force_here_as_there(variables, ros):
    text = 'Lege den Käse auf das Brot 🧀'
    ros.speak('emergency_stop_active', RosBool, qos_table.LATCHED).publish(RosBool(data=True))
    with Participant(environment=variables) as early:
        early.publisher('policy/instruction', String, qos_table.LATCHED).publish(String(text))
        time.sleep(0.5)
        heard = ros.hear('policy/instruction', RosString, qos_table.LATCHED)
        until(early, lambda: heard, 'the instruction')
        assert heard[0].data == text
    with Participant(environment=variables) as late:
        here = []
        late.subscription('emergency_stop_active', Bool, qos_table.LATCHED, here.append)
        until(late, lambda: here, 'the state of the emergency stop')
        assert here == [Bool(True)]


ROS_COUNTER = """
import sys, time
import rclpy
from sensor_msgs.msg import JointState
from chefmate_ros import qos
rclpy.init()
node = rclpy.create_node('counter')
publisher = node.create_publisher(JointState, 'numbers', qos.STATE)
while True:
    publisher.publish(JointState(name=[sys.argv[1]], position=[0.0]))
    time.sleep(0.01)
"""


def test_a_ros_node_that_is_killed_is_heard_again_when_it_is_back(dds, start):
    names = set()
    subscription = dds.subscription(
        'numbers', JointState, qos_table.LATEST_STATE, lambda state: names.update(state.name)
    )
    first = start(ROS_COUNTER, 'first')
    until(dds, lambda: 'first' in names, 'the first life')
    first.send_signal(signal.SIGKILL)
    first.wait()
    until(dds, lambda: subscription.age_s > 0.3, 'silence')
    start(ROS_COUNTER, 'second')
    until(dds, lambda: 'second' in names, 'the second life')


CLIENT_COUNTER = """
import sys, time
from chefmate_core import qos_table
from chefmate_core.dds_client.messages import JointState
from chefmate_core.dds_client.participant import Participant
with Participant() as dds:
    publisher = dds.publisher('numbers', JointState, qos_table.STATE)
    while True:
        publisher.publish(JointState(name=[sys.argv[1]], position=[0.0]))
        time.sleep(0.01)
"""


def test_a_client_that_is_killed_is_heard_again_by_ros_when_it_is_back(dds, ros, start):
    heard = ros.hear('numbers', RosJointState)
    first = start(CLIENT_COUNTER, 'first')
    until(dds, lambda: heard, 'the first life')
    first.send_signal(signal.SIGKILL)
    first.wait()
    start(CLIENT_COUNTER, 'second')
    until(dds, lambda: heard[-1].name == ['second'], 'the second life')


def test_ctrl_c_ends_a_client_that_waits(start):
    waiting = start(
        """
from chefmate_core import qos_table
from chefmate_core.dds_client.messages import Bool
from chefmate_core.dds_client.participant import Participant
with Participant() as dds:
    dds.subscription('silence', Bool, qos_table.LATCHED, print)
    print('waiting', flush=True)
    dds.spin_once()
"""
    )
    assert waiting.stdout.readline() == 'waiting\n'
    waiting.send_signal(signal.SIGINT)
    output, _ = waiting.communicate(timeout=PATIENCE_S)
    assert 'KeyboardInterrupt' in output


def test_a_callback_that_fails_loses_no_message_behind_it(dds, ros):
    here = []

    def callback(message):
        if message.data == 'bad':
            raise ArithmeticError('the callback failed')
        here.append(message.data)

    text = dds.subscription('text', String, qos_table.EVERY_STATE, callback)
    publisher = ros.speak('text', RosString)
    connected(dds, ros)
    for word in ('one', 'bad', 'two', 'three'):
        publisher.publish(RosString(data=word))
    with pytest.raises(ArithmeticError):
        dds.spin_until(lambda: False, PATIENCE_S)
    until(dds, lambda: len(here) == 3, 'the other messages')
    assert here == ['one', 'two', 'three']
    assert text.received == 4


def test_another_type_on_the_topic_is_named_and_harms_nothing(dds, ros, domain):
    wrong = ros.speak('state', RosString)
    heard = ros.hear('goals', RosString)
    here = []
    dds.subscription('state', JointState, qos_table.EVERY_STATE, here.append)
    publisher = dds.publisher('goals', JointState, qos_table.STATE)
    until(dds, lambda: len(mismatches(dds)) == 2, 'the mismatch')
    assert sorted(mismatches(dds)) == [
        '/goals: a reader has the type std_msgs/msg/String, here it is sensor_msgs/msg/JointState',
        '/state: a writer has the type std_msgs/msg/String, here it is sensor_msgs/msg/JointState',
    ]
    wrong.publish(RosString(data='x' * 1000))
    publisher.publish(JointState(name=['Jaw'], position=[1.0]))
    other = Ros(domain)  # one ROS process cannot have both types either
    try:
        right = other.speak('state', RosJointState)
        repeated(dds, lambda: right.publish(RosJointState(name=['Jaw'])), lambda: here)
    finally:
        other.close()
    assert all(list(state.name) == ['Jaw'] for state in here)
    assert not heard


def test_a_disagreement_about_quality_is_named(dds, ros):
    ros.speak('state', RosBool, qos_table.LATEST_STATE)
    ros.speak('latched', RosBool, qos_table.STATE)
    ros.hear('goals', RosBool, qos_table.LATCHED)
    dds.subscription('state', Bool, qos_table.EVERY_STATE)
    dds.subscription('latched', Bool, qos_table.LATCHED)
    dds.publisher('goals', Bool, qos_table.STATE)
    until(dds, lambda: len(mismatches(dds)) == 3, 'the mismatch')
    said = '\n'.join(sorted(mismatches(dds)))
    assert '/goals: a reader and we disagree: volatile is offered, transient local' in said
    assert '/latched: a writer and we disagree: volatile is offered, transient local' in said
    assert '/state: a writer and we disagree: best effort is offered, reliable requested' in said
    assert not dds.wait_until_connected(0.1)


def test_where_all_is_connected_there_is_no_mismatch(dds, ros):
    ros.hear('state', RosBool)
    dds.publisher('state', Bool, qos_table.STATE)
    connected(dds, ros)
    assert mismatches(dds) == []


GARBAGE = {
    'not UTF-8': b'\x00\x01\x00\x00' + b'\x03\x00\x00\x00\xff\xfe\x00\x00',
    'too long a length': b'\x00\x01\x00\x00' + b'\xff\xff\xff\x7fabcd',
    'no zero at the end': b'\x00\x01\x00\x00' + b'\x04\x00\x00\x00abcd',
    'nothing': b'\x00\x01\x00\x00',
    'noise': b'\xff\xff\xff\xff' + bytes(range(200, 240)),
}


def test_bytes_that_are_no_message_are_dropped_and_the_next_one_is_read(dds, ros):
    here = []
    text = dds.subscription('text', String, qos_table.EVERY_STATE, here.append)
    publisher = ros.speak('text', RosString)
    connected(dds, ros)
    for what, garbage in GARBAGE.items():
        publisher.publish(garbage)
        publisher.publish(RosString(data=f'behind {what}'))
    until(dds, lambda: here and here[-1].data == 'behind noise', 'the last good message')
    assert [message.data for message in here] == [f'behind {what}' for what in GARBAGE]
    # Cyclone DDS itself drops the others; what is in a string it leaves to the reader.
    assert text.malformed == 1
    assert 'utf-8' in text.last_malformed


@pytest.mark.parametrize(
    'message',
    [JointState(name=[1]), JointState(position=['x']), JointState(Header(Time(2**31, 0)))],
    ids=['name', 'position', 'stamp'],
)
def test_a_message_that_does_not_fit_its_type_is_not_sent(dds, message):
    publisher = dds.publisher('state', JointState, qos_table.STATE)
    with pytest.raises(DdsError, match='/state: JointState cannot be sent'):
        publisher.publish(message)
    with pytest.raises(DdsError, match='/state: Bool cannot be sent'):
        publisher.publish(Bool(True))
    publisher.publish(JointState())
    assert publisher.published == 1


def test_a_reader_that_hangs_does_not_hold_the_publisher(dds, ros, start):
    heard = ros.hear('numbers', RosJointState, qos_table.EVERY_STATE)
    hanging = start(
        """
import rclpy
from sensor_msgs.msg import JointState
from chefmate_ros import qos
rclpy.init()
node = rclpy.create_node('hanging')
node.create_subscription(JointState, 'numbers', lambda message: None, qos.EVERY_STATE)
print('listening', flush=True)
rclpy.spin(node)
"""
    )
    publisher = dds.publisher('numbers', JointState, qos_table.STATE)
    assert hanging.stdout.readline() == 'listening\n'
    until(dds, lambda: publisher.matched == 2, 'two readers')
    hanging.send_signal(signal.SIGSTOP)
    for number in range(300):
        publisher.publish(JointState(position=[float(number)]))
        time.sleep(0.002)
    until(dds, lambda: heard and heard[-1].position[0] == 299.0, 'the last number')


def isaac(arm, ros):
    """Return a function that sends a command from ROS and waits until the arm has judged it."""
    publisher = ros.speak('isaac_joint_command', RosJointState)

    def command(names, positions):
        judged = arm.accepted + arm.refused.total()
        publisher.publish(
            RosJointState(header=RosHeader(stamp=RosTime(sec=7)), name=names, position=positions)
        )
        end_s = time.monotonic() + PATIENCE_S
        while arm.accepted + arm.refused.total() == judged:
            assert time.monotonic() < end_s, 'the command did not arrive'
            time.sleep(0.005)
            goals_rad = arm.goals_rad()
        return goals_rad.tolist()

    return command


def test_a_simulated_arm_follows_named_goals_and_refuses_the_rest(dds, ros):
    arm = JointStateClient(dds)
    ros.hear('isaac_joint_states', RosJointState)
    command = isaac(arm, ros)
    connected(dds, ros)
    assert np.isnan(arm.goals_rad()).all()
    assert arm.stale
    assert arm.stamp_ns == 0
    command(list(reversed(ISAAC_JOINT_NAMES)), [6.0, 5.0, 4.0, 3.0, 2.0, 1.0])
    assert arm.goals_rad().tolist() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    assert arm.stamp_ns == 7_000_000_000
    part = command(['Pitch'], [-2.0])
    assert part == [1.0, -2.0, 3.0, 4.0, 5.0, 6.0]
    for names, positions in (
        (['gripper'], [0.0]),
        (['Jaw', 'Jaw'], [0.0, 0.1]),
        (['Jaw', 'Pitch'], [0.0]),
        (['Jaw'], [float('nan')]),
        ([], [0.0] * 6),
    ):
        assert command(names, positions) == part
    assert arm.refused == {
        'unknown': 1,
        'duplicated': 1,
        'length': 1,
        'not_finite': 1,
        'unnamed': 1,
    }
    assert '/isaac_joint_command: 6 positions without names' in arm.last_refusal
    assert arm.accepted == 2


def test_a_simulated_arm_knows_that_its_commands_have_stopped(dds, ros):
    arm = JointStateClient(dds, stale_s=0.3)
    ros.hear('isaac_joint_states', RosJointState)
    command = isaac(arm, ros)
    connected(dds, ros)
    goals_rad = command(['Jaw'], [0.5])
    until(dds, lambda: arm.stale, 'staleness')
    assert arm.goals_rad()[5] == goals_rad[5] == 0.5


def test_a_simulated_arm_tells_ros_where_it_is(dds, ros):
    arm = JointStateClient(dds, states_topic='twin/isaac_joint_states')
    heard = ros.hear('twin/isaac_joint_states', RosJointState)
    ros.speak('isaac_joint_command', RosJointState)
    connected(dds, ros)
    position_rad = np.linspace(-1.0, 1.0, 6)
    arm.publish(position_rad, np.zeros(6), stamp_ns=3_000_000_001)
    until(dds, lambda: heard, 'the state')
    assert tuple(heard[0].name) == ISAAC_JOINT_NAMES
    assert list(heard[0].position) == position_rad.tolist()
    assert list(heard[0].velocity) == [0.0] * 6
    assert (heard[0].header.stamp.sec, heard[0].header.stamp.nanosec) == (3, 1)


def test_a_simulated_arm_publishes_one_position_for_each_joint_or_nothing(dds):
    arm = JointStateClient(dds, names=('Jaw', 'Elbow'))
    with pytest.raises(ConfigurationError, match='1 positions and 0 velocities for 2 joints'):
        arm.publish([0.0])
    with pytest.raises(ConfigurationError, match='2 positions and 3 velocities'):
        arm.publish([0.0, 0.0], [0.0] * 3)
    with pytest.raises(ConfigurationError, match='each once'):
        JointStateClient(dds, names=('Jaw', 'Jaw'))


def test_the_bridge_mirrors_the_arm_in_a_simulator_without_ros(dds, ros, start):
    """The whole way: driver's topic, bridge, this client as the simulator, bridge, error."""
    errors = ros.hear('twin/joint_error', RosJointState)
    measured = ros.speak('follower/joint_states', RosJointState)
    arm = JointStateClient(dds)
    bridge = (
        'import sys; from chefmate.nodes.joint_state_bridge_node import main; sys.exit(main())'
    )
    start(bridge, '--ros-args', '-p', 'mode:=mirror')
    ours_rad = [0.1, -0.2, 0.3, -0.4, 0.5, 0.6]

    def follow():
        stamp = ros.node.get_clock().now().to_msg()
        measured.publish(
            RosJointState(
                header=RosHeader(stamp=stamp),
                name=list(JOINT_NAMES),
                position=ours_rad,
                velocity=[0.0] * 6,
            )
        )
        goals_rad = arm.goals_rad()
        if not np.isnan(goals_rad).any():
            arm.publish(goals_rad - 0.01)
        dds.spin_once(0.01)
        return errors and list(errors[-1].position) == pytest.approx([0.01] * 6, abs=1e-6)

    assert dds.spin_until(follow, PATIENCE_S), (arm.accepted, errors[-1:])
    assert arm.goals_rad() == pytest.approx(ours_rad)
    assert tuple(errors[-1].name) == JOINT_NAMES
    assert not arm.refused


def test_another_domain_is_not_heard(dds, variables):
    here = []
    dds.subscription('state', Bool, qos_table.LATCHED, here.append)
    other = {**variables, 'ROS_DOMAIN_ID': str((int(variables['ROS_DOMAIN_ID']) + 1) % 100)}
    with Participant(environment=other) as stranger, Participant(environment=variables) as friend:
        stranger.publisher('state', Bool, qos_table.LATCHED).publish(Bool(True))
        friend.publisher('state', Bool, qos_table.LATCHED).publish(Bool(False))
        until(dds, lambda: here, 'a message')
        dds.spin_until(lambda: False, 0.5)
    assert here == [Bool(False)]


def test_one_process_has_one_configuration_of_a_domain(dds, variables):
    with (
        pytest.raises(DdsError, match='another configuration'),
        Participant(environment={**variables, 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET'}),
    ):
        pass


def test_an_interface_that_is_not_there_is_refused(variables):
    variables = {
        **variables,
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET',
        'CHEFMATE_DDS_INTERFACE': '203.0.113.77',
    }
    with pytest.raises(DdsError, match='CHEFMATE_DDS_INTERFACE'):
        Participant(environment=variables)


def test_what_is_closed_says_so_and_may_be_closed_again(variables):
    dds = Participant(environment=variables)
    publisher = dds.publisher('state', Bool, qos_table.STATE)
    subscription = dds.subscription('state', Bool, qos_table.EVERY_STATE)
    dds.close()
    dds.close()
    for use in (
        lambda: publisher.publish(Bool()),
        subscription.take,
        lambda: dds.spin_once(0.0),
        lambda: dds.publisher('other', Bool, qos_table.STATE),
    ):
        with pytest.raises(DdsError, match='closed'):
            use()
    with Participant(environment=variables) as again:
        again.publisher('state', Bool, qos_table.STATE)


def test_large_messages_are_configured_as_in_the_file_for_ros_processes():
    file = ElementTree.parse(CONFIG / 'cyclonedds.xml').getroot()
    made = ElementTree.fromstring(discovery({}).xml)
    for tag in ('MaxMessageSize', 'SocketReceiveBufferSize', 'WhcHigh', 'MaxAutoParticipantIndex'):
        (ours,) = made.iter(f'{{https://cdds.io/config}}{tag}')
        (theirs,) = file.iter(f'{{https://cdds.io/config}}{tag}')
        assert (ours.text, ours.attrib) == (theirs.text, theirs.attrib), (
            f'{tag}: dds_client/discovery.py and config/cyclonedds.xml disagree; change both'
        )


def example():
    """Return the script of docs/dds-client.md."""
    text = (REPOSITORY / 'docs' / 'dds-client.md').read_text()
    (code,) = re.findall(r'```python\n(.*?)```', text, re.DOTALL)
    return code


NO_ROS = """
import sys
class NoRos:
    def find_spec(self, name, path=None, target=None):
        if name.split('.')[0] not in ALLOWED and name.split('.')[0] not in sys.stdlib_module_names:
            raise ImportError(f'{name} is not installed here')
ALLOWED = {'cyclonedds', 'numpy', 'chefmate_core'}
sys.meta_path.insert(0, NoRos())
"""


def test_the_script_in_the_docs_moves_an_arm_in_a_python_without_ros(dds, ros, start):
    states = ros.hear('isaac_joint_states', RosJointState)
    commands = ros.speak('isaac_joint_command', RosJointState)
    code = NO_ROS + example() + "\nassert not {'rclpy', 'sensor_msgs', 'yaml'} & set(sys.modules)"
    script = start(code, '8', AMENT_PREFIX_PATH='', LD_LIBRARY_PATH='')
    repeated(
        dds,
        lambda: commands.publish(RosJointState(name=['Jaw'], position=[0.25])),
        lambda: states and states[-1].position[5] == pytest.approx(0.25),
    )
    assert list(states[-1].position[:5]) == [0.0] * 5
    commands.publish(RosJointState(name=['gripper'], position=[0.5]))
    output, _ = script.communicate(timeout=PATIENCE_S)
    assert script.returncode == 0, output
    assert re.match(r"[1-9]\d* commands followed, refused: {'unknown': 1}", output)


def test_the_arm_of_that_script_stands_while_the_emergency_stop_is_active(dds, ros, start):
    states = ros.hear('isaac_joint_states', RosJointState)
    commands = ros.speak('isaac_joint_command', RosJointState)
    stop = ros.speak('emergency_stop_active', RosBool, qos_table.LATCHED)
    start(example())

    def command(position_rad):
        commands.publish(RosJointState(name=['Jaw'], position=[position_rad]))

    repeated(dds, lambda: command(6.0), lambda: states and states[-1].position[5] > 0.0)
    stop.publish(RosBool(data=True))
    until(
        dds,
        lambda: len(states) > 10 and len({state.position[5] for state in states[-10:]}) == 1,
        'a stand',
    )
    stop.publish(RosBool(data=False))
    stood_at = states[-1].position[5]
    until(dds, lambda: states[-1].position[5] > stood_at, 'going on')
