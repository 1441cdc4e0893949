"""The kitchen, the arm and a policy, until the task named by the instruction is done.

    ros2 launch chefmate deploy.launch.py instruction:='pick up the cheese and put it on the plate'

`hardware:=sim` (the default) needs no arm: the same driver talks to virtual servos in a simulated
kitchen. `hardware:=isaac`: Isaac Sim, which you start, is arm, cameras and kitchen, behind the
same safety gate. `hardware:=real` moves the arm at /dev/follower.
"""

import time

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, GroupAction, SetEnvironmentVariable, Shutdown
from launch.conditions import IfCondition, UnlessCondition
from launch.substitutions import (
    EqualsSubstitution,
    IfElseSubstitution,
    LaunchConfiguration,
    NotEqualsSubstitution,
)
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

from chefmate.launch_parts import (
    NETWORK,
    PAGE,
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
    page_address,
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
        description='A simulated kitchen, Isaac Sim (docs/isaac.md), or the arm and cameras of '
        'this machine.',
    ),
    DeclareLaunchArgument(
        'policy',
        default_value='expert',
        description='expert, the name of a model, the folder of a checkpoint, org/name of the '
        'model hub, or a server: zmq://host:port, http://..., chefmate://... (docs/policies.md).',
    ),
    DeclareLaunchArgument(
        'policy_options', default_value='{}', description="The policy's own options, JSON."
    ),
    DeclareLaunchArgument(
        'instruction',
        default_value='pick up the bread slice and place it on the plate',
        description='What to do, in plain language. none: bring everything up and wait.',
    ),
    DeclareLaunchArgument(
        'max_duration_s', default_value='120.0', description='The task is given up after this.'
    ),
    DeclareLaunchArgument(
        'report', default_value='', description='File to write the JSON report to.'
    ),
    seed(),
    preset(),
    calibration_dir(),
    params_file('deploy.yaml'),
    camera_rate_hz(),
    port('follower'),
    run_dir(),
    *network(),
    flag('rviz', 'false', 'Start RViz.'),
    flag('view', 'true', 'Serve the page, where one watches and stops the arm (docs/viewer.md).'),
    *page_address(),
    flag(
        'control',
        NotEqualsSubstitution(LaunchConfiguration('hardware'), 'real'),
        'Whether the page also gives tasks, records, and releases the stop.',
    ),
    flag(
        'record',
        'false',
        'Record the task as an episode; with instruction:=none whenever asked to, '
        'on the page say (docs/recording.md).',
    ),
    DeclareLaunchArgument(
        'session',
        default_value='',
        description='Folder to record to; empty: recordings/<date and time>.',
    ),
    flag(
        'isaac',
        'false',
        "Isaac Sim's arm does as this one does (docs/twin.md); not with "
        'hardware:=isaac, where it is the arm.',
    ),
]


def node(executable, package='chefmate', parameters=None, **options):
    """A node of ours; the parameter file has the last word."""
    return Node(
        package=package,
        executable=executable,
        parameters=[parameters or {}, LaunchConfiguration('params_file')],
        output='screen',
        **options,
    )


def required(executable, **options):
    """A node whose end is the end of everything."""
    return node(executable, on_exit=Shutdown(reason=f'{executable} ended'), **options)


def restarted(executable, **options):
    """A node that comes back when it dies: the arm holds meanwhile and goes on by a blend.

    One that refuses to start (exit code 1: it said why) would do so for ever: that is the end.
    """
    return node(executable, **RESTARTED, **options)


def bridges(is_isaac):
    """joint_states, and the way to a twin; or the driver of Isaac Sim's arm.

    That one does not come back: it would not know that its predecessor was stopped.
    """
    name = 'joint_state_bridge'
    beside = IfElseSubstitution(LaunchConfiguration('isaac'), 'mirror', 'none')
    return [
        required(
            'joint_state_bridge_node',
            name=name,
            parameters={'mode': 'command', 'preset': LaunchConfiguration('preset')},
            condition=IfCondition(is_isaac),
        ),
        restarted(
            'joint_state_bridge_node',
            name=name,
            parameters={'mode': beside},
            condition=UnlessCondition(is_isaac),
        ),
    ]


def recorder():
    """The recorder: the task as one episode; without one, as its services and the page say."""
    has_task = NotEqualsSubstitution(LaunchConfiguration('instruction'), 'none')
    handed_on = ('hardware', 'session', 'calibration_dir', 'camera_rate_hz', *NETWORK)
    given = {
        # Before the next line: these look at the launch's own instruction.
        'episodes': IfElseSubstitution(has_task, '1', '0'),
        'autostart': has_task,
        'instruction': '',  # the task's own, from the moment it is in force
        'teleop': 'false',
        'record_leader': 'false',
        'moved_by': 'policy',
    }
    return include('record.launch.py', handed_on, given)


def rviz():
    """RViz and what it needs; its window is not what keeps the arm going."""
    return include('view.launch.py', NETWORK, {'rviz': 'true', 'ends_with_rviz': 'false'})


def generate_launch_description():
    hardware = LaunchConfiguration('hardware')
    is_sim = EqualsSubstitution(hardware, 'sim')
    is_isaac = EqualsSubstitution(hardware, 'isaac')
    has_task = NotEqualsSubstitution(LaunchConfiguration('instruction'), 'none')
    return LaunchDescription([
        *ARGUMENTS,
        *ends_soon(),
        # The report counts from here.
        SetEnvironmentVariable('CHEFMATE_LAUNCHED_AT', f'{time.time():.3f}'),
        include('dds.launch.py', NETWORK),
        include(
            'world.launch.py',
            ('hardware', 'seed', 'camera_rate_hz', 'run_dir', 'calibration_dir', 'params_file'),
        ),
        GroupAction([driver('follower')], condition=UnlessCondition(is_isaac)),
        restarted(
            'action_executor_node',
            name='action_executor',
            parameters={'preset': LaunchConfiguration('preset')},
        ),
        restarted(
            'policy_node',
            name='policy',
            parameters={
                'policy': value('policy', str),
                'calibration': calibration('follower'),
                'camera_rate_hz': ParameterValue(
                    IfElseSubstitution(is_sim, LaunchConfiguration('camera_rate_hz'), '30.0'),
                    value_type=float,
                ),
                'policy_options': value('policy_options', str),
            },
        ),
        required(
            'task_node',
            name='task',
            parameters={
                'instruction': value('instruction', str),
                'max_duration_s': value('max_duration_s', float),
                'report': value('report', str),
                'hardware': hardware,
                'seed': value('seed', int),
            },
            condition=IfCondition(has_task),
        ),
        GroupAction([recorder()], condition=is_true('record')),
        *bridges(is_isaac),
        include('viewer.launch.py', (*PAGE, 'control'), condition=is_true('view')),
        GroupAction([rviz()], condition=is_true('rviz')),
    ])  # fmt: skip
