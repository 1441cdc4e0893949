"""What every process needs for DDS: large images arrive, and discovery stays where it should."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare


def generate_launch_description():
    config = PathJoinSubstitution([FindPackageShare('chefmate'), 'config'])
    return LaunchDescription([
        DeclareLaunchArgument(
            'discovery',
            default_value='LOCALHOST',
            choices=['LOCALHOST', 'SUBNET'],
            description='Who may find these nodes: this host only, or two hosts on one network.',
        ),
        SetEnvironmentVariable('ROS_AUTOMATIC_DISCOVERY_RANGE', LaunchConfiguration('discovery')),
        SetEnvironmentVariable(
            'FASTRTPS_DEFAULT_PROFILES_FILE', PathJoinSubstitution([config, 'fastdds.xml'])
        ),
        SetEnvironmentVariable(
            'CYCLONEDDS_URI', ['file://', PathJoinSubstitution([config, 'cyclonedds.xml'])]
        ),
        # Arrays here have six elements: a linear algebra library's threads only get in the way.
        SetEnvironmentVariable('OMP_NUM_THREADS', '1'),
        SetEnvironmentVariable('OPENBLAS_NUM_THREADS', '1'),
    ])  # fmt: skip
