"""Checks of what a real arm needs: devices, permissions, udev rules, calibration."""

import grp
import os
import stat
from collections.abc import Callable
from pathlib import Path

from chefmate.cli.checks.finding import Finding, Machine, needs_real
from chefmate.launching.errors import LaunchFileError
from chefmate.launching.packages import SOURCE_ADVICE, package_share
from chefmate_core.errors import CalibrationError

DEVICES = {
    'leader': 'the leader arm (teleoperation and recording need it)',
    'follower': 'the follower arm',
    'wrist': 'the wrist camera',
    'scene': 'the scene camera',
}
RULE_FOLDERS = ('etc/udev/rules.d', 'run/udev/rules.d', 'usr/lib/udev/rules.d', 'lib/udev/rules.d')
Access = Callable[[Path, int], bool]


def devices(machine: Machine) -> list[Finding]:
    """The four devices under their fixed names."""
    return [device(machine, name) for name in DEVICES]


def device(machine: Machine, name: str, access: Access = os.access) -> Finding:
    """One device: is it there, and may it be used?"""
    path = machine.root / 'dev' / name
    shown = f'/dev/{name}'
    if path.is_symlink() and not path.exists():
        found = f'a link to {os.readlink(path)}, which is gone'
        return needs_real(machine, shown, found, f'plug in {DEVICES[name]}')
    if not path.exists():
        advice = f'plug in {DEVICES[name]} and install the udev rules (sudo udev/install.sh)'
        if name == 'leader' and machine.is_real:
            return Finding(shown, 'warn', 'not there', advice)
        return needs_real(machine, shown, 'not there', advice)
    target = path.resolve()
    group = _group(path)
    if not access(path, os.R_OK | os.W_OK):
        found = f'{target.name}, group {group}, mode {stat.filemode(path.stat().st_mode)}'
        advice = f'sudo usermod -aG {group} $USER, then log in again'
        return needs_real(machine, shown, f'no permission: {found}', advice)
    return Finding(shown, 'ok', f'{target.name}, group {group}')


def _group(path: Path) -> str:
    gid = path.stat().st_gid
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def udev_rules(machine: Machine) -> Finding:
    """The rules that give the devices their names."""
    for folder in RULE_FOLDERS:
        found = sorted((machine.root / folder).glob('*chefmate*.rules'))
        if found:
            return Finding('udev rules', 'ok', str(found[0]))
    return needs_real(machine, 'udev rules', 'not installed', 'sudo udev/install.sh')


def calibration(machine: Machine) -> list[Finding]:
    """Every calibration file: readable, complete, sensible."""
    from chefmate_core.calibrating.files import default_folder

    folder = machine.calibration_dir
    if folder is None and machine.hardware == 'real':
        folder = default_folder()  # where `chefmate calibrate` puts them
    if folder is None:
        try:
            folder = Path(package_share('chefmate')) / 'calibration'
        except LaunchFileError as error:
            return [Finding('Calibration', 'broken', str(error).split(';')[0], SOURCE_ADVICE)]
    files = sorted(folder.glob('*.json'))
    if not files:
        advice = 'chefmate calibrate follower, or chefmate calibrate import follower'
        return [Finding('Calibration', 'broken', f'no *.json in {folder}', advice)]
    return [_calibration_file(path) for path in files]


def _calibration_file(path: Path) -> Finding:
    # Imported here, so that the doctor can say what else is wrong where this cannot be.
    from chefmate_core.calibration import ArmCalibration

    name = f'Calibration {path.stem}'
    try:
        ArmCalibration.load(path)
    except CalibrationError as error:
        return Finding(name, 'broken', str(error), f'calibrate the arm again, or correct {path}')
    return Finding(name, 'ok', str(path))
