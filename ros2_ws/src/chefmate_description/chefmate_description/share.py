"""Where the generated model files lie: meshes, URDF, xacro, MJCF.

Found without importing ament, so that a process without ROS (a simulator, a GPU host) can use it.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from chefmate_core.errors import ConfigurationError

PACKAGE = 'chefmate_description'
OVERRIDE_VARIABLE = 'CHEFMATE_DESCRIPTION_SHARE'

URDF_FILE = Path('urdf', 'so101.urdf')
XACRO_FILE = Path('urdf', 'so101.urdf.xacro')
MJCF_FILE = Path('mjcf', 'so101.xml')
MESH_FOLDER = Path('meshes')


def share_path() -> Path:
    """Return the folder that holds `meshes/`, `urdf/` and `mjcf/`.

    The environment variable CHEFMATE_DESCRIPTION_SHARE decides alone if it is set. Otherwise the
    first complete folder counts of: every prefix in AMENT_PREFIX_PATH, the prefix this module is
    installed in, and the build folder of the workspace whose source tree this module is.

    Raises:
        ConfigurationError: no such folder; the message lists where it looked.
    """
    override = os.environ.get(OVERRIDE_VARIABLE)
    candidates = [Path(override)] if override else list(_candidates())
    for candidate in candidates:
        if (candidate / MJCF_FILE).is_file() and (candidate / URDF_FILE).is_file():
            return candidate
    looked = '\n  '.join(str(candidate) for candidate in candidates)
    raise ConfigurationError(
        f'the arm model ({MJCF_FILE} and {URDF_FILE}) is in none of these folders:\n  {looked}\n'
        f'Build the workspace (make) and source its install folder, or run '
        f'`python -m {PACKAGE}.build`, or set {OVERRIDE_VARIABLE} to the folder that has them.'
    )


def source_tree_share_path() -> Path:
    """Return the folder a build in the workspace's source tree writes to, existing or not."""
    package_folder = Path(__file__).resolve().parents[1]
    workspace = package_folder.parents[1]
    return workspace / 'build' / PACKAGE / 'share'


def urdf_path() -> Path:
    """Return the arm's URDF; its meshes are `package://chefmate_description/meshes/...`."""
    return share_path() / URDF_FILE


def xacro_path() -> Path:
    """Return the xacro of the arm alone; `so101_macro.xacro`, to include, lies beside it."""
    return share_path() / XACRO_FILE


def mjcf_path() -> Path:
    """Return the arm's MJCF."""
    return share_path() / MJCF_FILE


def _candidates() -> Iterator[Path]:
    for prefix in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep):
        if prefix:
            yield Path(prefix, 'share', PACKAGE)
    for parent in Path(__file__).resolve().parents:
        if parent.name in ('lib', 'local'):  # <prefix>[/local]/lib/python3.x/site-packages/...
            yield parent.parent / 'share' / PACKAGE
    yield source_tree_share_path()
