"""One arm's driver alone.

ros2 launch chefmate arm.launch.py namespace:=follower port:=/dev/follower calibration:=FILE
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from chefmate.launch_parts import preset, value

ARGUMENTS = [
    DeclareLaunchArgument('namespace', default_value='follower', description='Name of the arm.'),
    DeclareLaunchArgument(
        'port', default_value='/dev/follower', description='Serial port, or a pseudo-terminal.'
    ),
    DeclareLaunchArgument('calibration', description="LeRobot's calibration JSON of this arm."),
    preset(),
    DeclareLaunchArgument(
        'accepts_commands',
        default_value='true',
        choices=['true', 'false'],
        description='false for a leader: torque stays off, it is only read.',
    ),
    DeclareLaunchArgument(
        'wait_for_port_s',
        default_value='0.0',
        description='How long port or servos may be silent at start, seconds.',
    ),
]


def generate_launch_description():
    driver = Node(
        package='chefmate',
        executable='arm_driver_node',
        name='arm_driver',
        namespace=LaunchConfiguration('namespace'),
        parameters=[
            {
                'port': LaunchConfiguration('port'),
                'calibration': LaunchConfiguration('calibration'),
                'preset': LaunchConfiguration('preset'),
                'accepts_commands': value('accepts_commands', bool),
                'wait_for_port_s': value('wait_for_port_s', float),
            }
        ],
        # One emergency stop for the whole robot, whatever the arm is called.
        remappings=[
            ('emergency_stop', '/emergency_stop'),
            ('emergency_stop_active', '/emergency_stop_active'),
        ],
        output='screen',
        on_exit=Shutdown(reason='the arm driver ended'),
    )
    return LaunchDescription([*ARGUMENTS, driver])
