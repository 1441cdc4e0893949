"""A person moves the follower, with a leader arm or a keyboard.

    ros2 launch chefmate teleop.launch.py
    ros2 launch chefmate teleop.launch.py hardware:=real

`hardware:=sim` (the default) needs no arm: a scripted hand moves a virtual leader through the
task named by the instruction. `hardware:=real`: the arm at /dev/follower does as the one at
/dev/leader. `hardware:=isaac`: the arm in Isaac Sim does.
`chefmate teleop` in another terminal has the clutch, the keys and the live numbers.
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, GroupAction, Shutdown
from launch.conditions import IfCondition, UnlessCondition
from launch.substitutions import (
    EqualsSubstitution,
    LaunchConfiguration,
    PathJoinSubstitution,
)
from launch_ros.actions import Node

from chefmate.launch_parts import (
    NETWORK,
    RESTARTED,
    calibration,
    calibration_dir,
    camera_rate_hz,
    driver,
    ends_soon,
    flag,
    include,
    is_true,
    network,
    params_file,
    port,
    preset,
    run_dir,
    seed,
    value,
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
    flag('engaged', 'true', 'false: the follower holds until somebody engages the clutch.'),
    flag('cameras', 'true', 'false: no pictures, drawn or taken.'),
    flag('bridge', 'true', 'joint_states for RViz. false: another launch has the bridge.'),
    flag('view', 'false', 'Serve the page, where one watches and stops the arm (docs/viewer.md).'),
    seed(),
    preset(),
    calibration_dir(),
    params_file('teleop.yaml'),
    camera_rate_hz(),
    port('follower'),
    port('leader'),
    run_dir(),
    *network(),
]


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
                'starts_engaged': value('engaged', bool),
                'paused_marker': PathJoinSubstitution(
                    [LaunchConfiguration('run_dir'), 'clutch_is_open']
                ),
                'instruction': value('instruction', str),
            },
            LaunchConfiguration('params_file'),
        ],
        output='screen',
        # It comes back after a crash: the arm holds meanwhile and goes on by a blend.
        **RESTARTED,
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
    return GroupAction(
        [
            bridge('command', on_exit=ended, condition=IfCondition(is_isaac)),
            bridge('none', **RESTARTED, condition=UnlessCondition(is_isaac)),
        ],
        condition=is_true('bridge'),
    )


def generate_launch_description():
    is_isaac = EqualsSubstitution(LaunchConfiguration('hardware'), 'isaac')
    has_leader = EqualsSubstitution(LaunchConfiguration('source'), 'leader')
    return LaunchDescription([
        *ARGUMENTS,
        *ends_soon(),
        include('dds.launch.py', NETWORK),
        include(
            'world.launch.py',
            ('hardware', 'cameras', 'seed', 'leader', 'camera_rate_hz', 'run_dir',
             'calibration_dir', 'params_file'),
        ),
        GroupAction([driver('follower')], condition=UnlessCondition(is_isaac)),
        bridges(is_isaac),
        # The same code with torque off.
        GroupAction([driver('leader', 'false')], condition=IfCondition(has_leader)),
        teleop(),
        include('viewer.launch.py', condition=is_true('view')),
    ])  # fmt: skip
