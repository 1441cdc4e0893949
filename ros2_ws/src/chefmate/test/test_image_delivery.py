"""The shipped DDS profiles are valid, in force, and deliver every image between two processes."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from chefmate_core.dds import dds_environment, shared_memory_diagnosis
from chefmate_core.diagnosis import Level

PACKAGE = Path(__file__).resolve().parents[1]
CONFIG = PACKAGE / 'config'
BENCHMARK = PACKAGE.parents[2] / 'benchmarks/frames.py'
SEGMENT_BYTES = 33_554_432
RUNS = 3
PAUSE_MS = 100.0  # a process that stood for longer misses frames, and nobody is to blame
DOMAIN_ID = str(120 + os.getpid() % 80)  # of this test run alone

# Prints the largest shared-memory segment that Fast DDS mapped for one node.
LARGEST_SEGMENT = """
import rclpy
rclpy.init()
node = rclpy.create_node('segment_probe')
largest = 0
for line in open('/proc/self/maps'):
    if '/dev/shm/fastrtps_' in line and '_port' not in line:
        first, last = line.split()[0].split('-')
        largest = max(largest, int(last, 16) - int(first, 16))
print(largest)
rclpy.shutdown()
"""

# A process without ROS publishes a string; types are named as rosidl does on the wire.
CYCLONE_WRITER = """
import dataclasses, sys, time
from cyclonedds.core import Policy, Qos
from cyclonedds.domain import DomainParticipant
from cyclonedds.idl import IdlStruct, types
from cyclonedds.pub import DataWriter
from cyclonedds.topic import Topic

@dataclasses.dataclass
class String(IdlStruct, typename='std_msgs::msg::dds_::String_'):
    data: str

participant = DomainParticipant(int(sys.argv[1]))
topic = Topic(participant, 'rt/from_cyclone', String)
writer = DataWriter(participant, topic, qos=Qos(Policy.Reliability.Reliable(10**9)))
for _ in range(300):
    writer.write(String('hello'))
    time.sleep(0.1)
"""
ROS_READER = """
import rclpy, time
from std_msgs.msg import String
rclpy.init()
node = rclpy.create_node('reader')
heard = []
node.create_subscription(String, 'from_cyclone', heard.append, 10)
deadline_s = time.monotonic() + 25
while not heard and time.monotonic() < deadline_s:
    rclpy.spin_once(node, timeout_sec=0.1)
print(heard[0].data if heard else 'silence')
rclpy.shutdown()
"""


def environment(**changes: str) -> dict[str, str]:
    unset = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_BUILTIN_TRANSPORTS', 'CYCLONEDDS_URI')
    variables = {key: value for key, value in os.environ.items() if key not in unset}
    variables['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    return {**variables, 'ROS_DOMAIN_ID': DOMAIN_ID, **changes}


def python(code: str, variables: dict[str, str], *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, '-c', code, *arguments],
        env=variables, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def enough_shared_memory():
    diagnosis = shared_memory_diagnosis(processes=4)
    assert diagnosis.level is Level.OK, diagnosis.message


@pytest.mark.system
def test_the_fast_dds_profile_is_valid_and_in_force():
    probe = python(LARGEST_SEGMENT, environment(**dds_environment(CONFIG)))
    assert probe.returncode == 0, probe.stderr
    assert 'Error' not in probe.stderr
    assert int(probe.stdout) >= SEGMENT_BYTES


@pytest.mark.system
def test_without_the_profile_the_segment_is_small():
    # The control of the test above: what it looks at does come from the profile.
    assert 0 < int(python(LARGEST_SEGMENT, environment()).stdout) < SEGMENT_BYTES


def delivery(reader: str) -> dict:
    command = [sys.executable, str(BENCHMARK), '--images', '60', '--cases', 'chefmate', '--json']
    done = subprocess.run(
        [*command, '--readers', reader, '--domain', DOMAIN_ID],
        env=environment(), capture_output=True, text=True, timeout=90, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result['sent'] == 120
    return result


@pytest.mark.system
@pytest.mark.timeout(300)
@pytest.mark.parametrize('reader', ['latest', 'every'])
def test_every_image_of_two_cameras_arrives(reader):
    results = []
    for _ in range(RUNS):
        result = delivery(reader)
        results.append(result)
        if max(result['writer_pause_ms'], result['reader_pause_ms']) < PAUSE_MS:
            break
        print(result)
    else:  # the machine grants no run without a pause
        result = max(results, key=lambda one: one['arrived'])
    # A reader of the newest frame alone skips some, without the profile half.
    assert result['arrived'] >= (120 if reader == 'every' else 108), results


@pytest.mark.system
def test_a_process_without_ros_talks_to_ros_through_both_profiles(tmp_path):
    pytest.importorskip('cyclonedds')
    variables = environment(**dds_environment(CONFIG))
    with subprocess.Popen(
        [sys.executable, '-c', CYCLONE_WRITER, DOMAIN_ID], env=variables
    ) as writer:
        try:
            heard = python(ROS_READER, variables)
        finally:
            writer.kill()
    assert heard.stdout.strip() == 'hello', heard.stderr


@pytest.mark.system
def test_a_misspelt_cyclone_profile_would_be_noticed(tmp_path):
    # The control of the test above: Cyclone DDS refuses a file that it does not understand.
    pytest.importorskip('cyclonedds')
    broken = tmp_path / 'cyclonedds.xml'
    broken.write_text((CONFIG / 'cyclonedds.xml').read_text().replace('WhcHigh', 'WhcHihg'))
    code = 'from cyclonedds.domain import DomainParticipant as P; P(7)'
    assert python(code, environment(CYCLONEDDS_URI=f'file://{broken}')).returncode != 0
    good = environment(CYCLONEDDS_URI=f'file://{CONFIG / "cyclonedds.xml"}')
    assert python(code, good).returncode == 0
