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

import os
import tempfile

from launch import LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    GroupAction,
    IncludeLaunchDescription,
    OpaqueFunction,
    SetLaunchConfiguration,
    Shutdown,
)
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import (
    EqualsSubstitution,
    IfElseSubstitution,
    LaunchConfiguration,
    PathJoinSubstitution,
)
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

from chefmate_core.calibrating.files import default_folder
from chefmate_core.errors import ConfigurationError

# Where the virtual arms' ports appear; one place for each user and ROS domain.
RUN_DIR = os.path.join(
    tempfile.gettempdir(), f'chefmate-{os.getuid()}-{os.environ.get("ROS_DOMAIN_ID", "0")}'
)

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
    DeclareLaunchArgument(
        'preset',
        default_value='careful',
        choices=['careful', 'normal', 'fast'],
        description='Limits of the safety gate.',
    ),
    DeclareLaunchArgument(
        'report_period', default_value='2.0', description='A line about the twin so often, s.'
    ),
    DeclareLaunchArgument(
        'cameras',
        default_value='false',
        choices=['true', 'false'],
        description='Whether the pictures of the arm are drawn or taken, too.',
    ),
    DeclareLaunchArgument(
        'view',
        default_value='true',
        choices=['true', 'false'],
        description='Serve the page, where the twin is a ghost beside the arm (docs/viewer.md).',
    ),
    DeclareLaunchArgument(
        'use_sim_time',
        default_value='false',
        choices=['true', 'false'],
        description='Take the time from /clock, where arm and twin both live in simulation time.',
    ),
    DeclareLaunchArgument(
        'calibration_dir',
        default_value=IfElseSubstitution(
            EqualsSubstitution(LaunchConfiguration('hardware'), 'real'),
            str(default_folder()),
            PathJoinSubstitution([FindPackageShare('chefmate'), 'calibration']),
        ),
        description="Folder of follower.json and leader.json, in LeRobot's format. Unless named: "
        "the simulated arms' own, or where `chefmate calibrate` writes.",
    ),
    DeclareLaunchArgument(
        'params_file',
        default_value=PathJoinSubstitution([FindPackageShare('chefmate'), 'config', 'twin.yaml']),
        description="ROS parameter file that is read after the nodes' defaults.",
    ),
    DeclareLaunchArgument(
        'run_dir', default_value=RUN_DIR, description="Folder of the virtual arms' ports."
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


def include(name, *passed_on, **arguments):
    return IncludeLaunchDescription(
        PythonLaunchDescriptionSource(
            PathJoinSubstitution([FindPackageShare('chefmate'), 'launch', name])
        ),
        launch_arguments={
            **{name: LaunchConfiguration(name) for name in passed_on},
            **arguments,
        }.items(),
    )


def end_if_refused(event, context):
    """Twin and bridge come back after a crash, but not after they said why not."""
    del context
    if event.returncode == 1:
        return Shutdown(reason=f'{event.process_name} refused to go on')
    return None


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
                'report_period': ParameterValue(
                    LaunchConfiguration('report_period'), value_type=float
                ),
                'preset': LaunchConfiguration('preset'),
                'bag': ParameterValue(LaunchConfiguration('bag'), value_type=str),
                'speed': ParameterValue(LaunchConfiguration('speed'), value_type=float),
                'use_sim_time': ParameterValue(
                    LaunchConfiguration('use_sim_time'), value_type=bool
                ),
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
            {'seed': ParameterValue(LaunchConfiguration('seed'), value_type=int)},
            LaunchConfiguration('params_file'),
        ],
        output='screen',
        respawn=True,
        respawn_delay=1.0,
        on_exit=end_if_refused,
    )


def keys():
    """What moves a simulated arm by the keys of `chefmate teleop`."""
    folder = LaunchConfiguration('calibration_dir')
    return Node(
        package='chefmate',
        executable='teleop_node',
        name='teleop',
        parameters=[
            {
                'source': 'keyboard',
                'follower_calibration': PathJoinSubstitution([folder, 'follower.json']),
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
    publishes = has_arm or mode != 'mirror' or twin == 'none'
    running = [bridge('none' if twin == 'none' and mode == 'mirror' else mode, publishes)]
    if twin == 'mujoco':
        running.append(second_kitchen())
    if has_arm and mode == 'mirror':
        running.append(
            GroupAction([
                include('teleop.launch.py', 'hardware', 'instruction', 'seed', 'preset', 'cameras',
                        'calibration_dir', 'params_file', 'run_dir', 'discovery', 'peers',
                        bridge='false', view='false'),
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
        # Everything has ended 3 s after Ctrl-C, also under the real launch.
        SetLaunchConfiguration('sigterm_timeout', '1.5'),
        SetLaunchConfiguration('sigkill_timeout', '1.0'),
        include('dds.launch.py', 'discovery', 'peers'),
        OpaqueFunction(function=what_runs),
    ])  # fmt: skip
