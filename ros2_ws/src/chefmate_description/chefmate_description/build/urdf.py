"""Rewrites the stock URDF: package paths, contact boxes, servo limits, tool and camera frames."""

import xml.etree.ElementTree as ET
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from chefmate_core.joints import JOINT_NAMES
from chefmate_description.arm import CONTACT_BOXES, STALL_TORQUE_NM
from chefmate_description.arm import SERVO_DAMPING_NMS_PER_RAD as DAMPING
from chefmate_description.arm import SERVO_FRICTION_NM as FRICTION
from chefmate_description.build.xml_access import attribute, child, read_root
from chefmate_description.scene import CAMERAS
from chefmate_description.shapes import Camera

PACKAGE_URL = 'package://chefmate_description/meshes'
TCP_LINK = 'gripper_frame_link'
# ROS-Industrial's name for the flange: on the roll axis, z out of the arm, as the TCP is turned.
FLANGE_LINK = 'tool0'
# REP-103: from a camera's body frame (x ahead, y left, z up) to its optical frame.
BODY_TO_OPTICAL = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])


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
    tcp = child(robot, f"link[@name='{TCP_LINK}']")
    tcp.remove(child(tcp, 'inertial'))  # 1e-9 kg without inertia: no matrix that can be inverted
    tcp_joint = child(robot, f"joint[@name='{TCP_LINK.removesuffix('_link')}_joint']")
    tcp_joint.remove(child(tcp_joint, 'axis'))  # 0 0 0, of a joint that does not turn
    _add_fixed(robot, f'{FLANGE_LINK}_joint', link_name('gripper'), FLANGE_LINK, (0, 0, 0),
               (0, np.pi, 0))  # fmt: skip
    for camera in CAMERAS:
        _add_camera(robot, camera)
    _sort(robot)
    ET.indent(robot)
    return robot


def _add_camera(robot: ET.Element, camera: Camera) -> None:
    body, optical = f'{camera.name}_camera_link', f'{camera.name}_camera_optical_frame'
    turned = _rpy(camera.optical_rotation @ BODY_TO_OPTICAL.T)
    _add_fixed(robot, f'{camera.name}_camera_joint', link_name(camera.parent), body,
               camera.position_m, turned)  # fmt: skip
    _add_fixed(robot, f'{camera.name}_camera_optical_joint', body, optical, (0, 0, 0),
               _rpy(BODY_TO_OPTICAL))  # fmt: skip


def _add_fixed(
    robot: ET.Element,
    name: str,
    parent: str,
    link: str,
    position_m: Iterable[float],
    rpy_rad: Iterable[float],
) -> None:
    """Add a link without a body, fixed to another."""
    ET.SubElement(robot, 'link', name=link)
    joint = ET.SubElement(robot, 'joint', name=name, type='fixed')
    ET.SubElement(joint, 'origin', xyz=_numbers(position_m), rpy=_numbers(rpy_rad))
    ET.SubElement(joint, 'parent', link=parent)
    ET.SubElement(joint, 'child', link=link)


def _sort(robot: ET.Element) -> None:
    """Materials, links, turning joints in joint order, fixed joints: what lists show."""
    kinds = {'material': 0, 'link': 1, 'joint': 2}

    def rank(element: ET.Element) -> tuple[int, int]:
        name = attribute(element, 'name')
        turning = name in JOINT_NAMES
        return kinds[element.tag], JOINT_NAMES.index(name) if turning else len(JOINT_NAMES)

    robot[:] = sorted(robot, key=rank)


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
