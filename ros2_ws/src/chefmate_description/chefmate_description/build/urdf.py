"""Rewrites the stock URDF: package paths, contact boxes, servo limits, camera frames."""

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from chefmate_description.arm import CONTACT_BOXES, STALL_TORQUE_NM
from chefmate_description.arm import SERVO_DAMPING_NMS_PER_RAD as DAMPING
from chefmate_description.arm import SERVO_FRICTION_NM as FRICTION
from chefmate_description.build.xml_access import attribute, child, read_root
from chefmate_description.scene import CAMERAS
from chefmate_description.shapes import Camera

PACKAGE_URL = 'package://chefmate_description/meshes'


def link_name(body: str) -> str:
    """Return the URDF's name for the MJCF's body."""
    return f'{body}_link'


def joint_limits(stock_urdf: Path) -> dict[str, tuple[float, float]]:
    """Return lower and upper limit, rad, of each revolute joint."""
    limits = {}
    for joint in read_root(stock_urdf).iterfind("joint[@type='revolute']"):
        limit = child(joint, 'limit')
        lower, upper = (float(attribute(limit, bound)) for bound in ('lower', 'upper'))
        limits[attribute(joint, 'name')] = (lower, upper)
    return limits


def rewritten(stock_urdf: Path) -> ET.Element:
    """Return ChefMate's URDF of the arm."""
    robot = read_root(stock_urdf)
    robot.set('name', 'so101')
    for transmission in robot.findall('transmission'):
        robot.remove(transmission)  # ROS 1's; nothing reads them
    for link in robot.findall('link'):
        for collision in link.findall('collision'):
            link.remove(collision)
        for stray in link.findall('origin'):
            link.remove(stray)  # the format knows no origin of a link
    for mesh in robot.iter('mesh'):
        mesh.set('filename', f'{PACKAGE_URL}/{Path(attribute(mesh, "filename")).name}')
    for joint in robot.iterfind("joint[@type='revolute']"):
        limit = child(joint, 'limit')
        limit.set('effort', _number(STALL_TORQUE_NM))
        limit.set('velocity', _number((STALL_TORQUE_NM - FRICTION) / DAMPING))
        ET.SubElement(joint, 'dynamics', damping=_number(DAMPING), friction=_number(FRICTION))
    for body, boxes in CONTACT_BOXES.items():
        link = child(robot, f"link[@name='{link_name(body)}']")
        for name, box in boxes:
            collision = ET.SubElement(link, 'collision', name=name)
            ET.SubElement(collision, 'origin', xyz=_numbers(box.centre_m), rpy='0 0 0')
            geometry = ET.SubElement(collision, 'geometry')
            ET.SubElement(geometry, 'box', size=_numbers(2 * box.half_size_m))
    for camera in CAMERAS:
        _add_camera(robot, camera)
    ET.indent(robot)
    return robot


def _add_camera(robot: ET.Element, camera: Camera) -> None:
    frame = f'{camera.name}_camera_optical_frame'
    ET.SubElement(robot, 'link', name=frame)
    joint = ET.SubElement(robot, 'joint', name=f'{camera.name}_camera_joint', type='fixed')
    ET.SubElement(
        joint,
        'origin',
        xyz=_numbers(camera.position_m),
        rpy=_numbers(_rpy(camera.optical_rotation)),
    )
    ET.SubElement(joint, 'parent', link=link_name(camera.parent))
    ET.SubElement(joint, 'child', link=frame)


def _rpy(rotation: np.ndarray) -> np.ndarray:
    """Return roll, pitch, yaw (fixed axes x, y, z) of a rotation matrix."""
    pitch = np.arcsin(np.clip(-rotation[2, 0], -1.0, 1.0))
    if abs(rotation[2, 0]) > 1 - 1e-9:  # gimbal lock: only roll -+ yaw is defined
        return np.array([0.0, pitch, np.arctan2(-rotation[0, 1], rotation[1, 1])])
    roll = np.arctan2(rotation[2, 1], rotation[2, 2])
    return np.array([roll, pitch, np.arctan2(rotation[1, 0], rotation[0, 0])])


def _number(value: float) -> str:
    return f'{value:.6g}'


def _numbers(values: Iterable[float]) -> str:
    return ' '.join(f'{value:.9g}' for value in values)
