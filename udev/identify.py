#!/usr/bin/env python3
"""Tell which servo adapter and which camera is which, and write the udev rules that name them.

    python3 udev/identify.py                     list what is plugged in
    python3 udev/identify.py --ask names.rules   ask to unplug each one, then write the rules

Standard library only. A device is recognised by its serial number where no other one of its kind
has the same, and by the USB socket it is plugged into otherwise.
"""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

KINDS = {'leader': 'tty', 'follower': 'tty', 'wrist': 'video4linux', 'scene': 'video4linux'}
# Serial numbers that adapters and cameras of many makers share (as seen in the field, not from a
# data sheet): one of these names no single device.
SERIALS_OF_MANY = ('0001', 'SN0001', '0000', '01.00.00', '200901010001')
SETTLE_S = 1.5  # udev has worked off an event by then


@dataclass(frozen=True)
class Device:
    """A serial adapter (`tty`) or a camera (`video4linux`) as udev describes it."""

    node: str  # /dev/ttyACM3
    subsystem: str
    model: str
    vendor_id: str
    serial: str  # empty where the device has none
    path: str  # of the USB socket

    def describe(self) -> str:
        """Return one line for people."""
        serial = self.serial or 'no serial number'
        return f'{self.node:14s} {self.model:28s} {serial:20s} {self.path}'


def parse_database(text: str) -> list[Device]:
    """Return the USB adapters and cameras in the output of `udevadm info --export-db`."""
    devices = []
    for record in text.split('\n\n'):
        properties = dict(
            line[3:].split('=', 1)
            for line in record.splitlines()
            if line.startswith('E: ') and '=' in line
        )
        # A camera's other nodes carry no pictures.
        is_camera = ':capture:' in properties.get('ID_V4L_CAPABILITIES', '')
        subsystem = properties.get('SUBSYSTEM', '')
        if properties.get('ID_BUS') != 'usb' or 'DEVNAME' not in properties:
            continue
        if subsystem == 'tty' or (subsystem == 'video4linux' and is_camera):
            devices.append(
                Device(
                    node=properties['DEVNAME'],
                    subsystem=subsystem,
                    model=properties.get('ID_MODEL', 'unknown model'),
                    vendor_id=properties.get('ID_VENDOR_ID', ''),
                    serial=properties.get('ID_SERIAL_SHORT', ''),
                    path=properties.get('ID_PATH', ''),
                )
            )
    return sorted(devices, key=lambda device: (device.subsystem, device.node))


def rule(name: str, device: Device, all_devices: Iterable[Device]) -> str:
    """Return the udev rule that calls `device` /dev/<name>.

    Raises:
        ValueError: neither a serial number nor a socket tells it from the others.
    """
    others = [
        other
        for other in all_devices
        if other.subsystem == device.subsystem and other.node != device.node
    ]
    conditions = [f'SUBSYSTEM=="{device.subsystem}"', 'ENV{ID_BUS}=="usb"']
    if device.subsystem == 'video4linux':
        conditions.append('ATTR{index}=="0"')
    is_unique = all(other.serial != device.serial for other in others)
    if device.serial and device.serial not in SERIALS_OF_MANY and is_unique:
        conditions.append(f'ENV{{ID_VENDOR_ID}}=="{device.vendor_id}"')
        conditions.append(f'ENV{{ID_SERIAL_SHORT}}=="{device.serial}"')
    elif device.path and all(other.path != device.path for other in others):
        conditions.append(f'ENV{{ID_PATH}}=="{device.path}"')
    else:
        raise ValueError(
            f'{device.node} ({device.model}) has neither a serial number nor a USB socket of its '
            'own; plug it into another socket and try again'
        )
    return ', '.join([*conditions, f'SYMLINK+="{name}"'])


def rules_file(chosen: Mapping[str, Device], all_devices: Sequence[Device]) -> str:
    """Return the content of 99-chefmate-names.rules."""
    lines = ['# Written by udev/identify.py: the names of the devices of this robot.']
    for name, device in chosen.items():
        lines += [f'# {device.describe()}', rule(name, device, all_devices)]
    return '\n'.join(lines) + '\n'


def database() -> list[Device]:
    """Return what is plugged in now."""
    try:
        done = subprocess.run(
            ['udevadm', 'info', '--export-db'], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        sys.exit(f'udevadm does not work here ({error}); run this on the robot itself')
    return parse_database(done.stdout)


def ask_for(
    name: str, before: Sequence[Device], look: Callable[[], list[Device]] = database
) -> Device | None:
    """Find the device called `name` by having it unplugged; None if it is left out."""
    kind = KINDS[name]
    candidates = [device for device in before if device.subsystem == kind]
    while True:
        if input(f'Unplug the {name} and press Enter (s and Enter: leave it out) ') == 's':
            return None
        time.sleep(SETTLE_S)
        left = {device.node for device in look()}
        gone = [device for device in candidates if device.node not in left]
        if len(gone) == 1:
            input(f'That is {gone[0].describe()}\nPlug it in again, same socket; press Enter ')
            time.sleep(SETTLE_S)
            return gone[0]
        print(f'{len(gone)} devices went away, expected one; plug everything in and try again.')


def main() -> int:
    """List, or ask and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--ask', type=Path, metavar='FILE', help='write the rules to FILE')
    arguments = parser.parse_args()
    devices = database()
    print('Plugged in now (device, model, serial number, USB socket):')
    print('\n'.join(f'  {device.describe()}' for device in devices) or '  nothing')
    if arguments.ask is None:
        return 0
    answers = {name: ask_for(name, devices) for name in KINDS}
    chosen = {name: device for name, device in answers.items() if device is not None}
    if len({device.node for device in chosen.values()}) < len(chosen):
        sys.exit('The same device was given two names; start again.')
    try:
        content = rules_file(chosen, devices)
    except ValueError as error:
        sys.exit(str(error))
    arguments.ask.write_text(content, encoding='utf-8')
    print(f'{arguments.ask} is written. Now: sudo udev/install.sh --names {arguments.ask}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
