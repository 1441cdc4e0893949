"""Rewrites the stock MJCF: contact boxes instead of meshes, servo values, the URDF's limits."""

import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from pathlib import Path

from chefmate_description import arm
from chefmate_description.build.xml_access import attribute, child, read_root
from chefmate_description.shapes import Box

# Contact bits: the arm touches world and food, never itself.
ROBOT_CONTYPE, ROBOT_CONAFFINITY = 1, 6


def rewritten(stock_mjcf: Path, limits_rad: Mapping[str, tuple[float, float]]) -> ET.Element:
    """Return ChefMate's MJCF of the arm; meshes are looked for in `../meshes`."""
    root = read_root(stock_mjcf)
    root.set('model', 'so101')
    child(root, 'compiler').set('meshdir', '../meshes')
    for body in root.iter('body'):
        _strip(body)
        for name, box in arm.CONTACT_BOXES.get(attribute(body, 'name'), ()):
            body.append(_contact_geom(name, box))
    for joint_name, limits in limits_rad.items():
        child(root, f".//joint[@name='{joint_name}']").set('range', _numbers(limits))
    _set_servo_class(root)
    for actuator in child(root, 'actuator'):
        name = attribute(actuator, 'joint')
        limit = arm.GRIPPER_TORQUE_LIMIT_NM if name == 'gripper' else arm.STALL_TORQUE_NM
        actuator.set('forcerange', _numbers((-limit, limit)))
        actuator.set('ctrlrange', _numbers(limits_rad[name]))
    ET.indent(root)
    return root


def _strip(body: ET.Element) -> None:
    """Remove the stock contact geometry and the stock camera."""
    for geom in body.findall('geom'):
        if geom.get('class') != 'visual':
            body.remove(geom)
    for camera in body.findall('camera'):
        body.remove(camera)


def _contact_geom(name: str, box: Box) -> ET.Element:
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
    servo = child(root, ".//default[@class='sts3215']")
    for joint in servo.findall('joint'):
        joint.set('damping', _number(arm.SERVO_DAMPING_NMS_PER_RAD))
        joint.set('frictionloss', _number(arm.SERVO_FRICTION_NM))
        joint.set('armature', _number(arm.SERVO_ARMATURE_KG_M2))
    for position in servo.findall('position'):
        position.set('kp', _number(arm.SERVO_KP_NM_PER_RAD))
        position.set('kv', _number(arm.SERVO_KV_NMS_PER_RAD))


def _number(value: float) -> str:
    return f'{value:.9g}'


def _numbers(values: Iterable[float]) -> str:
    return ' '.join(f'{value:.9g}' for value in values)
