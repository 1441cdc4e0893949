"""Where models live on this machine."""

import os
from pathlib import Path

from chefmate_core.errors import ConfigurationError

VARIABLE = 'CHEFMATE_MODELS'
MANIFEST = 'manifest.yaml'
SHARE = Path('share') / 'chefmate_policy' / 'models'


def models_folder() -> Path:
    """Return the folder of models: `CHEFMATE_MODELS`, else the repository's `models/`.

    The installed share holds links to the repository's files, which lead there; where files were
    copied (an image without the sources) it is the share itself.

    Raises:
        ConfigurationError: the variable names no folder, or nothing is installed.
    """
    chosen = os.environ.get(VARIABLE)
    if chosen:
        folder = Path(chosen).expanduser()
        if not folder.is_dir():
            raise ConfigurationError(
                f'{VARIABLE}={chosen}: expected a folder; found '
                f'{"a file" if folder.exists() else "nothing"}. Next: make it, or unset it'
            )
        return folder
    return shared_manifest().parent


def user_models(models: Path) -> list[str]:
    """Return the names of the folders in `models`; hidden ones are no models."""
    return sorted(
        entry.name
        for entry in models.iterdir()
        if entry.is_dir() and not entry.name.startswith('.')
    )


def shared_manifest() -> Path:
    """Return the manifest that came with the project.

    Raises:
        ConfigurationError: nothing is installed.
    """
    for prefix in os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep):
        path = Path(prefix) / SHARE / MANIFEST
        if path.is_file():
            return path.resolve()
    for above in Path(__file__).resolve().parents:  # run from the sources, nothing sourced
        path = above / 'models' / MANIFEST
        if path.is_file():
            return path.resolve()
    raise ConfigurationError(
        f'no {SHARE / MANIFEST} in AMENT_PREFIX_PATH. Next: build the workspace (make setup) and '
        f'source ros2_ws/env.sh, or set {VARIABLE}'
    )
