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
from launch_ros.substitutions import FindPackageShare

from chefmate.launch_parts import (
    RESTARTED,
    calibration,
    camera_rate_hz,
    flag,
    in_share,
    params_file,
    seed,
    value,
)

ARGUMENTS = [
    DeclareLaunchArgument(
        'hardware',
        default_value='sim',
        choices=['sim', 'isaac', 'real'],
        description='A simulated kitchen, nothing (Isaac Sim is the world), or the cameras of '
        'this machine.',
    ),
    flag('cameras', 'true', 'false: no pictures, drawn or taken.'),
    seed(),
    DeclareLaunchArgument(
        'leader',
        default_value='idle',
        choices=['idle', 'scripted'],
        description='What a hand does with the simulated leader: nothing, or the task in force.',
    ),
    camera_rate_hz(),
    DeclareLaunchArgument('run_dir', description="Folder of the virtual arms' ports."),
    DeclareLaunchArgument(
        'calibration_dir',
        default_value=PathJoinSubstitution([FindPackageShare('chefmate'), 'calibration']),
        description="Folder of follower.json and leader.json, in LeRobot's format.",
    ),
    params_file('deploy.yaml'),
]


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


def generate_launch_description():
    is_sim = EqualsSubstitution(LaunchConfiguration('hardware'), 'sim')
    is_real = EqualsSubstitution(LaunchConfiguration('hardware'), 'real')
    has_cameras = EqualsSubstitution(LaunchConfiguration('cameras'), 'true')
    parameters = LaunchConfiguration('params_file')
    run_dir = LaunchConfiguration('run_dir')
    kitchen = Node(
        package='chefmate_sim',
        executable='kitchen_node',
        name='kitchen',
        parameters=[
            {
                'seed': value('seed', int),
                'leader': value('leader', str),
                'follower_port': PathJoinSubstitution([run_dir, 'follower']),
                'leader_port': PathJoinSubstitution([run_dir, 'leader']),
                'follower_calibration': calibration('follower'),
                'leader_calibration': calibration('leader'),
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
            {'rate_hz': value('camera_rate_hz', float)},
            parameters,
        ],
        output='screen',
        **RESTARTED,
        condition=IfCondition(AndSubstitution(is_sim, has_cameras)),
    )
    real_cameras = [
        Node(
            package='chefmate',
            executable='camera_node',
            name='camera',
            namespace=camera,
            parameters=[
                in_share('config', 'camera.yaml'),
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
