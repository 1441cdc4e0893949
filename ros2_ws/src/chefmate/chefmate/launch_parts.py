"""What several of our launch files say alike: arguments, includes, what the end of a node means.

For launch files only: `launch` is that of whoever runs them, ROS 2's or our own runner's.
"""

import os
import tempfile
from collections.abc import Iterable, Mapping
from typing import Any

from launch.actions import (
    DeclareLaunchArgument,
    IncludeLaunchDescription,
    SetLaunchConfiguration,
    Shutdown,
)
from launch.conditions import IfCondition
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import (
    EqualsSubstitution,
    IfElseSubstitution,
    LaunchConfiguration,
    PathJoinSubstitution,
)
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

from chefmate_core.calibrating.files import default_folder

REFUSED = 1  # exit code of a node that said why it does not go on


def in_share(*parts: str) -> PathJoinSubstitution:
    """Return a path in the installed share of package chefmate."""
    return PathJoinSubstitution([FindPackageShare('chefmate'), *parts])


def value(name: str, kind: type) -> ParameterValue:
    """Return an argument's value as a parameter of this type, whatever it looks like."""
    return ParameterValue(LaunchConfiguration(name), value_type=kind)


def is_true(name: str) -> IfCondition:
    """Return the condition that a flag is set."""
    return IfCondition(LaunchConfiguration(name))


def calibration(arm: str) -> PathJoinSubstitution:
    """Return the path of an arm's calibration."""
    return PathJoinSubstitution([LaunchConfiguration('calibration_dir'), f'{arm}.json'])


def include(
    name: str,
    handed_on: Iterable[str] = (),
    given: Mapping[str, Any] | None = None,
    **options: Any,
) -> IncludeLaunchDescription:
    """Return another of our launch files with arguments of this one, and others, in this order."""
    arguments = {name: LaunchConfiguration(name) for name in handed_on} | dict(given or {})
    return IncludeLaunchDescription(
        PythonLaunchDescriptionSource(in_share('launch', name)),
        launch_arguments=arguments.items(),
        **options,
    )


def driver(arm: str, accepts_commands: str = 'true') -> IncludeLaunchDescription:
    """Return an arm's driver, on its real or its virtual port."""
    is_sim = EqualsSubstitution(LaunchConfiguration('hardware'), 'sim')
    virtual_port = PathJoinSubstitution([LaunchConfiguration('run_dir'), arm])
    given = {
        'namespace': arm,
        'port': IfElseSubstitution(is_sim, virtual_port, LaunchConfiguration(f'{arm}_port')),
        'calibration': calibration(arm),
        'accepts_commands': accepts_commands,
        'wait_for_port_s': IfElseSubstitution(is_sim, '60.0', '0.0'),
    }
    return include('arm.launch.py', ['preset'], given)


def ends_soon() -> list[SetLaunchConfiguration]:
    """Let everything have ended 3 s after Ctrl-C, also under the real launch."""
    return [
        SetLaunchConfiguration('sigterm_timeout', '1.5'),
        SetLaunchConfiguration('sigkill_timeout', '1.0'),
    ]


def end_if_refused(event: Any, context: Any) -> Shutdown | None:
    """End the launch with a node that said why it ends; after a crash it may come back."""
    del context
    if event.returncode == REFUSED:
        return Shutdown(reason=f'{event.process_name} refused to go on')
    return None


# For a node that the arm can do without for a moment.
RESTARTED = {'respawn': True, 'respawn_delay': 1.0, 'on_exit': end_if_refused}


# --- arguments -----------------------------------------------------------------------------------


def flag(name: str, default: Any, description: str) -> DeclareLaunchArgument:
    """Return an argument that is true or false."""
    return DeclareLaunchArgument(
        name, default_value=default, choices=['true', 'false'], description=description
    )


def seed() -> DeclareLaunchArgument:
    """Which kitchen."""
    return DeclareLaunchArgument('seed', default_value='0', description='Which simulated kitchen.')


def preset() -> DeclareLaunchArgument:
    """How fast the arm may move."""
    return DeclareLaunchArgument(
        'preset',
        default_value='careful',
        choices=['careful', 'normal', 'fast'],
        description='Limits of the safety gate.',
    )


def calibration_dir() -> DeclareLaunchArgument:
    """Whose calibration: a real arm's is where its owner's are."""
    return DeclareLaunchArgument(
        'calibration_dir',
        default_value=IfElseSubstitution(
            EqualsSubstitution(LaunchConfiguration('hardware'), 'real'),
            str(default_folder()),
            in_share('calibration'),
        ),
        description="Folder of follower.json and leader.json, in LeRobot's format. Unless named: "
        "the simulated arms' own, or where `chefmate calibrate` writes.",
    )


def params_file(name: str) -> DeclareLaunchArgument:
    """Return the parameter file; `name` is ours."""
    return DeclareLaunchArgument(
        'params_file',
        default_value=in_share('config', name),
        description="ROS parameter file that is read after the nodes' defaults.",
    )


def camera_rate_hz() -> DeclareLaunchArgument:
    """How often pictures are drawn."""
    return DeclareLaunchArgument(
        'camera_rate_hz',
        default_value='15.0',
        description='Rate of the simulated cameras; real ones have 30 (camera.yaml).',
    )


def port(arm: str) -> DeclareLaunchArgument:
    """Where a real arm is."""
    return DeclareLaunchArgument(
        f'{arm}_port', default_value=f'/dev/{arm}', description=f'Port of the real {arm}.'
    )


def run_dir() -> DeclareLaunchArgument:
    """Where the virtual arms' ports appear: one place for each user and ROS domain."""
    name = f'chefmate-{os.getuid()}-{os.environ.get("ROS_DOMAIN_ID", "0")}'
    return DeclareLaunchArgument(
        'run_dir',
        default_value=os.path.join(tempfile.gettempdir(), name),
        description="Folder of the virtual arms' ports.",
    )


NETWORK = ('discovery', 'peers')


def network() -> list[DeclareLaunchArgument]:
    """Who may find the nodes; for dds.launch.py."""
    return [
        DeclareLaunchArgument(
            'discovery',
            default_value='LOCALHOST',
            choices=['LOCALHOST', 'SUBNET'],
            description='Who may find these nodes: this host only, or two hosts on one network.',
        ),
        DeclareLaunchArgument(
            'peers',
            default_value=' ',
            description='Addresses of the other hosts, for networks that pass no multicast.',
        ),
    ]


PAGE = ('view_host', 'view_port', 'view_token_file')


def page_address() -> list[DeclareLaunchArgument]:
    """Where the page is served; for viewer.launch.py."""
    return [
        DeclareLaunchArgument(
            'view_host',
            default_value='localhost',
            description='Address to serve the page at. Another than this host needs a token.',
        ),
        DeclareLaunchArgument(
            'view_port',
            default_value='8080',
            description='First port to try; the next free is taken.',
        ),
        DeclareLaunchArgument(
            'view_token_file',
            default_value='',
            description='File with the token that browsers must bring; empty: '
            'CHEFMATE_VIEW_TOKEN.',
        ),
    ]


def use_sim_time() -> DeclareLaunchArgument:
    """Whose time."""
    return flag(
        'use_sim_time', 'false', 'Take the time from /clock, as Isaac Sim or a bag gives it.'
    )
