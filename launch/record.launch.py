"""The recorder, with teleoperation or beside whatever moves the arm already.

    ros2 launch chefmate record.launch.py session:=recordings/cheese \
        instruction:='pick up the cheese and place it on the plate'

Episodes begin and end by the services /recorder/start_recording, stop_recording and
discard_episode, by the keys of `chefmate record`, or by the timers.
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, GroupAction
from launch.substitutions import (
    EqualsSubstitution,
    IfElseSubstitution,
    LaunchConfiguration,
    PathJoinSubstitution,
)
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue
from launch_ros.substitutions import FindPackageShare

from chefmate.launch_parts import (
    NETWORK,
    calibration,
    calibration_dir,
    camera_rate_hz,
    end_if_refused,
    flag,
    include,
    is_true,
    network,
    port,
    preset,
    run_dir,
    seed,
    value,
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
    seed(),
    preset(),
    calibration_dir(),
    camera_rate_hz(),
    port('follower'),
    port('leader'),
    run_dir(),
    *network(),
]
ARGUMENTS = [
    DeclareLaunchArgument(
        'session',
        default_value='',
        description='Folder to record to; a session that is there is continued. Empty: '
        'recordings/<date and time>.',
    ),
    flag(
        'overwrite', 'false', 'Replace the session that is there, when the first episode begins.'
    ),
    flag('teleop', 'true', 'Start teleoperation too. false: arm and cameras run already.'),
    DeclareLaunchArgument(
        'moved_by',
        default_value='teleop',
        description='Who moves the arm, for session.json: teleop, policy.',
    ),
    flag('record_leader', 'true', 'Record the leader arm too; it must be there then.'),
    DeclareLaunchArgument('episodes', default_value='0', description='How many; 0: no end.'),
    DeclareLaunchArgument(
        'episode_time_s', default_value='0.0', description='Length of each; 0: until stopped.'
    ),
    DeclareLaunchArgument(
        'reset_time_s',
        default_value='0.0',
        description='Pause before the next begins by itself; 0: never.',
    ),
    flag('autostart', 'false', 'Begin the first episode as soon as all is there.'),
    DeclareLaunchArgument(
        'recorder_params_file',
        default_value=PathJoinSubstitution(
            [FindPackageShare('chefmate'), 'config', 'recorder.yaml']
        ),
        description='ROS parameter file of the recorder; these arguments have the last word.',
    ),
]


def recorder():
    is_sim = EqualsSubstitution(LaunchConfiguration('hardware'), 'sim')
    return Node(
        package='chefmate',
        executable='recorder_node',
        name='recorder',
        sigterm_timeout='12.0',  # it may have an episode to put on the disk
        sigkill_timeout='3.0',
        parameters=[
            LaunchConfiguration('recorder_params_file'),
            {
                'session': value('session', str),
                'overwrite': value('overwrite', bool),
                'instruction': value('instruction', str),
                'source': value('moved_by', str),
                'camera_rate_hz': ParameterValue(
                    IfElseSubstitution(is_sim, LaunchConfiguration('camera_rate_hz'), '30.0'),
                    value_type=float,
                ),
                'episodes': value('episodes', int),
                'episode_time_s': value('episode_time_s', float),
                'reset_time_s': value('reset_time_s', float),
                'autostart': value('autostart', bool),
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
        # One that dies takes nobody with it: the arm goes on. One that refuses said why.
        on_exit=end_if_refused,
    )


def generate_launch_description():
    return LaunchDescription([
        *OF_TELEOP,
        *ARGUMENTS,
        include('dds.launch.py', NETWORK),
        recorder(),
        GroupAction(
            [include('teleop.launch.py', [argument.name for argument in OF_TELEOP])],
            condition=is_true('teleop'),
        ),
    ])  # fmt: skip
