"""The udev rules, the installer and the helper that finds out which device is which."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

UDEV = Path(__file__).resolve().parents[1] / 'udev'
RULES = UDEV / '99-chefmate.rules'


@pytest.fixture(scope='module')
def identify():
    spec = importlib.util.spec_from_file_location('chefmate_udev_identify', UDEV / 'identify.py')
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where its dataclasses look for their module
    spec.loader.exec_module(module)
    return module


def record(node, subsystem, **properties):
    """One device as `udevadm info --export-db` prints it."""
    lines = [f'P: /devices/pci0000:00/{node}', f'N: {node[5:]}']
    values = {'DEVNAME': node, 'SUBSYSTEM': subsystem, 'ID_BUS': 'usb', **properties}
    return '\n'.join([*lines, *(f'E: {key}={value}' for key, value in values.items())])


def adapter(number, serial, path):
    return record(
        f'/dev/ttyACM{number}', 'tty', ID_MODEL='USB_Single_Serial', ID_VENDOR_ID='1a86',
        ID_SERIAL_SHORT=serial, ID_PATH=path,
    )  # fmt: skip


def camera(number, serial, path, capabilities=':capture:'):
    return record(
        f'/dev/video{number}', 'video4linux', ID_MODEL='USB_Camera', ID_VENDOR_ID='32e4',
        ID_SERIAL_SHORT=serial, ID_PATH=path, ID_V4L_CAPABILITIES=capabilities,
    )  # fmt: skip


def install(*words):
    return subprocess.run(
        [UDEV / 'install.sh', *map(str, words)], capture_output=True, text=True, check=False
    )


def test_only_usb_adapters_and_capturing_cameras_are_found(identify):
    text = '\n\n'.join([
        adapter(0, '5970A', 'usb-0:1'),
        camera(2, 'SN0001', 'usb-0:3'),
        camera(3, 'SN0001', 'usb-0:3', capabilities=':'),  # the metadata node of the same camera
        record('/dev/ttyS0', 'tty', ID_BUS='pnp'),
        record('/dev/sda', 'block'),
        'P: /devices/virtual/tty/tty0\nE: SUBSYSTEM=tty',
    ])  # fmt: skip
    nodes = [device.node for device in identify.parse_database(text)]
    assert nodes == ['/dev/ttyACM0', '/dev/video2']


def test_an_adapter_is_named_by_a_serial_number_of_its_own(identify):
    devices = identify.parse_database(
        adapter(0, '5970A', 'usb-0:1') + '\n\n' + adapter(1, '5970B', 'usb-0:2')
    )
    assert identify.rule('follower', devices[1], devices) == (
        'SUBSYSTEM=="tty", ENV{ID_BUS}=="usb", ENV{ID_VENDOR_ID}=="1a86", '
        'ENV{ID_SERIAL_SHORT}=="5970B", SYMLINK+="follower"'
    )


@pytest.mark.parametrize('serials', [('', ''), ('77', '77'), ('SN0001', 'X')])
def test_a_camera_without_a_serial_number_of_its_own_is_named_by_its_socket(identify, serials):
    devices = identify.parse_database(
        camera(0, serials[0], 'usb-0:3') + '\n\n' + camera(2, serials[1], 'usb-0:4')
    )
    assert identify.rule('wrist', devices[0], devices) == (
        'SUBSYSTEM=="video4linux", ENV{ID_BUS}=="usb", ATTR{index}=="0", '
        'ENV{ID_PATH}=="usb-0:3", SYMLINK+="wrist"'
    )


def test_a_serial_number_that_a_camera_shares_with_an_adapter_still_is_its_own(identify):
    devices = identify.parse_database(
        adapter(0, '77', 'usb-0:1') + '\n\n' + camera(0, '77', 'usb-0:2')
    )
    assert 'ID_SERIAL_SHORT' in identify.rule('wrist', devices[1], devices)


def test_a_device_that_nothing_tells_apart_is_refused(identify):
    devices = identify.parse_database(adapter(0, '', 'usb-1') + '\n\n' + adapter(1, '', 'usb-1'))
    with pytest.raises(ValueError, match='another socket'):
        identify.rule('leader', devices[0], devices)


def test_the_device_that_goes_away_is_the_one_that_was_asked_for(identify, monkeypatch):
    devices = identify.parse_database(
        adapter(0, '5970A', 'usb-0:1') + '\n\n' + adapter(1, '5970B', 'usb-0:2')
    )
    # Nothing was unplugged at first, then both, then the right one.
    looks = iter([devices, [], devices[:1]])
    monkeypatch.setattr('builtins.input', lambda question: '')
    monkeypatch.setattr(identify, 'SETTLE_S', 0.0)
    assert identify.ask_for('follower', devices, lambda: next(looks)) == devices[1]
    monkeypatch.setattr('builtins.input', lambda question: 's')
    assert identify.ask_for('leader', devices, lambda: devices) is None


def test_each_name_of_the_contract_can_be_given(identify):
    assert list(identify.KINDS) == ['leader', 'follower', 'wrist', 'scene']


@pytest.mark.parametrize('path', [RULES], ids=lambda path: path.name)
def test_every_rule_is_well_formed(path):
    # `udevadm verify` does more, where it exists; this much holds everywhere.
    item = re.compile(r'[A-Z]+(\{[\w/.-]+\})?(==|!=|=|\+=|:=)"[^"]*"')
    for line in path.read_text().splitlines():
        if line and not line.startswith('#'):
            assert all(item.fullmatch(part.strip()) for part in line.split(',')), line


def test_the_installer_copies_rules_and_names_and_removes_them_again(tmp_path, identify):
    devices = identify.parse_database(adapter(0, '5970A', 'usb-0:1'))
    names = tmp_path / 'my names.rules'
    names.write_text(identify.rules_file({'follower': devices[0]}, devices))
    root = tmp_path / 'a root'
    done = install('--root', root, '--names', names)
    assert done.returncode == 0, done.stderr
    folder = root / 'etc/udev/rules.d'
    assert (folder / '99-chefmate.rules').read_text() == RULES.read_text()
    assert 'SYMLINK+="follower"' in (folder / '99-chefmate-names.rules').read_text()
    assert install('--root', root).returncode == 0  # a second run keeps the names
    assert (folder / '99-chefmate-names.rules').exists()
    assert install('--root', root, '--uninstall').returncode == 0
    assert list(folder.iterdir()) == []


def test_a_dry_run_changes_nothing_and_says_what_it_would_do(tmp_path):
    done = install('--root', tmp_path, '--dry-run')
    assert done.returncode == 0, done.stderr
    assert 'would run: install' in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ('words', 'complaint'),
    [
        (['--nams'], 'unknown argument --nams'),
        (['--names'], '--names needs'),
        (['--names', '/nowhere'], 'cannot read /nowhere'),
        (['--names', '/dev/null'], 'names no device'),
    ],
)
def test_the_installer_refuses_what_it_does_not_understand(tmp_path, words, complaint):
    done = install('--root', tmp_path, *words)
    assert done.returncode == 1
    assert complaint in done.stderr
    assert list(tmp_path.iterdir()) == []
