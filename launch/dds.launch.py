"""What every process needs for DDS: large images arrive, and discovery stays where it should."""

import os
from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchDescription
from launch.actions import OpaqueFunction, SetEnvironmentVariable
from launch.substitutions import LaunchConfiguration

from chefmate.launch_parts import network
from chefmate_core.dds import dds_environment


def set_environment(context):
    variables = dds_environment(
        Path(get_package_share_directory('chefmate')) / 'config',
        two_hosts=LaunchConfiguration('discovery').perform(context) == 'SUBNET',
        peers=LaunchConfiguration('peers').perform(context).split(),
        inherited=os.environ,
    )
    return [SetEnvironmentVariable(name, value) for name, value in variables.items()]


def generate_launch_description():
    return LaunchDescription([
        *network(),
        OpaqueFunction(function=set_environment),
        # Arrays here have six elements: a linear algebra library's threads only get in the way.
        SetEnvironmentVariable('OMP_NUM_THREADS', '1'),
        SetEnvironmentVariable('OPENBLAS_NUM_THREADS', '1'),
    ])  # fmt: skip
