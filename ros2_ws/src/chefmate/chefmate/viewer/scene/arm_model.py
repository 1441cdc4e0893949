"""What the robot description says of looks: the meshes of every link, in the link's frame."""

import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from chefmate.viewer.scene.shapes import Mesh, joined
from chefmate_core.kinematics.urdf import UrdfTree, read_urdf, rotation_from_rpy
from chefmate_description import share_path, urdf_path
from chefmate_description.build.stl import read_stl
from chefmate_description.shapes import Colour

PACKAGE_URL = 'package://chefmate_description/'
DEFAULT_COLOUR = (0.6, 0.6, 0.6)


@dataclass(frozen=True)
class ArmModel:
    """A robot to be drawn: how its links hang together, and what each looks like."""

    tree: UrdfTree
    looks: dict[str, tuple[tuple[Mesh, Colour], ...]]  # by link; one mesh for each colour


def read_arm_model(urdf: Path | None = None) -> ArmModel:
    """Read the SO-101's description, or another whose meshes lie in ours.

    Raises:
        ConfigurationError: no such description (UrdfError: one that cannot be read).
    """
    path = urdf or urdf_path()
    tree = read_urdf(path)
    robot = ET.parse(path).getroot()
    colours = {
        material.get('name', ''): _colour(material) for material in robot.findall('material')
    }
    meshes: dict[str, tuple[np.ndarray, np.ndarray]] = {}
    looks = {}
    for link in robot.findall('link'):
        by_colour: dict[Colour, list[Mesh]] = {}
        for visual in link.findall('visual'):
            file = visual.find('geometry/mesh')
            if file is None:
                continue
            name = file.get('filename', '').removeprefix(PACKAGE_URL)
            if name not in meshes:
                meshes[name] = read_stl(share_path() / name)
            vertices, faces = meshes[name]
            turn, place = _origin(visual.find('origin'))
            colour = _colour_of(visual.find('material'), colours)
            by_colour.setdefault(colour, []).append(Mesh(vertices @ turn.T + place, faces))
        looks[link.get('name', '')] = tuple(
            (joined(parts), colour) for colour, parts in by_colour.items()
        )
    return ArmModel(tree, looks)


def _origin(element: ET.Element | None) -> tuple[np.ndarray, np.ndarray]:
    def vector(name: str) -> np.ndarray:
        text = '0 0 0' if element is None else element.get(name, '0 0 0')
        return np.array([float(number) for number in text.split()])

    return rotation_from_rpy(vector('rpy')), vector('xyz')


def _colour_of(material: ET.Element | None, colours: dict[str, Colour]) -> Colour:
    if material is None:
        return DEFAULT_COLOUR
    if material.find('color') is not None:
        return _colour(material)
    return colours.get(material.get('name', ''), DEFAULT_COLOUR)


def _colour(material: ET.Element) -> Colour:
    element = material.find('color')
    if element is None:
        return DEFAULT_COLOUR
    red, green, blue, *_ = (float(number) for number in element.get('rgba', '').split())
    return red, green, blue
