"""The recorder, with teleoperation or beside whatever moves the arm already.

    ros2 launch chefmate record.launch.py session:=recordings/cheese \
        instruction:='pick up the cheese and place it on the plate'

Episodes begin and end by the services /recorder/start_recording, stop_recording and
discard_episode, by the keys of `chefmate record`, or by the timers.
"""

import os
import tempfile

from launch import LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    GroupAction,
    IncludeLaunchDescription,
    Shutdown,
)
from launch.conditions import IfCondition
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

# Arguments of teleop.launch.py that are handed on.
OF_TELEOP = [
    DeclareLaunchArgument(
        'hardware',
        default_value='sim',
        choices=['sim', 'isaac', 'real'],
        description='A simulated kitchen with two virtual arms, the arm in Isaac Sim and a real '
        'leader, or the arms of this machine.',
    ),
    DeclareLaunchArgument(
        'instruction',
        default_value='pick up the bread slice and place it on the plate',
        description='The task, in plain language.',
    ),
    DeclareLaunchArgument(
        'leader',
        default_value='scripted',
        choices=['scripted', 'idle'],
        description='What a hand does with the simulated leader: the task in force, or nothing.',
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
        'camera_rate_hz',
        default_value='15.0',
        description='Rate of the simulated cameras; real ones have 30 (camera.yaml).',
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
ARGUMENTS = [
    DeclareLaunchArgument(
        'session',
        default_value='',
        description='Folder to record to; a session that is there is continued. Empty: '
        'recordings/<date and time>.',
    ),
    DeclareLaunchArgument(
        'overwrite',
        default_value='false',
        choices=['true', 'false'],
        description='Replace the session that is there, when the first episode begins.',
    ),
    DeclareLaunchArgument(
        'teleop',
        default_value='true',
        choices=['true', 'false'],
        description='Start teleoperation too. false: arm and cameras run already.',
    ),
    DeclareLaunchArgument(
        'moved_by',
        default_value='teleop',
        description='Who moves the arm, for session.json: teleop, policy.',
    ),
    DeclareLaunchArgument(
        'record_leader',
        default_value='true',
        choices=['true', 'false'],
        description='Record the leader arm too; it must be there then.',
    ),
    DeclareLaunchArgument('episodes', default_value='0', description='How many; 0: no end.'),
    DeclareLaunchArgument(
        'episode_time_s', default_value='0.0', description='Length of each; 0: until stopped.'
    ),
    DeclareLaunchArgument(
        'reset_time_s',
        default_value='0.0',
        description='Pause before the next begins by itself; 0: never.',
    ),
    DeclareLaunchArgument(
        'autostart',
        default_value='false',
        choices=['true', 'false'],
        description='Begin the first episode as soon as all is there.',
    ),
    DeclareLaunchArgument(
        'recorder_params_file',
        default_value=PathJoinSubstitution(
            [FindPackageShare('chefmate'), 'config', 'recorder.yaml']
        ),
        description='ROS parameter file of the recorder; these arguments have the last word.',
    ),
]


def calibration(arm):
    return PathJoinSubstitution([LaunchConfiguration('calibration_dir'), f'{arm}.json'])


def argument(name, kind):
    return ParameterValue(LaunchConfiguration(name), value_type=kind)


def include(name, arguments):
    return IncludeLaunchDescription(
        PythonLaunchDescriptionSource(
            PathJoinSubstitution([FindPackageShare('chefmate'), 'launch', name])
        ),
        launch_arguments=[(entry.name, LaunchConfiguration(entry.name)) for entry in arguments],
    )


def end_if_refused(event, context):
    """A recorder that dies takes nobody with it: the arm goes on. One that refuses said why."""
    del context
    if event.returncode == 1:
        return Shutdown(reason='recorder_node refused to go on')
    return None


def recorder():
    is_sim = EqualsSubstitution(LaunchConfiguration('hardware'), 'sim')
    return Node(
        package='chefmate',
        executable='recorder_node',
        name='recorder',
        parameters=[
            LaunchConfiguration('recorder_params_file'),
            {
                'session': argument('session', str),
                'overwrite': argument('overwrite', bool),
                'instruction': argument('instruction', str),
                'source': argument('moved_by', str),
                'camera_rate_hz': ParameterValue(
                    IfElseSubstitution(is_sim, LaunchConfiguration('camera_rate_hz'), '30.0'),
                    value_type=float,
                ),
                'episodes': argument('episodes', int),
                'episode_time_s': argument('episode_time_s', float),
                'reset_time_s': argument('reset_time_s', float),
                'autostart': argument('autostart', bool),
                'follower_calibration': calibration('follower'),
                'leader_calibration': ParameterValue(
                    IfElseSubstitution(
                        LaunchConfiguration('record_leader'), calibration('leader'), ''
                    ),
                    value_type=str,
                ),
            },
        ],
        output='screen',
        on_exit=end_if_refused,
    )


def generate_launch_description():
    return LaunchDescription([
        *OF_TELEOP,
        *ARGUMENTS,
        include('dds.launch.py', OF_TELEOP[-2:]),
        recorder(),
        GroupAction(
            [include('teleop.launch.py', OF_TELEOP)],
            condition=IfCondition(LaunchConfiguration('teleop')),
        ),
    ])  # fmt: skip
