"""RViz: the arm, its twin as a ghost, both cameras, frames, the planned path of the gripper.

    ros2 launch chefmate view.launch.py

Beside a running deploy or teleop launch. Where rviz2 is not installed, this says so and
ends.
"""

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch import LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    IncludeLaunchDescription,
    LogInfo,
    OpaqueFunction,
    Shutdown,
)
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

ARGUMENTS = [
    DeclareLaunchArgument(
        'rviz',
        default_value='true',
        choices=['true', 'false'],
        description='false: frames and markers without a window, for Foxglove or another host.',
    ),
    DeclareLaunchArgument(
        'ends_with_rviz',
        default_value='true',
        choices=['true', 'false'],
        description='Whether closing the window ends the launch; false beside a moving arm.',
    ),
    DeclareLaunchArgument(
        'rviz_config',
        default_value=PathJoinSubstitution(
            [FindPackageShare('chefmate'), 'rviz', 'chefmate.rviz']
        ),
        description='What RViz shows.',
    ),
    DeclareLaunchArgument(
        'urdf',
        default_value=PathJoinSubstitution(
            [FindPackageShare('chefmate_description'), 'urdf', 'so101.urdf']
        ),
        description='Robot description, a URDF file.',
    ),
    DeclareLaunchArgument(
        'ghost',
        default_value='true',
        choices=['true', 'false'],
        description='The twin, too, as twin/joint_states tells of it.',
    ),
    DeclareLaunchArgument(
        'use_sim_time',
        default_value='false',
        choices=['true', 'false'],
        description='Take the time from /clock, as Isaac Sim or a bag gives it.',
    ),
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


def is_installed(package):
    try:
        get_package_prefix(package)
    except PackageNotFoundError:
        return False
    return True


def include(name, *passed_on):
    return IncludeLaunchDescription(
        PythonLaunchDescriptionSource(
            PathJoinSubstitution([FindPackageShare('chefmate'), 'launch', name])
        ),
        launch_arguments={name: LaunchConfiguration(name) for name in passed_on}.items(),
    )


def what_can_be_shown(context):
    wants_window = LaunchConfiguration('rviz').perform(context) == 'true'
    if wants_window and not is_installed('rviz2'):
        return [
            LogInfo(
                msg='rviz2 is not installed here. The page in the browser shows the same: '
                'chefmate view. For RViz: apt install ros-jazzy-rviz2, or another host.'
            )
        ]
    sim_time = ParameterValue(LaunchConfiguration('use_sim_time'), value_type=bool)
    shown = [
        include('dds.launch.py', 'discovery', 'peers'),  # without it, large images get lost
        include('description.launch.py', 'urdf', 'ghost', 'use_sim_time'),
        Node(
            package='chefmate',
            executable='chunk_markers_node',
            name='chunk_markers',
            parameters=[{'urdf': LaunchConfiguration('urdf'), 'use_sim_time': sim_time}],
            output='screen',
        ),
    ]
    ends = LaunchConfiguration('ends_with_rviz').perform(context) == 'true'
    if wants_window:
        shown.append(
            Node(
                package='rviz2',
                executable='rviz2',
                name='rviz2',
                arguments=['-d', LaunchConfiguration('rviz_config')],
                parameters=[{'use_sim_time': sim_time}],
                on_exit=[Shutdown(reason='RViz was closed')] if ends else None,
            )
        )
    return shown


def generate_launch_description():
    return LaunchDescription([*ARGUMENTS, OpaqueFunction(function=what_can_be_shown)])
