"""The kitchen, the arm and a policy, until the task named by the instruction is done.

    ros2 launch chefmate deploy.launch.py instruction:='pick up the cheese and put it on the plate'

`hardware:=sim` (the default) needs no arm: the same driver talks to virtual servos in a simulated
kitchen. `hardware:=isaac`: Isaac Sim, which you start, is arm, cameras and kitchen, behind the
same safety gate. `hardware:=real` moves the arm at /dev/follower.
"""

import os
import tempfile
import time

from launch import LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    GroupAction,
    IncludeLaunchDescription,
    SetEnvironmentVariable,
    SetLaunchConfiguration,
    Shutdown,
)
from launch.conditions import IfCondition, UnlessCondition
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import (
    EqualsSubstitution,
    IfElseSubstitution,
    LaunchConfiguration,
    NotEqualsSubstitution,
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
            [FindPackageShare('chefmate'), 'config', 'deploy.yaml']
        ),
        description="ROS parameter file that is read after the nodes' defaults.",
    ),
    DeclareLaunchArgument(
        'camera_rate_hz', default_value='15.0', description='Rate of the simulated cameras.'
    ),
    DeclareLaunchArgument(
        'follower_port', default_value='/dev/follower', description='Serial port of the real arm.'
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
    DeclareLaunchArgument(
        'rviz', default_value='false', choices=['true', 'false'], description='Start RViz.'
    ),
    DeclareLaunchArgument(
        'view',
        default_value='true',
        choices=['true', 'false'],
        description='Serve the page, where one watches and stops the arm (docs/viewer.md).',
    ),
    DeclareLaunchArgument(
        'view_host',
        default_value='localhost',
        description='Address to serve the page at. Another than this host needs a token.',
    ),
    DeclareLaunchArgument(
        'view_port', default_value='8080', description='First port to try; the next free is taken.'
    ),
    DeclareLaunchArgument(
        'view_token_file',
        default_value='',
        description='File with the token that browsers must bring; empty: CHEFMATE_VIEW_TOKEN.',
    ),
    DeclareLaunchArgument(
        'control',
        default_value=NotEqualsSubstitution(LaunchConfiguration('hardware'), 'real'),
        choices=['true', 'false'],
        description='Whether the page also gives tasks, records, and releases the stop.',
    ),
    DeclareLaunchArgument(
        'record',
        default_value='false',
        choices=['true', 'false'],
        description='Record the task as an episode; with instruction:=none whenever asked to, '
        'on the page say (docs/recording.md).',
    ),
    DeclareLaunchArgument(
        'session',
        default_value='',
        description='Folder to record to; empty: recordings/<date and time>.',
    ),
    DeclareLaunchArgument(
        'isaac',
        default_value='false',
        choices=['true', 'false'],
        description="Isaac Sim's arm does as this one does (docs/twin.md); not with "
        'hardware:=isaac, where it is the arm.',
    ),
]


def launch_file(name):
    return PythonLaunchDescriptionSource(
        PathJoinSubstitution([FindPackageShare('chefmate'), 'launch', name])
    )


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

    def end_if_refused(event, context):
        del context
        if event.returncode == 1:
            return Shutdown(reason=f'{executable} refused to go on')
        return None

    return node(executable, respawn=True, respawn_delay=1.0, on_exit=end_if_refused, **options)


def arm():
    """The follower's driver."""
    is_sim = EqualsSubstitution(LaunchConfiguration('hardware'), 'sim')
    virtual_port = PathJoinSubstitution([LaunchConfiguration('run_dir'), 'follower'])
    return IncludeLaunchDescription(
        launch_file('arm.launch.py'),
        launch_arguments={
            'namespace': 'follower',
            'port': IfElseSubstitution(is_sim, virtual_port, LaunchConfiguration('follower_port')),
            'calibration': calibration('follower'),
            'preset': LaunchConfiguration('preset'),
            'wait_for_port_s': IfElseSubstitution(is_sim, '60.0', '0.0'),
        }.items(),
    )


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
    handed_on = ('hardware', 'session', 'calibration_dir', 'camera_rate_hz', 'discovery', 'peers')
    return IncludeLaunchDescription(
        launch_file('record.launch.py'),
        launch_arguments={
            **{name: LaunchConfiguration(name) for name in handed_on},
            # Before the next line: these look at the launch's own instruction.
            'episodes': IfElseSubstitution(has_task, '1', '0'),
            'autostart': has_task,
            'instruction': '',  # the task's own, from the moment it is in force
            'teleop': 'false',
            'record_leader': 'false',
            'moved_by': 'policy',
        }.items(),
    )


def rviz():
    """RViz and what it needs; its window is not what keeps the arm going."""
    handed_on = {name: LaunchConfiguration(name) for name in ('discovery', 'peers')}
    return IncludeLaunchDescription(
        launch_file('view.launch.py'),
        launch_arguments={**handed_on, 'rviz': 'true', 'ends_with_rviz': 'false'}.items(),
    )


def page():
    """The page; its end ends nothing."""
    handed_on = ('view_host', 'view_port', 'view_token_file', 'control')
    return IncludeLaunchDescription(
        launch_file('viewer.launch.py'),
        launch_arguments={name: LaunchConfiguration(name) for name in handed_on}.items(),
    )


def calibration(arm):
    return PathJoinSubstitution([LaunchConfiguration('calibration_dir'), f'{arm}.json'])


def generate_launch_description():
    hardware = LaunchConfiguration('hardware')
    is_sim = EqualsSubstitution(hardware, 'sim')
    is_isaac = EqualsSubstitution(hardware, 'isaac')
    has_task = NotEqualsSubstitution(LaunchConfiguration('instruction'), 'none')
    return LaunchDescription([
        *ARGUMENTS,
        # Everything has ended 3 s after Ctrl-C, also under the real launch.
        SetLaunchConfiguration('sigterm_timeout', '1.5'),
        SetLaunchConfiguration('sigkill_timeout', '1.0'),
        # The report counts from here.
        SetEnvironmentVariable('CHEFMATE_LAUNCHED_AT', f'{time.time():.3f}'),
        IncludeLaunchDescription(
            launch_file('dds.launch.py'),
            launch_arguments={
                'discovery': LaunchConfiguration('discovery'),
                'peers': LaunchConfiguration('peers'),
            }.items(),
        ),
        IncludeLaunchDescription(
            launch_file('world.launch.py'),
            launch_arguments={
                name: LaunchConfiguration(name)
                for name in ('hardware', 'seed', 'camera_rate_hz', 'run_dir', 'calibration_dir',
                             'params_file')
            }.items(),
        ),
        GroupAction([arm()], condition=UnlessCondition(is_isaac)),
        restarted(
            'action_executor_node',
            name='action_executor',
            parameters={'preset': LaunchConfiguration('preset')},
        ),
        restarted(
            'policy_node',
            name='policy',
            parameters={
                'policy': ParameterValue(LaunchConfiguration('policy'), value_type=str),
                'calibration': calibration('follower'),
                'camera_rate_hz': ParameterValue(
                    IfElseSubstitution(is_sim, LaunchConfiguration('camera_rate_hz'), '30.0'),
                    value_type=float,
                ),
                'policy_options': ParameterValue(
                    LaunchConfiguration('policy_options'), value_type=str
                ),
            },
        ),
        required(
            'task_node',
            name='task',
            parameters={
                'instruction': ParameterValue(LaunchConfiguration('instruction'), value_type=str),
                'max_duration_s': ParameterValue(
                    LaunchConfiguration('max_duration_s'), value_type=float
                ),
                'report': ParameterValue(LaunchConfiguration('report'), value_type=str),
                'hardware': hardware,
                'seed': ParameterValue(LaunchConfiguration('seed'), value_type=int),
            },
            condition=IfCondition(has_task),
        ),
        GroupAction([recorder()], condition=IfCondition(LaunchConfiguration('record'))),
        *bridges(is_isaac),
        GroupAction([page()], condition=IfCondition(LaunchConfiguration('view'))),
        GroupAction([rviz()], condition=IfCondition(LaunchConfiguration('rviz'))),
    ])  # fmt: skip
