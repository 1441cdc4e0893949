"""RViz: the arm, its twin as a ghost, both cameras, frames, the planned path of the gripper.

    ros2 launch chefmate view.launch.py

Beside a running deploy or teleop launch. Where rviz2 is not installed, this says so and
ends.
"""

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, LogInfo, OpaqueFunction, Shutdown
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.substitutions import FindPackageShare

from chefmate.launch_parts import NETWORK, flag, include, network, use_sim_time, value

ARGUMENTS = [
    flag(
        'rviz', 'true', 'false: frames and markers without a window, for Foxglove or another host.'
    ),
    flag(
        'ends_with_rviz',
        'true',
        'Whether closing the window ends the launch; false beside a moving arm.',
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
    flag('ghost', 'true', 'The twin, too, as twin/joint_states tells of it.'),
    use_sim_time(),
    *network(),
]


def is_installed(package):
    try:
        get_package_prefix(package)
    except PackageNotFoundError:
        return False
    return True


def what_can_be_shown(context):
    wants_window = LaunchConfiguration('rviz').perform(context) == 'true'
    if wants_window and not is_installed('rviz2'):
        return [
            LogInfo(
                msg='rviz2 is not installed here. The page in the browser shows the same: '
                'chefmate view. For RViz: apt install ros-jazzy-rviz2, or another host.'
            )
        ]
    sim_time = value('use_sim_time', bool)
    shown = [
        include('dds.launch.py', NETWORK),  # without it, large images get lost
        include('description.launch.py', ('urdf', 'ghost', 'use_sim_time')),
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
