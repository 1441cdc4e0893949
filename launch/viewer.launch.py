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
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

ARGUMENTS = [
    DeclareLaunchArgument(
        'view_host',
        default_value='localhost',
        description='Address to serve the page at. Another than this host needs a token.',
    ),
    DeclareLaunchArgument(
        'view_port', default_value='8080', description='First port to try; the next free is taken.'
    ),
    DeclareLaunchArgument(
        'view_token_file',
        default_value='',
        description='File with the token that browsers must bring; empty: CHEFMATE_VIEW_TOKEN.',
    ),
    DeclareLaunchArgument(
        'control',
        default_value='false',
        choices=['true', 'false'],
        description='true: the page gives tasks, records, and releases the emergency stop.',
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
                'port': ParameterValue(LaunchConfiguration('view_port'), value_type=int),
                'token_file': ParameterValue(
                    LaunchConfiguration('view_token_file'), value_type=str
                ),
                'control': ParameterValue(LaunchConfiguration('control'), value_type=bool),
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
