"""Makes the xacro macro of the arm from the finished URDF, so that the two cannot differ."""

import copy
import itertools
import xml.etree.ElementTree as ET

from chefmate_description.build.xml_access import attribute, child
from chefmate_description.scene import CAMERAS

NAMESPACE = 'http://www.ros.org/wiki/xacro'
MACRO_FILE_NAME = 'so101_macro.xacro'
MACRO = 'so101'
# Parameter of the macro -> its default. An empty `parent` leaves base_link as the root.
PARAMETERS = {
    'prefix': '',
    'joint_suffix': '',
    'cameras': 'both',
    'parent': '',
    'xyz': '0 0 0',
    'rpy': '0 0 0',
}
CAMERA_CHOICES = ('both', *(camera.name for camera in CAMERAS), 'none')
_TURNING_SUFFIX = '${joint_suffix}'
_PREFIX = '${prefix}'


def macro_file(urdf: ET.Element) -> ET.Element:
    """Return the file that defines the macro `xacro:so101`; `urdf` stays as it is."""
    root = _robot()
    parameters = ' '.join(f"{name}:='{default}'" for name, default in PARAMETERS.items())
    macro = _add(root, 'macro', name=MACRO, params=parameters)
    choices = ', '.join(repr(choice) for choice in CAMERA_CHOICES)
    _add(  # evaluated at once, which a property would not be; it is never true
        macro,
        'if',
        value=f"${{cameras not in ({choices}) and xacro.fatal('cameras is one of: "
        f"{' '.join(CAMERA_CHOICES)}; found: ' + str(cameras))}}",
    )
    mount = _add(macro, 'if', value="${parent != ''}")
    joint = ET.SubElement(mount, 'joint', name=f'{_PREFIX}base_joint', type='fixed')
    ET.SubElement(joint, 'origin', xyz='${xyz}', rpy='${rpy}')
    ET.SubElement(joint, 'parent', link='${parent}')
    ET.SubElement(joint, 'child', link=f'{_PREFIX}base_link')
    for camera, elements in itertools.groupby(urdf, _camera_of):  # which keeps the URDF's order
        part = macro
        if camera is not None:
            part = _add(macro, 'if', value=f"${{cameras in ('both', '{camera}')}}")
        part.extend(_renamed(element) for element in elements)
    ET.indent(root)
    return root


def robot_file() -> ET.Element:
    """Return the file that makes a robot of the macro; its arguments are the macro's."""
    root = _robot()
    root.set('name', 'so101')
    for name, default in PARAMETERS.items():
        _add(root, 'arg', name=name, default=default)
    # A relative name: found beside this file, with or without an ament index.
    _add(root, 'include', filename=MACRO_FILE_NAME)
    parent = _add(root, 'if', value="${'$(arg parent)' != ''}")
    ET.SubElement(parent, 'link', name='$(arg parent)')
    _add(root, MACRO, **{name: f'$(arg {name})' for name in PARAMETERS})
    ET.indent(root)
    return root


def _camera_of(element: ET.Element) -> str | None:
    """Return the name of the camera that a link or joint belongs to, if to any."""
    name = attribute(element, 'name')
    return next((one.name for one in CAMERAS if name.startswith(f'{one.name}_camera_')), None)


def _renamed(element: ET.Element) -> ET.Element:
    """Return a copy with the prefix before every name that must be unique in a robot."""
    renamed = copy.deepcopy(element)
    name = _PREFIX + attribute(renamed, 'name')
    if renamed.get('type') == 'revolute':
        name += _TURNING_SUFFIX
    renamed.set('name', name)
    for material in renamed.iter('material'):
        if material is not renamed:
            material.set('name', _PREFIX + attribute(material, 'name'))
    if renamed.tag == 'joint':
        for end in ('parent', 'child'):
            link = child(renamed, end)
            link.set('link', _PREFIX + attribute(link, 'link'))
    return renamed


def _robot() -> ET.Element:
    ET.register_namespace('xacro', NAMESPACE)
    return ET.Element('robot')


def _add(parent: ET.Element, tag: str, /, **attributes: str) -> ET.Element:
    return ET.SubElement(parent, f'{{{NAMESPACE}}}{tag}', attributes)
