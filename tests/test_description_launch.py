"""What RViz and /tf are given. Neither is in the wheels of ROS 2: stand-ins say what they got."""

import json
import os
import signal
import time

import numpy as np
import pytest
import yaml
from ament_index_python.packages import get_packages_with_prefixes
from deployment import ROOT
from probe import Probe
from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint
from visualization_msgs.msg import Marker, MarkerArray

from chefmate_core import qos_table
from chefmate_core.joints import JOINT_NAMES
from chefmate_core.kinematics import Chain
from chefmate_core.qos_table import Durability, QosRow, Reliability, can_connect
from chefmate_description import urdf_path

RVIZ_FILE = ROOT / 'ros2_ws' / 'src' / 'chefmate' / 'rviz' / 'chefmate.rviz'
# package -> executable, of what only a ROS 2 install has
STAND_INS = {
    'robot_state_publisher': 'robot_state_publisher',
    'tf2_ros': 'static_transform_publisher',
    'rviz2': 'rviz2',
}
WITHOUT_RVIZ = pytest.mark.skipif(
    bool({'rviz2', 'robot_state_publisher'} & set(get_packages_with_prefixes())),
    reason='this ROS 2 install has them',
)
# Writes down its arguments and parameter files, and goes on until it is ended.
STAND_IN = """#!/usr/bin/env python3
import json, os, pathlib, signal, sys
words = sys.argv[1:]
files = [words[i + 1] for i, word in enumerate(words) if word == '--params-file']
texts = [pathlib.Path(file).read_text() for file in files]
said = {{'words': words, 'process': os.getpid(), 'parameters': texts}}
path = pathlib.Path({folder!r}, '{name}-' + str(os.getpid()))
path.with_suffix('.partial').write_text(json.dumps(said))
path.with_suffix('.partial').rename(path.with_suffix('.json'))
signal.sigwait([signal.SIGINT, signal.SIGTERM])
"""


@pytest.fixture
def stand_ins(tmp_path, environment):
    """Put stand-ins before everything that is installed; returns who was started, with what."""
    said = tmp_path / 'said'
    said.mkdir()
    prefix = tmp_path / 'prefix'
    for package, executable in STAND_INS.items():
        marker = prefix / 'share' / 'ament_index' / 'resource_index' / 'packages' / package
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
        path = prefix / 'lib' / package / executable
        path.parent.mkdir(parents=True)
        path.write_text(STAND_IN.format(folder=str(said), name=executable))
        path.chmod(0o755)
    paths = [str(prefix), environment['AMENT_PREFIX_PATH']]
    environment['AMENT_PREFIX_PATH'] = os.pathsep.join(paths)

    def started(executable):
        found = [json.loads(path.read_text()) for path in said.glob(f'{executable}-*.json')]
        return sorted(found, key=lambda one: one['words'])

    return started


def parameters(one):
    """Return the parameters that a stand-in got, whatever the node is called."""
    found = {}
    for text in one['parameters']:
        for node in yaml.safe_load(text).values():
            found |= node['ros__parameters']
    return found


@pytest.mark.system
@WITHOUT_RVIZ
@pytest.mark.parametrize(
    ('name', 'said'),
    [
        ('description', 'the package robot_state_publisher is not installed here'),
        ('view', 'rviz2 is not installed here'),
    ],
)
def test_a_machine_without_rviz_is_told_so_and_goes_on(chefmate, name, said):
    command = chefmate('launch', name)
    assert command.wait(60) == 0, command.output
    assert said in command.output


@pytest.mark.system
def test_rviz_gets_the_arm_its_ghost_and_our_configuration(chefmate, domain, stand_ins):
    command = chefmate('launch', 'view')
    names = STAND_INS.values()
    with Probe(domain) as probe:
        probe.until(
            lambda: [len(stand_ins(name)) for name in names] == [2, 1, 1],
            what=f'the start of {", ".join(names)}: {command.output}',
        )
    real, ghost = sorted(
        stand_ins('robot_state_publisher'), key=lambda one: '__ns:=/twin' in one['words']
    )
    for one, prefix in ((real, ''), (ghost, 'twin/')):
        assert ('__ns:=/twin' in one['words']) == bool(prefix)
        source = 'joint_states' if prefix else 'follower/joint_states'
        assert f'joint_states:={source}' in one['words']
        assert parameters(one) == {
            'robot_description': urdf_path().read_text(),
            'frame_prefix': prefix,
            'use_sim_time': False,
        }
    (transform,) = stand_ins('static_transform_publisher')
    assert transform['words'][:4] == [
        '--frame-id', 'base_link', '--child-frame-id', 'twin/base_link',
    ]  # fmt: skip
    (rviz,) = stand_ins('rviz2')
    shown = rviz['words'][rviz['words'].index('-d') + 1]
    assert os.path.realpath(shown) == str(RVIZ_FILE)
    command.interrupt()
    assert command.wait(20) == 130, command.output


@pytest.mark.system
def test_the_ghost_can_be_left_out(chefmate, domain, stand_ins):
    command = chefmate('launch', 'description', 'ghost:=false', 'use_sim_time:=true')
    with Probe(domain) as probe:
        probe.until(lambda: stand_ins('robot_state_publisher'), what=command.output)
    command.interrupt()
    assert command.wait(20) == 130, command.output
    (real,) = stand_ins('robot_state_publisher')
    assert parameters(real)['frame_prefix'] == ''
    assert parameters(real)['use_sim_time'] is True
    assert stand_ins('static_transform_publisher') == []


def chunk(positions_rad, names=JOINT_NAMES):
    message = JointTrajectory(joint_names=list(names))
    message.header.stamp.sec = 7
    for index, row in enumerate(positions_rad.tolist()):
        point = JointTrajectoryPoint(positions=row)
        point.time_from_start.nanosec = index * 33_333_333
        message.points.append(point)
    return message


@pytest.mark.system
def test_a_chunk_becomes_the_path_of_the_gripper(chefmate, domain):
    command = chefmate('launch', 'view', 'rviz:=false')
    positions_rad = np.linspace(np.zeros(6), np.full(6, 0.5), 16)
    drawn = []
    with Probe(domain) as probe:
        publisher = probe.node.create_publisher(JointTrajectory, 'policy/action_chunk', 1)
        probe.node.create_subscription(
            MarkerArray, 'policy/chunk_markers', lambda message: drawn.append(message.markers), 10
        )

        def sent(message):
            publisher.publish(message)
            return drawn

        bad = positions_rad.copy()
        bad[3, 2] = np.nan
        probe.until(lambda: sent(chunk(bad)) or 'not drawn' in command.output, what='a refusal')
        assert not drawn
        backwards = chunk(positions_rad[:, ::-1], JOINT_NAMES[::-1])  # found by name
        probe.until(lambda: sent(backwards), what='markers')
    command.interrupt()
    assert command.wait(20) == 130, command.output
    line, end = drawn[0]
    expected_m = Chain.from_urdf(urdf_path()).positions(positions_rad)
    found_m = np.array([(point.x, point.y, point.z) for point in line.points])
    np.testing.assert_allclose(found_m, expected_m, atol=1e-9)
    at_end = end.pose.position
    np.testing.assert_allclose((at_end.x, at_end.y, at_end.z), expected_m[-1], atol=1e-9)
    assert (line.type, end.type) == (Marker.LINE_STRIP, Marker.SPHERE)
    assert line.header.frame_id == end.header.frame_id == 'base_link'
    assert line.header.stamp.sec == 7
    assert len(line.colors) == len(line.points)
    assert 0.5 < line.lifetime.sec + line.lifetime.nanosec * 1e-9 < 2.0


@pytest.mark.system
def test_deploy_goes_on_when_the_window_of_rviz_is_closed(chefmate, stand_ins, tmp_path):
    words = ('rviz:=true', 'instruction:=none', f'run_dir:={tmp_path}/run', 'view:=false')
    command = chefmate('launch', 'deploy', *words)
    command.wait_for('torque is on')
    command.wait_for('[rviz2')
    (rviz,) = stand_ins('rviz2')
    assert '-d' in rviz['words']
    os.kill(rviz['process'], signal.SIGTERM)
    command.wait_for('rviz2-')
    time.sleep(3.0)
    assert command.process.poll() is None, command.output


@pytest.mark.system
@WITHOUT_RVIZ
def test_deploy_without_rviz_says_so_offers_the_page_and_cooks(chefmate, tmp_path):
    words = ('rviz:=true', f'run_dir:={tmp_path}/run', 'view:=false')
    command = chefmate('deploy', '--headless', *words)
    assert command.wait(110) == 0, command.output
    assert 'rviz2 is not installed here' in command.output
    assert 'chefmate view' in command.output


# Displays of rviz_default_plugins in Jazzy (its plugins_description.xml) that we use.
DISPLAYS = {'Grid', 'RobotModel', 'MarkerArray', 'Image', 'TF'}
# topic -> the row that its writer offers
WRITERS = {
    '/robot_description': qos_table.LATCHED,  # of robot_state_publisher: 1, transient local
    '/twin/robot_description': qos_table.LATCHED,
    '/policy/chunk_markers': qos_table.CHUNK,
    '/wrist/image_raw': qos_table.IMAGE,
    '/scene/image_raw': qos_table.IMAGE,
}


@pytest.fixture
def displays():
    return yaml.safe_load(RVIZ_FILE.read_text())['Visualization Manager']['Displays']


def test_rviz_shows_topics_that_we_write_with_a_quality_of_service_that_connects(displays):
    topics = [
        display[key] for display in displays for key in ('Topic', 'Description Topic')
        if key in display
    ]  # fmt: skip
    assert sorted(topic['Value'] for topic in topics) == sorted(WRITERS)
    for topic in topics:
        asked = QosRow(
            'rviz',
            Reliability(topic['Reliability Policy'].lower().replace(' ', '_')),
            Durability(topic['Durability Policy'].lower().replace(' ', '_')),
            topic['Depth'],
            why='as the file has it',
        )
        assert can_connect(WRITERS[topic['Value']], asked), topic['Value']


def test_rviz_shows_what_its_own_plugins_can_show_in_frames_that_there_are(displays):
    assert {display['Class'] for display in displays} == {
        f'rviz_default_plugins/{name}' for name in DISPLAYS
    }
    links = set(Chain.from_urdf(urdf_path()).links)
    (frames,) = (display['Frames'] for display in displays if 'Frames' in display)
    assert set(frames) - {'All Enabled'} <= links
    ghost = next(display for display in displays if display['Name'] == 'Twin')
    assert ghost['TF Prefix'] == 'twin'  # RViz puts the slash behind it
    assert ghost['Alpha'] < 0.5
