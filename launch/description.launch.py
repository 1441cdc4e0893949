"""The arm's frames on /tf, and those of its twin, for RViz and everybody else.

    ros2 launch chefmate description.launch.py

Needs the package robot_state_publisher; where it is not installed, this says so and starts
nothing.
"""

from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_prefix
from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, LogInfo, OpaqueFunction
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

from chefmate.launch_parts import flag, use_sim_time, value

# Frames of the ghost: twin/base_link and so on; its topics: twin/joint_states.
TWIN = 'twin'

ARGUMENTS = [
    DeclareLaunchArgument(
        'urdf',
        default_value=PathJoinSubstitution(
            [FindPackageShare('chefmate_description'), 'urdf', 'so101.urdf']
        ),
        description='Robot description, a URDF file.',
    ),
    DeclareLaunchArgument(
        'joint_states',
        default_value='follower/joint_states',
        description='Where the arm is; the driver publishes it under the names of the URDF.',
    ),
    flag('ghost', 'true', f'Frames of the twin, too: {TWIN}/joint_states under {TWIN}/base_link.'),
    use_sim_time(),
]


def is_installed(package):
    try:
        get_package_prefix(package)
    except PackageNotFoundError:
        return False
    return True


def state_publisher(description, joint_states, namespace='', frame_prefix=''):
    sim_time = value('use_sim_time', bool)
    return Node(
        package='robot_state_publisher',
        executable='robot_state_publisher',
        name='robot_state_publisher',
        namespace=namespace,
        parameters=[
            {
                'robot_description': ParameterValue(description, value_type=str),
                'frame_prefix': frame_prefix,
                'use_sim_time': sim_time,
            }
        ],
        remappings=[('joint_states', joint_states)],
        output='screen',
    )


def publishers(context):
    if not is_installed('robot_state_publisher'):
        return [LogInfo(msg='no /tf: the package robot_state_publisher is not installed here')]
    description = Path(LaunchConfiguration('urdf').perform(context)).read_text(encoding='utf-8')
    nodes = [state_publisher(description, LaunchConfiguration('joint_states'))]
    if LaunchConfiguration('ghost').perform(context) == 'true':
        nodes.append(state_publisher(description, 'joint_states', TWIN, f'{TWIN}/'))
        nodes.append(
            Node(
                package='tf2_ros',
                executable='static_transform_publisher',
                name='twin_transform',
                arguments=['--frame-id', 'base_link', '--child-frame-id', f'{TWIN}/base_link'],
            )
        )
    return nodes


def generate_launch_description():
    return LaunchDescription([*ARGUMENTS, OpaqueFunction(function=publishers)])
