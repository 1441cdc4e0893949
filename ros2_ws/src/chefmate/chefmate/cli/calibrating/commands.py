"""`chefmate calibrate check|show|undo|import`: what needs no hand on the arm."""

import time
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from chefmate.cli.calibrating.confirming import confirm
from chefmate.cli.calibrating.drawing import comparison_table, file_table
from chefmate_core.calibrating import change
from chefmate_core.calibrating.change import Patience
from chefmate_core.calibrating.comparison import compare
from chefmate_core.calibrating.connecting import open_arm, torque_is_on, turn_torque_off
from chefmate_core.calibrating.eeprom import calibrated, read_settings
from chefmate_core.calibrating.files import replace_file, text_of
from chefmate_core.calibrating.lerobot_cache import (
    cache_folder,
    choose_calibration,
    find_calibrations,
)
from chefmate_core.calibrating.record import load_record, record_of
from chefmate_core.calibration import ArmCalibration
from chefmate_core.errors import BusError, CalibrationError
from chefmate_core.joints import JOINT_COUNT
from chefmate_core.servo import registers as reg
from chefmate_core.servo.bus import ServoBus

_DIFFERS = 1


def check(console: Console, port: str, path: Path) -> int:
    """Compare file and servos, print it, return 0 if the driver would accept the arm."""
    calibration = ArmCalibration.load(path)
    bus = ServoBus(port)
    open_arm(bus, calibration.ids)
    try:
        held = [read_settings(bus, servo_id) for servo_id in calibration.ids]
    finally:
        bus.close()
    joints = compare(calibration, held)
    console.print(comparison_table(joints))
    if all(joint.agrees for joint in joints):
        console.print(Text(f'{path} is what the servos hold', style='bold green'), soft_wrap=True)
        return 0
    advice = (
        'Next: use the file of this arm (are leader and follower swapped?); or write the file to '
        'the servos: chefmate calibrate import ARM FILE --to-servos; or calibrate again'
    )
    console.print(Text(f'{path} is not what the servos hold', style='bold red'), soft_wrap=True)
    console.print(advice, soft_wrap=True)
    return _DIFFERS


def show(console: Console, port: str, path: Path) -> int:
    """Print the file as a table, with where the joints are if the arm can be asked."""
    calibration = ArmCalibration.load(path)
    ticks: list[int | None] = [None] * JOINT_COUNT
    note = ''
    bus = ServoBus(port)
    try:
        open_arm(bus, calibration.ids)
        ticks = [bus.read(servo_id, reg.PRESENT_POSITION) for servo_id in calibration.ids]
    except (BusError, CalibrationError) as error:
        note = f'without present positions: {error}'
    finally:
        bus.close()
    console.print(Text(str(path), style='bold'), soft_wrap=True)
    console.print(file_table(calibration, ticks, console.width))
    if note:
        console.print(Text(note, style='yellow'), soft_wrap=True)
    return 0


def undo(console: Console, port: str, path: Path, is_sure: bool) -> int:
    """Bring servos and file back to before the last change."""
    record = load_record(record_of(path))
    if record is None:
        raise CalibrationError(f'{path}: there is no change to undo, {record_of(path)} is missing')
    bus = ServoBus(port)
    open_arm(bus, record.ids)
    try:
        _make_limp(bus, record.ids, is_sure)
        console.print(change.undo(bus, path, _patience(console)), soft_wrap=True)
    finally:
        bus.close()
    return 0


def import_from_lerobot(
    console: Console,
    arm: str,
    name: str | None,
    port: str,
    path: Path,
    to_servos: bool,
    is_sure: bool,
) -> int:
    """Take a calibration of LeRobot's over: the file, and on demand the servos too."""
    source = choose_calibration(arm, name)
    calibration = ArmCalibration.load(source)
    text = text_of(calibration)
    if not to_servos:
        replace_file(path, text)
        console.print(f'{source} -> {path}', soft_wrap=True)
        console.print(f'Next: chefmate calibrate check {arm} --port {port} --out {path.parent}')
        return 0
    bus = ServoBus(port)
    open_arm(bus, calibration.ids)
    try:
        _make_limp(bus, calibration.ids, is_sure)
        change.recover(bus, path)
        before = [read_settings(bus, servo_id) for servo_id in calibration.ids]
        after = calibrated(before, calibration)
        change.apply(bus, path, calibration.ids, after, text, _patience(console))
    finally:
        bus.close()
    console.print(f'{source} -> {path} and all six servos, read back', soft_wrap=True)
    return 0


def list_lerobot(console: Console) -> int:
    """Print what LeRobot has calibrated on this machine."""
    found = find_calibrations()
    if not found:
        console.print(f'no calibrations in {cache_folder()}', soft_wrap=True)
        return 0
    table = Table.grid(padding=(0, 3, 0, 0))
    for one in found:
        when = time.strftime('%Y-%m-%d %H:%M', time.localtime(one.modified_s))
        what = Text('no SO-101', style='yellow') if one.problem else Text('')
        table.add_row(one.arm, Text(f'{one.type}/{one.id}', style='cyan'), when, what)
    console.print(table)
    return 0


def _make_limp(bus: ServoBus, ids: tuple[int, ...], is_sure: bool) -> None:
    if torque_is_on(bus, ids):
        confirm('The arm holds itself up and will fall. Do you hold it?', is_sure)
        turn_torque_off(bus, ids)


def _patience(console: Console) -> Patience:
    return Patience(on_wait=lambda message: console.print(message, style='bold red'))
