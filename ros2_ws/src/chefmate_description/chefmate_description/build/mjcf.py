"""Rewrites the stock MJCF: contact boxes instead of meshes, servo values, the URDF's limits."""

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from pathlib import Path

from chefmate_description import arm

# Contact bits: the arm touches world and food, never itself.
ROBOT_CONTYPE, ROBOT_CONAFFINITY = 1, 6


def rewritten(stock_mjcf: Path, limits_rad: Mapping[str, tuple[float, float]]) -> ET.ElementTree:
    """Return ChefMate's MJCF of the arm; meshes are looked for in `../meshes`."""
    tree = ET.parse(stock_mjcf)
    root = tree.getroot()
    root.set('model', 'so101')
    root.find('compiler').set('meshdir', '../meshes')
    for body in root.iter('body'):
        _strip(body)
        for name, box in arm.CONTACT_BOXES.get(body.get('name'), ()):
            body.append(_contact_geom(name, box))
    for joint in root.iter('joint'):
        if joint.get('name') in limits_rad:
            joint.set('range', _numbers(limits_rad[joint.get('name')]))
    _set_servo_class(root)
    for actuator in root.find('actuator'):
        name = actuator.get('joint')
        limit = arm.GRIPPER_TORQUE_LIMIT_NM if name == 'gripper' else arm.STALL_TORQUE_NM
        actuator.set('forcerange', _numbers((-limit, limit)))
        actuator.set('ctrlrange', _numbers(limits_rad[name]))
    ET.indent(tree)
    return tree


def _strip(body: ET.Element) -> None:
    """Remove the stock contact geometry and the stock camera."""
    for geom in body.findall('geom'):
        if geom.get('class') != 'visual':
            body.remove(geom)
    for camera in body.findall('camera'):
        body.remove(camera)


def _contact_geom(name: str, box) -> ET.Element:
    attributes = {
        'name': name,
        'type': 'box',
        'pos': _numbers(box.centre_m),
        'size': _numbers(box.half_size_m),
        'contype': str(ROBOT_CONTYPE),
        'conaffinity': str(ROBOT_CONAFFINITY),
        'condim': '4',
        'group': '3',
        'mass': '0',
        'friction': _numbers((arm.LINK_FRICTION, 0.005, 0.0001)),
    }
    if name in arm.PAD_NAMES:
        attributes['friction'] = _numbers(arm.PAD_FRICTION)
        attributes['solref'] = '0.006 1'
        attributes['solimp'] = '0.95 0.99 0.001'
    return ET.Element('geom', attributes)


def _set_servo_class(root: ET.Element) -> None:
    servo = root.find(".//default[@class='sts3215']")
    for joint in servo.findall('joint'):
        joint.set('damping', _number(arm.SERVO_DAMPING_NMS_PER_RAD))
        joint.set('frictionloss', _number(arm.SERVO_FRICTION_NM))
        joint.set('armature', _number(arm.SERVO_ARMATURE_KG_M2))
    for position in servo.findall('position'):
        position.set('kp', _number(arm.SERVO_KP_NM_PER_RAD))
        position.set('kv', _number(arm.SERVO_KV_NMS_PER_RAD))


def _number(value: float) -> str:
    return f'{value:.9g}'


def _numbers(values) -> str:
    return ' '.join(f'{value:.9g}' for value in values)
