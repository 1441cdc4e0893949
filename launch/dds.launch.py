"""What every process needs for DDS: large images arrive, and discovery stays where it should."""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration, PathJoinSubstitution
from launch_ros.substitutions import FindPackageShare


def generate_launch_description():
    share = FindPackageShare('chefmate')
    return LaunchDescription([
        DeclareLaunchArgument(
            'discovery',
            default_value='LOCALHOST',
            choices=['LOCALHOST', 'SUBNET'],
            description='Who may find these nodes: this host only, or two hosts on one network.',
        ),
        SetEnvironmentVariable('ROS_AUTOMATIC_DISCOVERY_RANGE', LaunchConfiguration('discovery')),
        SetEnvironmentVariable(
            'FASTRTPS_DEFAULT_PROFILES_FILE', PathJoinSubstitution([share, 'config', 'fastdds.xml'])
        ),
        SetEnvironmentVariable(
            'CYCLONEDDS_URI', ['file://', PathJoinSubstitution([share, 'config', 'cyclonedds.xml'])]
        ),
        # The arrays here have six elements: threads of a linear algebra library only get in the way.
        SetEnvironmentVariable('OMP_NUM_THREADS', '1'),
        SetEnvironmentVariable('OPENBLAS_NUM_THREADS', '1'),
    ])  # fmt: skip
