"""Checks of ROS 2: distribution, rclpy, DDS, the workspace, the policies."""

import importlib
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from chefmate.cli.checks.finding import Finding, Machine
from chefmate.launching.errors import LaunchFileError
from chefmate.launching.packages import SOURCE_ADVICE, package_prefix, package_share
from chefmate_core.policy.registry import GROUP, available_policies

DISTRO = 'jazzy'
PACKAGES = (
    'chefmate',
    'chefmate_core',
    'chefmate_description',
    'chefmate_msgs',
    'chefmate_ros',
    'chefmate_sim',
)
GPU_PACKAGE = 'chefmate_policy'
SIMULATION_POLICY = 'expert'
SMALLEST_SEGMENT_BYTES = 4 << 20  # one segment must hold several images of 640x480x3 bytes
HIGHEST_DOMAIN_ID = 101  # above it the ports collide with ephemeral ones; source: ROS 2 docs
FAST_DDS_VARIABLES = ('FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE')
INSTALL_ADVICE = 'run `make setup` in the repository, or source a ROS 2 Jazzy install'


def rclpy(machine: Machine) -> Finding:
    """ROS 2 Jazzy and its Python client."""
    distro = machine.environment.get('ROS_DISTRO', '')
    try:
        module = importlib.import_module('rclpy')
        rmw = module.get_rmw_implementation_identifier()
    except Exception as error:  # a missing library shows up in many ways
        found = f'rclpy cannot be imported: {error}'
        return Finding('ROS 2', 'broken', found, INSTALL_ADVICE)
    found = f'{distro or "distribution unknown"}, rclpy with {rmw}'
    if distro and distro != DISTRO:
        return Finding('ROS 2', 'warn', found, f'ChefMate is made for {DISTRO}; source that one')
    return Finding('ROS 2', 'ok', found)


def workspace(machine: Machine) -> Finding:
    """The packages of ChefMate, as the ament index knows them."""
    missing = [name for name in PACKAGES if _prefix(name) is None]
    if missing:
        found = f'not installed: {", ".join(missing)}'
        return Finding('Workspace', 'broken', found, SOURCE_ADVICE)
    found = f'{len(PACKAGES)} packages in {package_prefix("chefmate").parent}'
    if _prefix(GPU_PACKAGE) is None:
        return Finding('Workspace', 'warn', f'{found}, without {GPU_PACKAGE}', SOURCE_ADVICE)
    return Finding('Workspace', 'ok', found)


def _prefix(package: str) -> Path | None:
    try:
        return package_prefix(package)
    except LaunchFileError:
        return None


def policies(machine: Machine) -> Finding:
    """The policies by entry point; none of them is imported."""
    return judge_policies(machine, tuple(available_policies()))


def judge_policies(machine: Machine, names: tuple[str, ...]) -> Finding:
    """Say whether there is a policy to run."""
    found = ', '.join(names) or f'no entry point in the group {GROUP}'
    if not names or (not machine.is_real and SIMULATION_POLICY not in names):
        return Finding('Policies', 'broken', found, SOURCE_ADVICE)
    return Finding('Policies', 'ok', found)


def dds_profile(machine: Machine) -> Finding:
    """The DDS settings in force: large images need a large shared-memory segment."""
    name, environment = 'DDS profile', machine.environment
    if 'cyclone' in environment.get('RMW_IMPLEMENTATION', ''):
        uri = environment.get('CYCLONEDDS_URI', '')
        if uri:
            return Finding(name, 'ok', f'Cyclone DDS with {uri}')
        return Finding(name, 'ok', 'Cyclone DDS; the launch files set its profile')
    for variable in FAST_DDS_VARIABLES:
        if environment.get(variable):
            return judge_profile(Path(environment[variable]), variable)
    try:
        profile = Path(package_share('chefmate')) / 'config' / 'fastdds.xml'
    except LaunchFileError:
        return Finding(name, 'warn', 'no profile installed', SOURCE_ADVICE)
    return judge_profile(profile, 'the launch files')


def judge_profile(path: Path, setter: str) -> Finding:
    """Say whether a Fast DDS profile has room for images."""
    name, found = 'DDS profile', f'{path}, set by {setter}'
    try:
        # {*}: whatever the namespace is
        sizes = [
            int(item.text or 0) for item in ElementTree.parse(path).iterfind('.//{*}segment_size')
        ]
    except (OSError, ElementTree.ParseError, ValueError) as error:
        advice = f'correct {setter} or the file'
        return Finding(name, 'broken', f'{found}: cannot be read ({error})', advice)
    if max(sizes, default=0) < SMALLEST_SEGMENT_BYTES:
        advice = 'unset the variable: the launch files then set a profile that holds images'
        return Finding(name, 'warn', f'{found}: no large shared-memory segment', advice)
    return Finding(name, 'ok', f'{found} ({max(sizes) >> 20} MiB segment)')


def discovery(machine: Machine) -> Finding:
    """Who can hear and command the arm."""
    name, environment = 'Discovery', machine.environment
    domain = environment.get('ROS_DOMAIN_ID') or '0'
    if not domain.isdecimal() or int(domain) > HIGHEST_DOMAIN_ID:
        advice = f'set ROS_DOMAIN_ID to 0..{HIGHEST_DOMAIN_ID}'
        return Finding(name, 'broken', f'ROS_DOMAIN_ID={domain}', advice)
    reach = environment.get('ROS_AUTOMATIC_DISCOVERY_RANGE', '')
    found = f'range {reach or "not set"}, domain {domain}'
    if environment.get('ROS_LOCALHOST_ONLY'):
        advice = 'unset ROS_LOCALHOST_ONLY: it is deprecated and overrides the discovery range'
        return Finding(name, 'warn', f'{found}, ROS_LOCALHOST_ONLY is set', advice)
    if reach == 'OFF':
        advice = 'set ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST; nodes do not find each other'
        return Finding(name, 'broken', found, advice)
    if reach == 'LOCALHOST':
        return Finding(name, 'ok', f'{found}: this machine only')
    advice = (
        'the launch files keep to this machine; for this shell set '
        'ROS_AUTOMATIC_DISCOVERY_RANGE=LOCALHOST, unless a second host takes part'
    )
    return Finding(name, 'warn', f'{found}: the whole network can hear and command', advice)
