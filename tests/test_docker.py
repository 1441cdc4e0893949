"""The Docker files can be right only by reading: what they name must exist."""

import ast
import re
from pathlib import Path

import pytest
import yaml

from chefmate.launching import launch_file_arguments

ROOT = Path(__file__).resolve().parents[1]
DOCKER = ROOT / 'docker'
DOCKERFILES = sorted(DOCKER.glob('Dockerfile.*'))
COMPOSE = yaml.safe_load((DOCKER / 'compose.yaml').read_text())
REQUIREMENTS = ROOT / 'ros2_ws/bootstrap/requirements'


def bootstrap_roles():
    """The roles that bootstrap.py knows, read without running it."""
    for node in ast.parse((ROOT / 'ros2_ws/bootstrap/bootstrap.py').read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == 'ROLES':
            return ast.literal_eval(node.value)
    return ()


def ignored(path):
    """Whether .dockerignore leaves the path out; its plain names and `**/name` are enough here."""
    for line in (ROOT / '.dockerignore').read_text().splitlines():
        name = line.removeprefix('**/')
        if (
            line
            and not line.startswith(('#', '!'))
            and (path == name or path.startswith(name + '/'))
        ):
            return True
    return False


def test_there_is_one_image_for_each_role():
    assert [path.suffix for path in DOCKERFILES] == ['.policy', '.robot', '.sim']


@pytest.mark.parametrize('path', DOCKERFILES, ids=lambda path: path.name)
def test_every_path_that_is_copied_exists_and_is_not_ignored(path):
    copies = re.findall(r'^COPY (.+) \S+$', path.read_text(), re.MULTILINE)
    assert copies
    for source in ' '.join(copies).split():
        assert (ROOT / source).exists(), source
        assert not ignored(source), source


@pytest.mark.parametrize('path', DOCKERFILES, ids=lambda path: path.name)
def test_every_script_and_role_that_is_named_exists(path):
    text = path.read_text()
    for script in re.findall(r'(?<=/chefmate/)[\w/.]+\.sh|ros2_ws/[\w/]+\.py', text):
        assert (ROOT / script).is_file(), script
    roles = {role for line in re.findall(r'--roles ([a-z ]+)', text) for role in line.split()}
    assert roles
    assert roles <= set(bootstrap_roles())


@pytest.mark.parametrize(
    'role',
    [
        'robot',
        'sim',
        'policy',
    ],
)
def test_every_image_has_pinned_requirements(role):
    assert (REQUIREMENTS / f'{role}.txt').is_file()


def test_the_entry_point_can_be_executed():
    assert (DOCKER / 'entrypoint.sh').stat().st_mode & 0o111


@pytest.mark.parametrize('name', ['robot', 'sim', 'policy'])
def test_every_service_builds_from_a_file_that_exists_and_shares_the_hosts_memory(name):
    service = COMPOSE['services'][name]
    context = (DOCKER / service['build']['context']).resolve()
    assert context == ROOT
    assert (context / service['build']['dockerfile']).is_file()
    assert service['ipc'] == 'host'
    assert service['network_mode'] == 'host'
    assert service['restart'] == 'no'
    profile = service['environment']['FASTRTPS_DEFAULT_PROFILES_FILE']
    assert (ROOT / profile.removeprefix('/chefmate/')).is_file()
    for volume in service.get('volumes', ()):
        source = volume.split(':')[0]
        # A variable is the user's own folder: their arm's calibration, not the simulation's.
        is_users = source.startswith('${CHEFMATE_')
        assert is_users or source == '/dev' or (DOCKER / source).is_dir(), source


def test_the_robot_may_use_its_devices_and_real_time_and_the_policy_its_gpu():
    robot, policy = COMPOSE['services']['robot'], COMPOSE['services']['policy']
    assert {'SYS_NICE', 'IPC_LOCK'} <= set(robot['cap_add'])
    assert robot['ulimits'] == {'rtprio': 90, 'memlock': -1}
    assert {rule.split(':')[0] for rule in robot['device_cgroup_rules']} == {
        'c 166', 'c 188', 'c 81',
    }  # fmt: skip
    (gpu,) = policy['deploy']['resources']['reservations']['devices']
    assert gpu['capabilities'] == ['gpu']


def test_every_launch_argument_of_the_robots_command_is_one_that_the_launch_file_declares():
    words = COMPOSE['services']['robot']['command']
    declared = {argument.name for argument in launch_file_arguments(words[3])}
    given = {word.split(':=')[0] for word in words if ':=' in word}
    assert given and given <= declared
