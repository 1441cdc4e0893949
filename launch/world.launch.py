"""What surrounds the arms: the simulated kitchen, or the cameras of this machine.

Other launch files include it.
"""

import contextlib
import fcntl
from pathlib import Path

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, GroupAction, OpaqueFunction, Shutdown
from launch.conditions import IfCondition
from launch.substitutions import (
    AndSubstitution,
    EqualsSubstitution,
    LaunchConfiguration,
    PathJoinSubstitution,
)
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

ARGUMENTS = [
    DeclareLaunchArgument(
        'hardware',
        default_value='sim',
        choices=['sim', 'isaac', 'real'],
        description='A simulated kitchen, nothing (Isaac Sim is the world), or the cameras of '
        'this machine.',
    ),
    DeclareLaunchArgument(
        'cameras',
        default_value='true',
        choices=['true', 'false'],
        description='false: no pictures, drawn or taken.',
    ),
    DeclareLaunchArgument('seed', default_value='0', description='Which simulated kitchen.'),
    DeclareLaunchArgument(
        'leader',
        default_value='idle',
        choices=['idle', 'scripted'],
        description='What a hand does with the simulated leader: nothing, or the task in force.',
    ),
    DeclareLaunchArgument(
        'camera_rate_hz', default_value='15.0', description='Rate of the simulated cameras.'
    ),
    DeclareLaunchArgument('run_dir', description="Folder of the virtual arms' ports."),
    DeclareLaunchArgument(
        'calibration_dir',
        default_value=PathJoinSubstitution([FindPackageShare('chefmate'), 'calibration']),
        description="Folder of follower.json and leader.json, in LeRobot's format.",
    ),
    DeclareLaunchArgument(
        'params_file',
        default_value=PathJoinSubstitution(
            [FindPackageShare('chefmate'), 'config', 'deploy.yaml']
        ),
        description="ROS parameter file that is read after the nodes' defaults.",
    ),
]


def in_folder(folder, name):
    return PathJoinSubstitution([LaunchConfiguration(folder), name])


def remove_stale_ports(context):
    """A kitchen that was killed leaves its links; what they lead to may be anybody's by now."""
    folder = Path(LaunchConfiguration('run_dir').perform(context))
    # Held by a kitchen that lives; no folder: no links.
    with contextlib.suppress(OSError), (folder / 'lock').open('r+') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        for port in (folder / 'follower', folder / 'leader'):
            if port.is_symlink():
                port.unlink()
    return []


def end_if_refused(event, context):
    """The cameras that are drawn come back after a crash, but not after they said why not."""
    del context
    if event.returncode == 1:
        return Shutdown(reason='kitchen_camera_node refused to go on')
    return None


def generate_launch_description():
    is_sim = EqualsSubstitution(LaunchConfiguration('hardware'), 'sim')
    is_real = EqualsSubstitution(LaunchConfiguration('hardware'), 'real')
    has_cameras = EqualsSubstitution(LaunchConfiguration('cameras'), 'true')
    parameters = LaunchConfiguration('params_file')
    kitchen = Node(
        package='chefmate_sim',
        executable='kitchen_node',
        name='kitchen',
        parameters=[
            {
                'seed': ParameterValue(LaunchConfiguration('seed'), value_type=int),
                'leader': ParameterValue(LaunchConfiguration('leader'), value_type=str),
                'follower_port': in_folder('run_dir', 'follower'),
                'leader_port': in_folder('run_dir', 'leader'),
                'follower_calibration': in_folder('calibration_dir', 'follower.json'),
                'leader_calibration': in_folder('calibration_dir', 'leader.json'),
            },
            parameters,
        ],
        output='screen',
        on_exit=Shutdown(reason='kitchen_node ended'),
        condition=IfCondition(is_sim),
    )
    drawn_cameras = Node(
        package='chefmate_sim',
        executable='kitchen_camera_node',
        name='kitchen_cameras',
        parameters=[
            {'rate_hz': ParameterValue(LaunchConfiguration('camera_rate_hz'), value_type=float)},
            parameters,
        ],
        output='screen',
        respawn=True,
        respawn_delay=1.0,
        on_exit=end_if_refused,
        condition=IfCondition(AndSubstitution(is_sim, has_cameras)),
    )
    real_cameras = [
        Node(
            package='chefmate',
            executable='camera_node',
            name='camera',
            namespace=camera,
            parameters=[
                PathJoinSubstitution([FindPackageShare('chefmate'), 'config', 'camera.yaml']),
                parameters,
            ],
            output='screen',
            on_exit=Shutdown(reason='camera_node ended'),
        )
        for camera in ('wrist', 'scene')
    ]
    return LaunchDescription([
        *ARGUMENTS,
        OpaqueFunction(function=remove_stale_ports, condition=IfCondition(is_sim)),
        kitchen,
        drawn_cameras,
        GroupAction(real_cameras, condition=IfCondition(AndSubstitution(is_real, has_cameras))),
    ])  # fmt: skip
