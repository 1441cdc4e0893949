"""Writes every generated file of the arm below one folder."""

import xml.etree.ElementTree as ET
from pathlib import Path

from chefmate_description.build import BuildError, mjcf, urdf, xacro
from chefmate_description.build.decimate import TARGET_FACES, find_meshoptimizer, simplified
from chefmate_description.build.source import find_arm_source
from chefmate_description.build.stl import read_stl, write_stl
from chefmate_description.share import MESH_FOLDER, MJCF_FILE, URDF_FILE, XACRO_FILE


def check_requirements() -> None:
    """Raise BuildError if a package is missing that `generate` needs."""
    find_arm_source()
    find_meshoptimizer()


def generate(output: Path) -> dict[str, int]:
    """Write meshes, URDF, xacro and MJCF below `output`; return the faces of each mesh file.

    Raises:
        BuildError: a needed package is missing or wrong, or `output` cannot be written.
    """
    source = find_arm_source()
    try:
        for folder in (MESH_FOLDER, URDF_FILE.parent, MJCF_FILE.parent):
            (output / folder).mkdir(parents=True, exist_ok=True)
        faces = _write_meshes(source.meshes, output / MESH_FOLDER)
        arm = urdf.rewritten(source.urdf)
        _write_xml(arm, output / URDF_FILE)
        _write_xml(xacro.robot_file(), output / XACRO_FILE)
        _write_xml(xacro.macro_file(arm), output / XACRO_FILE.with_name(xacro.MACRO_FILE_NAME))
        limits_rad = urdf.joint_limits(source.urdf)
        # Last: its presence tells share_path() that the folder is complete.
        _write_xml(mjcf.rewritten(source.mjcf, limits_rad), output / MJCF_FILE)
    except OSError as error:
        raise BuildError(f'cannot write below {output}: {error}') from error
    return faces


def _write_meshes(stock: Path, output: Path) -> dict[str, int]:
    counts = {}
    for name in TARGET_FACES:
        vertices, faces = simplified(name, *read_stl(stock / f'{name}.stl'))
        write_stl(output / f'{name}.stl', vertices, faces)
        counts[name] = len(faces)
    return counts


def _write_xml(root: ET.Element, path: Path) -> None:
    partial = path.with_suffix('.partial')
    ET.ElementTree(root).write(partial, encoding='utf-8', xml_declaration=True)
    partial.replace(path)
