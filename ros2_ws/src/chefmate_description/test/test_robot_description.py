"""The URDF and what xacro makes of the macro, held against the rules of ROS's parser.

Rules from urdfdom (urdf_parser/src/model.cpp, link.cpp, joint.cpp), which robot_state_publisher,
RViz and MoveIt read with.
"""

import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from chefmate_core.joints import JOINT_NAMES, SERVO_MAX_SPEED_RAD_S, affixed
from chefmate_core.kinematics import Chain
from chefmate_description import share
from chefmate_description.build.generate import generate
from chefmate_description.build.xacro import MACRO_FILE_NAME

TWO_ARMS = f"""<robot xmlns:xacro="http://www.ros.org/wiki/xacro" name="pair">
  <xacro:include filename="{MACRO_FILE_NAME}"/>
  <link name="world"/>
  <xacro:so101 prefix="left_" parent="world" xyz="0 0.2 0" cameras="wrist"/>
  <xacro:so101 prefix="right_" parent="world" xyz="0 -0.2 0" rpy="0 0 1.5" cameras="wrist"/>
</robot>"""


@pytest.fixture(scope='module')
def generated(tmp_path_factory):
    folder = tmp_path_factory.mktemp('share')
    generate(folder)
    return folder


@pytest.fixture(scope='module')
def plain(generated):
    return ET.parse(generated / share.URDF_FILE).getroot()


@pytest.fixture(scope='module')
def two_arms(generated):
    path = generated / share.XACRO_FILE.with_name('pair.urdf.xacro')
    path.write_text(TWO_ARMS)
    return ET.fromstring(expanded(path))


def run_xacro(path, *arguments):
    tool = shutil.which('xacro', path=str(Path(sys.executable).parent)) or shutil.which('xacro')
    assert tool, 'xacro is not installed: make setup, or apt install ros-jazzy-xacro'
    return subprocess.run(
        [tool, str(path), *arguments], capture_output=True, text=True, check=False
    )


def expanded(path, *arguments):
    done = run_xacro(path, *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def expanded_robot(generated, *arguments):
    return ET.fromstring(expanded(generated / share.XACRO_FILE, *arguments))


def names(robot, tag):
    return [element.get('name') for element in robot.findall(tag)]


def without_layout(robot):
    """Return every element with its attributes, in order, without comments and white space."""
    return [(element.tag, element.attrib) for element in robot.iter()]


def floats(text):
    return [float(number) for number in text.split()]


def broken_rules(robot):
    """Return what urdfdom would refuse or warn of."""
    broken = [] if robot.get('name') else ['the robot has no name']
    for tag in ('material', 'link', 'joint'):
        found = names(robot, tag)
        broken += [f'{tag} {name} twice' for name in found if found.count(name) > 1]
        broken += [f'{tag} {name!r}: no name for ROS' for name in found
                   if not re.fullmatch(r'[A-Za-z0-9_]+', name or '')]  # fmt: skip
    for material in robot.findall('material'):
        if len(floats(material.find('color').get('rgba'))) != 4:
            broken.append(f'material {material.get("name")} has no colour')
    for link in robot.findall('link'):
        where = f'link {link.get("name")}'
        known = {'inertial', 'visual', 'collision'}
        broken += [f'{where}: <{part.tag}>' for part in link if part.tag not in known]
        for material in link.iter('material'):
            if material.get('name') not in names(robot, 'material'):
                broken.append(f'{where}: no material {material.get("name")}')
        for shape in (*link.findall('visual'), *link.findall('collision')):
            if len(shape.find('geometry')) != 1:
                broken.append(f'{where}: a geometry that is not one shape')
    for joint in robot.findall('joint'):
        where = f'joint {joint.get("name")}'
        if joint.get('type') not in ('revolute', 'fixed'):
            broken.append(f'{where}: type {joint.get("type")}')
        if joint.get('type') == 'revolute':
            limit = {name: float(value) for name, value in joint.find('limit').items()}
            if not (
                limit['lower'] < 0 < limit['upper'] and limit['effort'] > 0 < limit['velocity']
            ):
                broken.append(f'{where}: limits {limit}')
            if np.linalg.norm(floats(joint.find('axis').get('xyz'))) != 1:
                broken.append(f'{where}: axis is not of length 1')
    return broken


def test_the_parser_of_ros_has_nothing_to_refuse(generated, plain, two_arms):
    assert broken_rules(plain) == []
    assert broken_rules(expanded_robot(generated, 'prefix:=a_', 'joint_suffix:=_joint')) == []
    assert broken_rules(two_arms) == []


def test_expanding_the_xacro_gives_the_plain_urdf(generated, plain):
    assert without_layout(expanded_robot(generated)) == without_layout(plain)


def test_links_and_frames_have_the_names_that_others_use(plain):
    assert names(plain, 'link') == [
        'base_link', 'shoulder_link', 'upper_arm_link', 'lower_arm_link', 'wrist_link',
        'gripper_link', 'gripper_frame_link', 'moving_jaw_so101_v1_link', 'tool0',
        'wrist_camera_link', 'wrist_camera_optical_frame',
        'scene_camera_link', 'scene_camera_optical_frame',
    ]  # fmt: skip
    assert names(plain, 'joint')[: len(JOINT_NAMES)] == list(JOINT_NAMES)


def test_a_prefix_and_a_suffix_change_names_and_nothing_else(generated, plain):
    robot = expanded_robot(generated, 'prefix:=left_', 'joint_suffix:=_joint')
    turning = affixed(JOINT_NAMES, 'left_', '_joint')
    assert tuple(names(robot, 'joint')[: len(JOINT_NAMES)]) == turning
    for tag in ('link', 'material'):
        assert names(robot, tag) == list(affixed(names(plain, tag), 'left_'))
    position_rad = np.array([0.3, -0.5, 0.7, -0.2, 1.1, 0.4])
    renamed = Chain.from_urdf(ET.tostring(robot, encoding='unicode'), turning)
    same = Chain.from_urdf(ET.tostring(plain, encoding='unicode'))
    for link in same.links:
        np.testing.assert_array_equal(
            renamed.pose(position_rad, f'left_{link}'), same.pose(position_rad, link)
        )


@pytest.mark.parametrize(
    ('cameras', 'kept'),
    [('both', {'wrist', 'scene'}), ('wrist', {'wrist'}), ('scene', {'scene'}), ('none', set())],
)
def test_cameras_can_be_left_out(generated, cameras, kept):
    robot = expanded_robot(generated, f'cameras:={cameras}')
    found = {name.partition('_')[0] for name in names(robot, 'link') if 'camera' in name}
    assert found == kept
    assert broken_rules(robot) == []


def test_an_unknown_choice_of_cameras_is_refused_with_the_choices(generated):
    done = run_xacro(generated / share.XACRO_FILE, 'cameras:=front')
    assert done.returncode != 0
    assert 'cameras is one of: both wrist scene none; found: front' in done.stderr


def test_a_robot_can_hold_two_arms(two_arms):
    sides = [affixed(JOINT_NAMES, prefix) for prefix in ('left_', 'right_')]
    chain = Chain.from_urdf(ET.tostring(two_arms, encoding='unicode'), sides[0] + sides[1])
    assert chain.root == 'world'
    T_world_right = chain.pose(np.zeros(12), 'right_base_link')
    np.testing.assert_allclose(T_world_right[:3, 3], [0, -0.2, 0])
    np.testing.assert_allclose(T_world_right[:3, 0], [np.cos(1.5), np.sin(1.5), 0], atol=1e-12)


def inertias(robot):
    for link in robot.findall('link'):
        if (inertial := link.find('inertial')) is not None:
            xx, xy, xz, yy, yz, zz = (
                float(inertial.find('inertia').get(f'i{name}'))
                for name in ('xx', 'xy', 'xz', 'yy', 'yz', 'zz')
            )
            matrix = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
            yield link.get('name'), float(inertial.find('mass').get('value')), matrix


def test_every_link_with_a_body_has_an_inertia_that_a_body_can_have(plain):
    bodies = {
        link.get('name') for link in plain.findall('link') if link.find('visual') is not None
    }
    assert {name for name, _, _ in inertias(plain)} == bodies
    for name, mass_kg, matrix in inertias(plain):
        smallest, middle, largest = np.linalg.eigvalsh(matrix)
        assert smallest > 0, name
        assert smallest + middle >= largest, f'{name}: no mass is spread like this'
        # Radius of gyration: within the part, and not that of a point.
        assert 0.003 < np.sqrt(largest / mass_kg) < 0.1, name


def test_the_arm_weighs_what_six_servos_and_their_brackets_weigh(plain):
    masses_kg = [mass_kg for _, mass_kg, _ in inertias(plain)]
    assert 6 * 0.055 < sum(masses_kg) < 1.0  # an STS3215 is 55 g
    assert min(masses_kg) > 0.005


def test_servos_have_the_speed_that_the_gate_knows(plain):
    for joint in plain.findall("joint[@type='revolute']"):
        speed = float(joint.find('limit').get('velocity'))
        assert speed == pytest.approx(SERVO_MAX_SPEED_RAD_S, rel=1e-5)


def test_the_flange_is_on_the_roll_axis_and_turned_like_the_tool(generated):
    chain = Chain.from_urdf(generated / share.URDF_FILE)
    rolled = np.array([0.2, -0.4, 0.3, 0.5, 1.2, 0.1])
    still = rolled * np.array([1, 1, 1, 1, 0, 1])
    np.testing.assert_allclose(
        chain.pose(rolled, 'tool0')[:3, [2, 3]], chain.pose(still, 'tool0')[:3, [2, 3]], atol=1e-12
    )
    T_flange_tool = np.linalg.inv(chain.pose(rolled, 'tool0')) @ chain.pose(rolled)
    np.testing.assert_allclose(T_flange_tool[:3, :3], np.eye(3), atol=1e-5)
    assert 0.09 < T_flange_tool[2, 3] < 0.11  # z leads out of the arm, to the jaws
