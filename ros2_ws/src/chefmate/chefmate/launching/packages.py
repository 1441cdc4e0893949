"""Where installed packages are, by the ament index."""

import os
import shutil
from pathlib import Path

from chefmate.launching.errors import LaunchFileError

SOURCE_ADVICE = 'build the workspace and source its install/setup.bash, then try again'


def package_prefix(package: str) -> Path:
    """Return the folder that `package` is installed under.

    Raises:
        LaunchFileError: no prefix in AMENT_PREFIX_PATH has the package.
    """
    prefixes = [Path(part) for part in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)]
    for prefix in prefixes:
        marker = prefix / 'share' / 'ament_index' / 'resource_index' / 'packages' / package
        if prefix.parts and marker.is_file():
            return prefix
    found = ', '.join(str(prefix) for prefix in prefixes if prefix.parts) or 'nothing'
    raise LaunchFileError(
        f'package {package!r} is not installed; searched AMENT_PREFIX_PATH: {found}. '
        f'Next: {SOURCE_ADVICE}'
    )


def package_share(package: str) -> str:
    """Return the share folder of `package`."""
    return str(package_prefix(package) / 'share' / package)


def package_executable(package: str, executable: str) -> str:
    """Return the path of a node's executable: PREFIX/lib/PACKAGE/EXECUTABLE.

    Raises:
        LaunchFileError: there is none, or it is not executable; the message lists those there are.
    """
    folder = package_prefix(package) / 'lib' / package
    path = shutil.which(executable, path=str(folder))
    if path is not None:
        return path
    present = sorted(item.name for item in folder.iterdir()) if folder.is_dir() else []
    raise LaunchFileError(
        f'package {package!r} has no executable {executable!r} in {folder}; found there: '
        f'{", ".join(present) or "nothing"}. Next: correct the name, or {SOURCE_ADVICE}'
    )
