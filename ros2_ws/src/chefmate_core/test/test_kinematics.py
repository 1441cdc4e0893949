import numpy as np
import pytest

from chefmate_core.errors import ConfigurationError, UnknownJointError
from chefmate_core.joints import JOINT_NAMES
from chefmate_core.kinematics import Chain, UrdfError
from chefmate_core.kinematics.urdf import rotation_from_rpy

# Two joints, written child first and in another order than asked for; a link 0.2 m beyond.
TWO_JOINTS = """<?xml version="1.0"?>
<robot name="two">
  <joint name="elbow" type="revolute">
    <origin xyz="1 0 0"/><parent link="upper"/><child link="lower"/><axis xyz="0 0 2"/>
  </joint>
  <link name="lower"/><link name="tool"/><link name="base"/><link name="upper"/>
  <joint name="tool_joint" type="fixed">
    <origin xyz="0.2 0 0" rpy="1.5707963267948966 0 0"/>
    <parent link="lower"/><child link="tool"/><axis xyz="0 0 0"/>
  </joint>
  <joint name="shoulder" type="continuous">
    <origin xyz="0 0 0.5"/><parent link="base"/><child link="upper"/><axis xyz="0 0 1"/>
  </joint>
</robot>"""
NAMES = ('shoulder', 'elbow')


@pytest.fixture
def chain():
    return Chain.from_urdf(TWO_JOINTS, NAMES)


def test_a_planar_arm_is_where_trigonometry_says(chain):
    rng = np.random.default_rng(0)
    for shoulder, elbow in rng.uniform(-3, 3, (20, 2)):
        both = shoulder + elbow
        expected = [
            np.cos(shoulder) + 0.2 * np.cos(both),
            np.sin(shoulder) + 0.2 * np.sin(both),
            0.5,
        ]
        pose = chain.pose([shoulder, elbow], 'tool')
        np.testing.assert_allclose(pose[:3, 3], expected, atol=1e-12)
        np.testing.assert_allclose(pose[:3, 0], [np.cos(both), np.sin(both), 0], atol=1e-12)
        np.testing.assert_allclose(pose[:3, 1], [0, 0, 1], atol=1e-12)  # rolled by 90 degrees


def test_joints_are_found_by_name_and_not_by_place(chain):
    other = Chain.from_urdf(TWO_JOINTS, tuple(reversed(NAMES)))
    np.testing.assert_allclose(chain.pose([0.3, -1.1], 'tool'), other.pose([-1.1, 0.3], 'tool'))


def test_many_positions_give_what_single_ones_give(chain):
    positions_rad = np.random.default_rng(1).uniform(-3, 3, (16, 2))
    singly = [chain.pose(one, 'tool')[:3, 3] for one in positions_rad]
    np.testing.assert_allclose(chain.positions(positions_rad, 'tool'), singly)
    assert chain.positions(np.empty((0, 2)), 'tool').shape == (0, 3)


def test_the_root_is_where_it_is_whatever_the_joints_do(chain):
    assert chain.root == 'base'
    np.testing.assert_array_equal(chain.pose([1.0, 2.0], 'base'), np.eye(4))


def test_roll_pitch_and_yaw_turn_about_fixed_axes_in_that_order():
    roll, pitch, yaw = 0.3, -0.7, 1.9
    about_x, about_y, about_z = (
        rotation_from_rpy(np.array(rpy)) for rpy in ((roll, 0, 0), (0, pitch, 0), (0, 0, yaw))
    )
    np.testing.assert_allclose(
        rotation_from_rpy(np.array([roll, pitch, yaw])), about_z @ about_y @ about_x, atol=1e-15
    )
    np.testing.assert_allclose(about_z @ [1, 0, 0], [np.cos(yaw), np.sin(yaw), 0])
    np.testing.assert_allclose(about_x @ [0, 1, 0], [0, np.cos(roll), np.sin(roll)])
    np.testing.assert_allclose(about_y @ [0, 0, 1], [np.sin(pitch), 0, np.cos(pitch)])


def test_a_file_reads_like_its_text(tmp_path, chain):
    path = tmp_path / 'two.urdf'
    path.write_text(TWO_JOINTS)
    for given in (path, str(path)):
        again = Chain.from_urdf(given, NAMES)
        np.testing.assert_array_equal(again.pose([1, 2], 'tool'), chain.pose([1, 2], 'tool'))


def test_an_unknown_link_is_refused_with_the_choices(chain):
    with pytest.raises(ConfigurationError, match=r"no link 'hand'; it has: lower, tool, base"):
        chain.pose([0, 0], 'hand')


@pytest.mark.parametrize('positions', [np.zeros(2), np.zeros((3, 6)), 0.0])
def test_positions_of_another_shape_are_refused(chain, positions):
    with pytest.raises(ConfigurationError, match=r'expected positions of shape \(n, 2\)'):
        chain.positions(positions, 'tool')
    with pytest.raises(ConfigurationError, match=r'expected positions of shape \(2,\)'):
        chain.pose(np.zeros((1, 2)), 'tool')


def test_other_joints_than_expected_are_refused_by_name():
    with pytest.raises(UnknownJointError, match=f"no turning joint '{JOINT_NAMES[0]}'"):
        Chain.from_urdf(TWO_JOINTS)
    with pytest.raises(UnknownJointError, match="'elbow' that no position is given for"):
        Chain.from_urdf(TWO_JOINTS, ('shoulder',))


@pytest.mark.parametrize(
    ('old', 'new', 'message'),
    [
        ('<link name="tool"/>', '', "'tool_joint' names the child link 'tool', which is not"),
        ('<link name="tool"/>', '<link name="tool"/><link name="tool"/>', "'tool' is there more"),
        ('name="elbow"', 'name="shoulder"', "joint 'shoulder' is there more than once"),
        ('<child link="tool"/>', '<child link="upper"/>', "'upper' is the child of two joints"),
        ('<link name="tool"/>', '<link name="tool"/><link name="x"/>', 'one root link, found 2'),
        ('type="revolute"', 'type="prismatic"', "'elbow' is of type 'prismatic'; supported"),
        ('xyz="0 0 2"', 'xyz="0 0 0"', "'elbow' has an axis of length 0"),
        ('xyz="1 0 0"', 'xyz="1 nan 0"', 'xyz="1 nan 0" is not three finite numbers'),
        ('xyz="1 0 0"', 'xyz="1 0"', 'is not three finite numbers'),
        ('<parent link="base"/>', '', "'shoulder' has no <parent>"),
        ('<link name="base"/>', '<link/>', '<link> without name'),
        ('</robot>', '', 'is no XML'),
    ],
)
def test_a_damaged_description_is_refused_with_what_is_wrong(old, new, message):
    assert old in TWO_JOINTS
    with pytest.raises(UrdfError, match=message):
        Chain.from_urdf(TWO_JOINTS.replace(old, new, 1), NAMES)


def test_a_ring_of_links_is_refused():
    ring = TWO_JOINTS.replace('<parent link="base"/>', '<parent link="tool"/>')
    with pytest.raises(UrdfError):
        Chain.from_urdf(ring, NAMES)
    no_base = ring.replace('<link name="base"/>', '')
    with pytest.raises(UrdfError, match='expected one root link, found 0'):
        Chain.from_urdf(no_base, NAMES)


def test_a_ring_beside_the_tree_is_refused():
    ring = '<link name="a"/><link name="b"/>' + ''.join(
        f'<joint name="{parent}{child}" type="fixed"><parent link="{parent}"/>'
        f'<child link="{child}"/></joint>'
        for parent, child in ('ab', 'ba')
    )
    with pytest.raises(UrdfError, match='no way from the root to'):
        Chain.from_urdf(TWO_JOINTS.replace('</robot>', f'{ring}</robot>'), NAMES)


def test_a_missing_file_is_named():
    with pytest.raises(UrdfError, match=r'cannot read the URDF nowhere\.urdf'):
        Chain.from_urdf('nowhere.urdf')
