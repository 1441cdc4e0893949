import json
import os
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from chefmate.cli import doctor
from chefmate.cli.checks import hardware, host, ros, simulation
from chefmate.cli.checks.finding import Finding, Machine
from chefmate.cli.main import main
from chefmate_core.realtime import RealtimeConfig

PACKAGE = Path(__file__).parents[1]
MIB = 1 << 20


@pytest.fixture
def machine(tmp_path):
    """A machine whose root is an empty folder and whose environment is empty."""
    (tmp_path / 'dev').mkdir()
    return Machine(root=tmp_path, environment={})


@pytest.fixture
def real(machine):
    return replace(machine, hardware='real')


@pytest.mark.parametrize(
    ('finding', 'status'),
    [
        (host.judge_python((3, 10), '3.10.1', 'python'), 'broken'),
        (host.judge_python((3, 11), '3.11.7', 'python'), 'ok'),
        (host.judge_python((3, 14), '3.14.0', 'python'), 'warn'),
        (host.judge_processors(1, 'x86_64'), 'warn'),
        (host.judge_processors(2, 'x86_64'), 'ok'),
        (host.judge_shared_memory(64 * MIB, 64 * MIB), 'warn'),
        (host.judge_shared_memory(512 * MIB, 1024 * MIB), 'ok'),
        (host.judge_encoding('UTF-8', 'C.UTF-8'), 'ok'),
        (host.judge_encoding('ANSI_X3.4-1968', 'C'), 'warn'),
        (host.judge_realtime(Machine(), 0, 'at most 8 MiB'), 'skipped'),
        (host.judge_realtime(Machine(hardware='real'), 0, ''), 'warn'),
        (host.judge_realtime(Machine(hardware='real'), 20, ''), 'warn'),
        (host.judge_realtime(Machine(hardware='real'), 99, 'at most 8 MiB'), 'warn'),
        (host.judge_realtime(Machine(hardware='real'), 50, ''), 'ok'),
        (ros.judge_policies(Machine(), ()), 'broken'),
        (ros.judge_policies(Machine(), ('gr00t',)), 'broken'),
        (ros.judge_policies(Machine(hardware='real'), ('gr00t',)), 'ok'),
        (ros.judge_policies(Machine(), ('expert',)), 'ok'),
    ],
)
def test_a_judgement_and_its_advice(finding, status):
    assert finding.status == status
    assert bool(finding.advice) is (status in ('warn', 'broken'))


def test_the_doctor_asks_for_the_priority_that_the_driver_asks_for():
    assert RealtimeConfig().priority == host.WANTED_PRIORITY


def test_real_time_is_judged_by_what_the_driver_would_be_granted(real, monkeypatch):
    monkeypatch.setattr(host, 'may_use_fifo', lambda: False)  # as in a control group without time
    finding = host.realtime(real)
    assert finding.status == 'warn'
    assert 'no SCHED_FIFO' in finding.found
    assert 'docs/realtime.md' in finding.advice


def test_trying_real_time_leaves_the_scheduler_as_it_was():
    before = os.sched_getscheduler(0)
    host.may_use_fifo()
    assert os.sched_getscheduler(0) == before


@pytest.mark.parametrize(
    ('environment', 'status', 'said'),
    [
        ({}, 'warn', 'whole network'),
        ({'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}, 'ok', 'this machine only'),
        ({'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET'}, 'warn', 'whole network'),
        ({'ROS_AUTOMATIC_DISCOVERY_RANGE': 'OFF'}, 'broken', 'OFF'),
        ({'ROS_DOMAIN_ID': 'kitchen'}, 'broken', 'ROS_DOMAIN_ID=kitchen'),
        ({'ROS_DOMAIN_ID': '102'}, 'broken', 'ROS_DOMAIN_ID=102'),
        ({'ROS_DOMAIN_ID': '-1'}, 'broken', 'ROS_DOMAIN_ID=-1'),
        (
            {'ROS_LOCALHOST_ONLY': '1', 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'},
            'warn',
            'ROS_LOCALHOST_ONLY',
        ),
    ],
)
def test_discovery_tells_who_can_command_the_arm(machine, environment, status, said):
    finding = ros.discovery(replace(machine, environment=environment))
    assert finding.status == status
    assert said in finding.found


def profile(tmp_path, text):
    path = tmp_path / 'profile.xml'
    path.write_text(text)
    return path


SEGMENT = '<dds xmlns="http://x"><transport_descriptor><segment_size>{}</segment_size></transport_descriptor></dds>'


@pytest.mark.parametrize(
    ('text', 'status', 'said'),
    [
        (SEGMENT.format(33554432), 'ok', '32 MiB'),
        (SEGMENT.format(1000), 'warn', 'no large shared-memory segment'),
        (SEGMENT.format('much'), 'broken', 'cannot be read'),
        ('<dds/>', 'warn', 'no large shared-memory segment'),
        ('', 'broken', 'cannot be read'),
    ],
)
def test_a_dds_profile_must_have_room_for_images(machine, tmp_path, text, status, said):
    path = profile(tmp_path, text)
    environment = {'FASTRTPS_DEFAULT_PROFILES_FILE': str(path)}
    finding = ros.dds_profile(replace(machine, environment=environment))
    assert finding.status == status
    assert said in finding.found
    assert str(path) in finding.found


def test_a_dds_profile_that_is_gone_is_broken(machine):
    environment = {'FASTDDS_DEFAULT_PROFILES_FILE': '/no/such.xml'}
    assert ros.dds_profile(replace(machine, environment=environment)).status == 'broken'


def test_the_profile_that_we_ship_is_fine():
    finding = ros.judge_profile(PACKAGE / 'config/fastdds.xml', 'the launch files')
    assert finding.status == 'ok', finding


def test_cyclone_dds_is_known(machine):
    environment = {'RMW_IMPLEMENTATION': 'rmw_cyclonedds_cpp', 'CYCLONEDDS_URI': 'file:///x.xml'}
    finding = ros.dds_profile(replace(machine, environment=environment))
    assert (finding.status, 'file:///x.xml' in finding.found) == ('ok', True)


def test_a_workspace_without_packages_names_them(machine, monkeypatch, tmp_path):
    monkeypatch.setenv('AMENT_PREFIX_PATH', str(tmp_path))
    finding = ros.workspace(machine)
    assert finding.status == 'broken'
    for package in ros.PACKAGES:
        assert package in finding.found
    index = tmp_path / 'share/ament_index/resource_index/packages'
    index.mkdir(parents=True)
    for package in ros.PACKAGES:
        (index / package).touch()
    assert ros.workspace(machine).status == 'warn'  # the package for the GPU is missing still
    (index / ros.GPU_PACKAGE).touch()
    assert ros.workspace(machine).status == 'ok'


def test_devices_that_are_missing_matter_for_a_real_arm_only(machine, real):
    assert {finding.status for finding in hardware.devices(machine)} == {'skipped'}
    by_name = {finding.name: finding for finding in hardware.devices(real)}
    assert by_name['/dev/follower'].status == 'broken'
    assert by_name['/dev/leader'].status == 'warn'  # teleoperation only
    assert 'udev' in by_name['/dev/follower'].advice


def test_a_link_to_a_device_that_was_unplugged_is_told_from_one_never_there(real):
    (real.root / 'dev/follower').symlink_to('ttyACM7')
    finding = hardware.device(real, 'follower')
    assert finding.status == 'broken'
    assert 'ttyACM7' in finding.found


def test_a_device_without_permission_names_the_group(real):
    (real.root / 'dev/ttyACM0').touch()
    (real.root / 'dev/follower').symlink_to('ttyACM0')
    finding = hardware.device(real, 'follower', access=lambda path, mode: False)
    assert finding.status == 'broken'
    assert 'ttyACM0' in finding.found
    assert 'usermod -aG' in finding.advice
    assert hardware.device(real, 'follower', access=lambda path, mode: True).status == 'ok'


def test_udev_rules_are_found_where_they_are_installed(machine, real):
    assert hardware.udev_rules(machine).status == 'skipped'
    assert hardware.udev_rules(real).status == 'broken'
    folder = machine.root / 'etc/udev/rules.d'
    folder.mkdir(parents=True)
    (folder / '99-chefmate.rules').touch()
    assert hardware.udev_rules(real).status == 'ok'


def test_calibration_files_are_read_and_a_bad_one_is_named(machine, tmp_path):
    machine = replace(machine, calibration_dir=tmp_path)
    (finding,) = hardware.calibration(machine)
    assert finding.status == 'broken'
    good = (PACKAGE / 'calibration/follower.json').read_text()
    (tmp_path / 'follower.json').write_text(good)
    (tmp_path / 'leader.json').write_text(good.replace('elbow_flex', 'elbow'))
    follower, leader = hardware.calibration(machine)
    assert follower.status == 'ok', follower
    assert leader.status == 'broken'
    assert 'leader.json' in leader.found


def test_drawing_that_fails_says_why(machine):
    environment = {**os.environ, 'MUJOCO_GL': 'glx-for-nobody'}
    finding = simulation.rendering(replace(machine, environment=environment))
    assert finding.status == 'broken'
    assert finding.advice


def test_a_python_that_cannot_be_run_is_a_reason_and_not_a_crash(machine):
    assert simulation.draw('egl', machine, python='/no/such/python') == ('FileNotFoundError', '')


def test_drawing_is_tried_for_real():
    pytest.importorskip('mujoco')
    machine = Machine(environment={**os.environ, 'MUJOCO_GL': ''})
    finding = simulation.rendering(machine)
    assert finding.status in ('ok', 'broken')
    assert 'MuJoCo' in finding.found or 'libosmesa6' in finding.advice


def test_a_check_that_fails_itself_is_a_finding(machine):
    def unlucky(machine):
        raise RuntimeError('surprise')

    groups = doctor.examine(machine, {'Group': (unlucky,)})
    (finding,) = groups['Group']
    assert finding.status == 'broken'
    assert 'surprise' in finding.found


@pytest.fixture
def only(monkeypatch):
    """Replace the doctor's checks by findings."""

    def make(*statuses):
        findings = [Finding(f'thing {s}', s, 'found', 'do this') for s in statuses]
        monkeypatch.setattr(doctor, 'GROUPS', {'Group': (lambda machine: findings,)})

    return make


@pytest.mark.parametrize(
    ('statuses', 'code'), [(('ok', 'warn', 'skipped'), 0), (('ok', 'broken'), 1)]
)
def test_only_what_is_broken_and_needed_makes_the_exit_code(only, capsys, statuses, code):
    only(*statuses)
    assert main(['doctor']) == code
    out = capsys.readouterr().out
    assert ('Not ready' in out) is bool(code)
    for status in statuses:
        assert f'thing {status}' in out


def test_json_holds_every_finding(only, capsys):
    only('ok', 'broken')
    assert main(['doctor', '--json']) == 1
    report = json.loads(capsys.readouterr().out)
    assert report['healthy'] is False
    assert [entry['status'] for entry in report['findings']] == ['ok', 'broken']
    assert report['findings'][1]['advice'] == 'do this'


def test_the_whole_doctor_runs_on_this_machine(capsys):
    assert main(['doctor', '--json']) in (0, 1)
    names = {entry['name'] for entry in json.loads(capsys.readouterr().out)['findings']}
    assert {'Python', 'ROS 2', 'DDS profile', 'Discovery', 'Workspace', 'Policies'} <= names
    assert {'Simulation', '/dev/follower', 'udev rules', 'Shared memory', 'Locale'} <= names
    assert sys.version_info >= host.OLDEST_PYTHON
