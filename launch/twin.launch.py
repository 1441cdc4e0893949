"""The arm and its twin in a simulator, with the difference on the screen.

    ros2 launch chefmate twin.launch.py
    ros2 launch chefmate twin.launch.py hardware:=real twin:=isaac
    ros2 launch chefmate twin.launch.py mode:=replay bag:=SESSION
    ros2 launch chefmate twin.launch.py mode:=command

`mode:=mirror` (the default): a virtual arm does a task in the kitchen, as in teleop.launch.py, and
a second kitchen follows it. `mode:=replay`: a recording moves the twin; its end is the end.
`mode:=command`: the simulator is the arm, behind the same topics and the same safety gate; keys
of `chefmate teleop` move it. `arm:=none` starts no arm: beside deploy or teleop, which have one.
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, GroupAction, OpaqueFunction, Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from chefmate.launch_parts import (
    NETWORK,
    RESTARTED,
    calibration,
    calibration_dir,
    end_if_refused,
    ends_soon,
    flag,
    include,
    network,
    params_file,
    preset,
    run_dir,
    value,
)
from chefmate_core.errors import ConfigurationError

ARGUMENTS = [
    DeclareLaunchArgument(
        'mode',
        default_value='mirror',
        choices=['mirror', 'command', 'replay'],
        description='The twin follows the arm; the twin is the arm; the twin follows a recording.',
    ),
    DeclareLaunchArgument(
        'twin',
        default_value='mujoco',
        choices=['mujoco', 'isaac', 'none'],
        description='mujoco: a second kitchen. isaac: Isaac Sim, which you start. none: none.',
    ),
    DeclareLaunchArgument(
        'arm',
        default_value='teleop',
        choices=['teleop', 'none'],
        description='teleop: start an arm and who moves it. none: another launch has done so.',
    ),
    DeclareLaunchArgument(
        'hardware',
        default_value='sim',
        choices=['sim', 'real'],
        description='The arm: a virtual one in a simulated kitchen, or that of this machine.',
    ),
    DeclareLaunchArgument(
        'instruction',
        default_value='pick up the bread slice and place it on the plate',
        description='What the virtual arm does.',
    ),
    DeclareLaunchArgument(
        'bag', default_value=' ', description='mode:=replay: a session or a rosbag2 folder.'
    ),
    DeclareLaunchArgument(
        'speed', default_value='1.0', description='mode:=replay: times real time.'
    ),
    DeclareLaunchArgument('seed', default_value='0', description='Which kitchen, of both.'),
    preset(),
    DeclareLaunchArgument(
        'report_period', default_value='2.0', description='A line about the twin so often, s.'
    ),
    flag('cameras', 'false', 'Whether the pictures of the arm are drawn or taken, too.'),
    flag(
        'view',
        'true',
        'Serve the page, where the twin is a ghost beside the arm (docs/viewer.md).',
    ),
    flag(
        'use_sim_time',
        'false',
        'Take the time from /clock, where arm and twin both live in simulation time.',
    ),
    calibration_dir(),
    params_file('twin.yaml'),
    run_dir(),
    *network(),
]


def bridge(mode, publishes):
    # Whose end is the end of the launch. A new driver would not know of the old one's stop.
    end = {
        'replay': 'the recording is over',
        'command': "the simulated arm's driver ended",
    }.get(mode)
    return Node(
        package='chefmate',
        executable='joint_state_bridge_node',
        name='joint_state_bridge',
        parameters=[
            LaunchConfiguration('params_file'),
            {
                'mode': mode,
                'publish_joint_states': publishes,
                'report_period': value('report_period', float),
                'preset': LaunchConfiguration('preset'),
                'bag': value('bag', str),
                'speed': value('speed', float),
                'use_sim_time': value('use_sim_time', bool),
            },
        ],
        output='screen',
        respawn=end is None,
        respawn_delay=1.0,
        on_exit=Shutdown(reason=end) if end else end_if_refused,
    )


def second_kitchen():
    """MuJoCo in Isaac Sim's place. What happens to it must not end a launch with a real arm."""
    return Node(
        package='chefmate_sim',
        executable='twin_node',
        name='twin',
        parameters=[
            {'seed': value('seed', int)},
            LaunchConfiguration('params_file'),
        ],
        output='screen',
        **RESTARTED,
    )


def keys():
    """What moves a simulated arm by the keys of `chefmate teleop`."""
    return Node(
        package='chefmate',
        executable='teleop_node',
        name='teleop',
        parameters=[
            {
                'source': 'keyboard',
                'follower_calibration': calibration('follower'),
                'preset': LaunchConfiguration('preset'),
            }
        ],
        output='screen',
        on_exit=Shutdown(reason='teleop_node ended'),
    )


def what_runs(context):
    mode = LaunchConfiguration('mode').perform(context)
    twin = LaunchConfiguration('twin').perform(context)
    has_arm = LaunchConfiguration('arm').perform(context) == 'teleop'
    if LaunchConfiguration('hardware').perform(context) == 'real' and mode != 'mirror':
        raise ConfigurationError(
            f'mode:={mode} moves no real arm, and hardware:=real is one. Leave hardware out, or '
            'use mode:=mirror'
        )
    # The launch that has the arm has a bridge for joint_states, too.
    publishes = has_arm or mode == 'command' or (mode == 'mirror' and twin == 'none')
    running = [bridge('none' if twin == 'none' and mode == 'mirror' else mode, publishes)]
    if twin == 'mujoco':
        running.append(second_kitchen())
    if has_arm and mode == 'mirror':
        running.append(
            GroupAction([
                include(
                    'teleop.launch.py',
                    ('hardware', 'instruction', 'seed', 'preset', 'cameras', 'calibration_dir',
                     'params_file', 'run_dir', *NETWORK),
                    {'bridge': 'false', 'view': 'false'},
                ),
            ])
        )  # fmt: skip
    if has_arm and mode == 'command':
        running.append(keys())
    if LaunchConfiguration('view').perform(context) == 'true':
        running.append(include('viewer.launch.py'))
    return running


def generate_launch_description():
    return LaunchDescription([
        *ARGUMENTS,
        *ends_soon(),
        include('dds.launch.py', NETWORK),
        OpaqueFunction(function=what_runs),
    ])  # fmt: skip
