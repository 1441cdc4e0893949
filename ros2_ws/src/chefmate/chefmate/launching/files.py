"""Finding and reading launch files."""

import os
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any

from chefmate.launching.errors import ADVICE, LaunchFileError, UnsupportedLaunchFeatureError
from chefmate.launching.packages import package_share
from chefmate_core.errors import ChefMateError

PACKAGE = 'chefmate'
SUFFIX = '.launch.py'


def find_launch_file(name: str | Path) -> Path:
    """Return the path of a launch file: one of package chefmate by name, or a path.

    `deploy`, `deploy.launch.py` and `some/folder/deploy.launch.py` all work.

    Raises:
        LaunchFileError: there is none; the message lists those there are.
    """
    path = Path(name)
    is_path = os.sep in str(name)  # './deploy' is one, though Path('./deploy') forgets it
    if path.is_file() and (is_path or path.suffix == '.py'):
        return path.absolute()
    if is_path:
        raise LaunchFileError(f'launch file {path} does not exist. Next: correct the path')
    folder = Path(package_share(PACKAGE)) / 'launch'
    for candidate in (folder / path, folder / f'{path}{SUFFIX}'):
        if candidate.is_file():
            return candidate
    known = ', '.join(installed_launch_files()) or 'none'
    raise LaunchFileError(
        f'launch file {str(name)!r} is neither in {folder} nor a path; installed there: {known}'
    )


def installed_launch_files() -> list[str]:
    """Return the names of the launch files of package chefmate."""
    folder = Path(package_share(PACKAGE)) / 'launch'
    return sorted(path.name for path in folder.glob(f'*{SUFFIX}'))


def _run_as_module(path: Path) -> ModuleType:
    if not path.is_file():
        raise LaunchFileError(f'launch file {path} does not exist. Next: correct the path')
    module = ModuleType(f'chefmate_launch_file_{path.name.split(".")[0]}')
    module.__file__ = str(path)
    exec(compile(path.read_text(encoding='utf-8'), str(path), 'exec'), vars(module))
    return module


def load_description(path: Path) -> Any:
    """Return what the file's `generate_launch_description()` returns.

    Raises:
        LaunchFileError: the file has none, cannot be read or fails; the message names the line.
    """
    try:
        module = _run_as_module(path)
        generate = getattr(module, 'generate_launch_description', None)
        if generate is None:
            raise LaunchFileError(f'launch file {path} defines no generate_launch_description()')
        return generate()
    except Exception as error:
        raise explained(error, path) from error


def explained(error: Exception, path: Path) -> LaunchFileError:
    """Return the error with the launch file and the line that it comes from."""
    if isinstance(error, LaunchFileError) and error.located:
        return error
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == str(path)
    ]
    if isinstance(error, SyntaxError):
        lines = [error.lineno]
    where = f'{path}:{lines[-1]}' if lines else f'{path}'
    missing = (getattr(error, 'name', None) or '') if isinstance(error, ImportError) else ''
    kind: type[LaunchFileError] = LaunchFileError
    if missing.split('.')[0] in ('launch', 'launch_ros', 'launch_xml', 'launch_yaml'):
        kind = UnsupportedLaunchFeatureError
        text = f'the built-in launch runner has no module {missing}. Next: {ADVICE}'
    elif isinstance(error, ChefMateError):
        kind = type(error) if isinstance(error, LaunchFileError) else LaunchFileError
        text = str(error)
    else:
        text = f'{type(error).__name__}: {error}'
    result = kind(f'{where}: {text}')
    result.located = True
    return result
