"""A person moves the follower, with a leader arm or a keyboard.

    ros2 launch chefmate teleop.launch.py
    ros2 launch chefmate teleop.launch.py hardware:=real

`hardware:=sim` (the default) needs no arm: a scripted hand moves a virtual leader through the
task named by the instruction. `hardware:=real`: the arm at /dev/follower does as the one at
/dev/leader. `hardware:=isaac`: the arm in Isaac Sim does.
`chefmate teleop` in another terminal has the clutch, the keys and the live numbers.
"""

import os
import tempfile

from launch import LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    GroupAction,
    IncludeLaunchDescription,
    SetLaunchConfiguration,
    Shutdown,
)
from launch.conditions import IfCondition, UnlessCondition
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

# Where the virtual arms' ports appear; one place for each user and ROS domain.
RUN_DIR = os.path.join(
    tempfile.gettempdir(), f'chefmate-{os.getuid()}-{os.environ.get("ROS_DOMAIN_ID", "0")}'
)

ARGUMENTS = [
    DeclareLaunchArgument(
        'hardware',
        default_value='sim',
        choices=['sim', 'isaac', 'real'],
        description='A simulated kitchen with two virtual arms, the arm in Isaac Sim and a real '
        'leader, or the arms of this machine.',
    ),
    DeclareLaunchArgument(
        'source',
        default_value='leader',
        choices=['leader', 'keyboard'],
        description='Who moves the follower. keyboard: by `chefmate teleop` in a terminal.',
    ),
    DeclareLaunchArgument(
        'leader',
        default_value='scripted',
        choices=['scripted', 'idle'],
        description='What a hand does with the simulated leader: the task in force, or nothing.',
    ),
    DeclareLaunchArgument(
        'instruction',
        default_value='pick up the bread slice and place it on the plate',
        description='The task, published as policy/instruction. none: somebody else says it.',
    ),
    DeclareLaunchArgument(
        'engaged',
        default_value='true',
        choices=['true', 'false'],
        description='false: the follower holds until somebody engages the clutch.',
    ),
    DeclareLaunchArgument(
        'cameras',
        default_value='true',
        choices=['true', 'false'],
        description='false: no pictures, drawn or taken.',
    ),
    DeclareLaunchArgument(
        'bridge',
        default_value='true',
        choices=['true', 'false'],
        description='joint_states for RViz. false: another launch has the bridge.',
    ),
    DeclareLaunchArgument(
        'view',
        default_value='false',
        choices=['true', 'false'],
        description='Serve the page, where one watches and stops the arm (docs/viewer.md).',
    ),
    DeclareLaunchArgument('seed', default_value='0', description='Which simulated kitchen.'),
    DeclareLaunchArgument(
        'preset',
        default_value='careful',
        choices=['careful', 'normal', 'fast'],
        description='Limits of the safety gate.',
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
        default_value=PathJoinSubstitution(
            [FindPackageShare('chefmate'), 'config', 'teleop.yaml']
        ),
        description="ROS parameter file that is read after the nodes' defaults.",
    ),
    DeclareLaunchArgument(
        'camera_rate_hz', default_value='15.0', description='Rate of the simulated cameras.'
    ),
    DeclareLaunchArgument(
        'follower_port', default_value='/dev/follower', description='Port of the real follower.'
    ),
    DeclareLaunchArgument(
        'leader_port', default_value='/dev/leader', description='Port of the real leader.'
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


def include(name, arguments, **options):
    """Another of our launch files; what is not named here it takes from this one's arguments."""
    return IncludeLaunchDescription(
        PythonLaunchDescriptionSource(
            PathJoinSubstitution([FindPackageShare('chefmate'), 'launch', name])
        ),
        launch_arguments=arguments.items(),
        **options,
    )


def calibration(arm):
    return PathJoinSubstitution([LaunchConfiguration('calibration_dir'), f'{arm}.json'])


def driver(arm, is_sim, accepts_commands):
    """An arm's driver; the leader's is the same code with torque off."""
    return include(
        'arm.launch.py',
        {
            'namespace': arm,
            'port': IfElseSubstitution(
                is_sim,
                PathJoinSubstitution([LaunchConfiguration('run_dir'), arm]),
                LaunchConfiguration(f'{arm}_port'),
            ),
            'calibration': calibration(arm),
            'preset': LaunchConfiguration('preset'),
            'accepts_commands': accepts_commands,
            'wait_for_port_s': IfElseSubstitution(is_sim, '60.0', '0.0'),
        },
    )


def end_if_refused(event, context):
    """What comes back after a crash does not after it said why not."""
    del context
    if event.returncode == 1:
        return Shutdown(reason=f'{event.process_name} refused to go on')
    return None


def teleop():
    return Node(
        package='chefmate',
        executable='teleop_node',
        name='teleop',
        parameters=[
            {
                'source': LaunchConfiguration('source'),
                'leader_calibration': calibration('leader'),
                'follower_calibration': calibration('follower'),
                'preset': LaunchConfiguration('preset'),
                'starts_engaged': ParameterValue(LaunchConfiguration('engaged'), value_type=bool),
                'paused_marker': PathJoinSubstitution(
                    [LaunchConfiguration('run_dir'), 'clutch_is_open']
                ),
                'instruction': ParameterValue(LaunchConfiguration('instruction'), value_type=str),
            },
            LaunchConfiguration('params_file'),
        ],
        output='screen',
        # It comes back after a crash: the arm holds meanwhile and goes on by a blend.
        respawn=True,
        respawn_delay=1.0,
        on_exit=end_if_refused,
    )


def bridge(mode, **options):
    return Node(
        package='chefmate',
        executable='joint_state_bridge_node',
        name='joint_state_bridge',
        parameters=[
            {'mode': mode, 'preset': LaunchConfiguration('preset')},
            LaunchConfiguration('params_file'),
        ],
        output='screen',
        **options,
    )


def bridges(is_isaac):
    """joint_states, or the driver of Isaac Sim's arm. Neither beside another bridge.

    That driver does not come back: it would not know that its predecessor was stopped.
    """
    ended = Shutdown(reason="the simulated arm's driver ended")
    restarted = {'respawn': True, 'respawn_delay': 1.0, 'on_exit': end_if_refused}
    return GroupAction(
        [
            bridge('command', on_exit=ended, condition=IfCondition(is_isaac)),
            bridge('none', **restarted, condition=UnlessCondition(is_isaac)),
        ],
        condition=IfCondition(LaunchConfiguration('bridge')),
    )


def generate_launch_description():
    is_sim = EqualsSubstitution(LaunchConfiguration('hardware'), 'sim')
    is_isaac = EqualsSubstitution(LaunchConfiguration('hardware'), 'isaac')
    has_leader = EqualsSubstitution(LaunchConfiguration('source'), 'leader')
    return LaunchDescription([
        *ARGUMENTS,
        # Everything has ended 3 s after Ctrl-C, also under the real launch.
        SetLaunchConfiguration('sigterm_timeout', '1.5'),
        SetLaunchConfiguration('sigkill_timeout', '1.0'),
        include(
            'dds.launch.py',
            {
                'discovery': LaunchConfiguration('discovery'),
                'peers': LaunchConfiguration('peers'),
            },
        ),
        include(
            'world.launch.py',
            {
                name: LaunchConfiguration(name)
                for name in ('hardware', 'cameras', 'seed', 'leader', 'camera_rate_hz',
                             'run_dir', 'calibration_dir', 'params_file')
            },
        ),
        GroupAction([driver('follower', is_sim, 'true')], condition=UnlessCondition(is_isaac)),
        bridges(is_isaac),
        GroupAction([driver('leader', is_sim, 'false')], condition=IfCondition(has_leader)),
        teleop(),
        include('viewer.launch.py', {}, condition=IfCondition(LaunchConfiguration('view'))),
    ])  # fmt: skip
