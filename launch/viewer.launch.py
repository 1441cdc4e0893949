"""The page in the browser, beside whatever runs: deploy, teleop, record, twin.

    ros2 launch chefmate viewer.launch.py

It watches, and anybody who sees it can press the emergency stop. `control:=true` lets it give
tasks, record, and release the stop.
"""

from importlib.util import find_spec

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, LogInfo
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare

from chefmate.launch_parts import flag, page_address, value

ARGUMENTS = [
    *page_address(),
    flag(
        'control', 'false', 'true: the page gives tasks, records, and releases the emergency stop.'
    ),
    DeclareLaunchArgument(
        'view_params_file',
        default_value=PathJoinSubstitution(
            [FindPackageShare('chefmate'), 'config', 'viewer.yaml']
        ),
        description='ROS parameter file of the page.',
    ),
]


def generate_launch_description():
    if find_spec('viser') is None:
        missing = LogInfo(msg='no page: it needs viser. Next: make setup, or pip install viser')
        return LaunchDescription([*ARGUMENTS, missing])
    page = Node(
        package='chefmate',
        executable='viewer_node',
        name='viewer',
        parameters=[
            LaunchConfiguration('view_params_file'),
            {
                'host': LaunchConfiguration('view_host'),
                'port': value('view_port', int),
                'token_file': value('view_token_file', str),
                'control': value('control', bool),
            },
        ],
        # One emergency stop for the whole robot, whatever the page's namespace.
        remappings=[
            ('emergency_stop', '/emergency_stop'),
            ('emergency_stop_active', '/emergency_stop_active'),
        ],
        output='screen',
        # The arm needs no page: its end ends nothing. It comes back after a crash, but not for
        # ever: a refusal to start is said thrice.
        respawn=True,
        respawn_delay=3.0,
        respawn_max_retries=2,
    )
    return LaunchDescription([*ARGUMENTS, page])
