"""The built-in runner against the real launch: the same file, the same processes.

`started_by_launch.json` is what launch 3.4.3 with launch_ros 0.26.6 (ROS 2 Jazzy) started for the
launch file below. The built-in runner is held against it everywhere; where the real one is
installed, so is that, and CHEFMATE_WRITE_EXPECTED=1 writes the file anew.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from chefmate.launching.real import real_launch_installed

EXPECTED = Path(__file__).with_name('started_by_launch.json')

SAMPLE = """
    DeclareLaunchArgument('hardware', default_value='sim', choices=['sim', 'real']),
    DeclareLaunchArgument('rate', default_value='30'),
    DeclareLaunchArgument('instruction', default_value='pick up the bread: "slice", 30'),
    DeclareLaunchArgument('empty', default_value=''),
    SetEnvironmentVariable('PANTRY_EVERYWHERE', ['rate-', LaunchConfiguration('rate')]),
    Node(**COOK, arguments=['--id', 'plain', '--say', LaunchConfiguration('instruction')]),
    Node(**COOK, name='chef', namespace='kitchen', output='screen', arguments=['--id', 'full'],
         ros_arguments=['--log-level', 'info'],
         parameters=[
             PathJoinSubstitution([FindPackageShare('pantry'), 'pantry.yaml']),
             {'text': 'a b', 'number_text': '30', 'empty_text': '', 'truth': True, 'count': 3,
              'gain': 0.25, 'deep': {'er': {'list': ['a', 'b']}, 'ints': [1, 2]},
              'mixed': [1, 2.5], 'truths': [True, False],
              'from_yaml': LaunchConfiguration('rate'), 'empty': LaunchConfiguration('empty'),
              'joined': ['/dev/', LaunchConfiguration('hardware')],
              'each': [['a'], [LaunchConfiguration('hardware')]],
              'as_text': ParameterValue(LaunchConfiguration('rate'), value_type=str),
              'as_float': ParameterValue(LaunchConfiguration('rate'), value_type=float),
              'instruction': ParameterValue(LaunchConfiguration('instruction'), value_type=str),
              'is_sim': ParameterValue(EqualsSubstitution(LaunchConfiguration('hardware'), 'sim'),
                                       value_type=bool)},
         ],
         remappings=[('image_raw', '/wrist/image_raw'), ('~/a', LaunchConfiguration('hardware'))]),
    GroupAction([
        PushRosNamespace('outer'),
        SetEnvironmentVariable('PANTRY_GROUP', 'yes'),
        SetLaunchConfiguration('rate', '99'),
        GroupAction([PushRosNamespace('inner'),
                     Node(**COOK, namespace='own', arguments=['--id', 'inner'])]),
        Node(**COOK, name='leader', arguments=['--id', 'pushed'], parameters=[{'a': 1}]),
        Node(**COOK, namespace='/absolute', arguments=['--id', 'absolute']),
        Node(**COOK, name='named', namespace='/', arguments=['--id', 'root'], parameters=[{}]),
        IncludeLaunchDescription(
            PythonLaunchDescriptionSource(
                PathJoinSubstitution([FindPackageShare('pantry'), 'inner.launch.py'])),
            launch_arguments={'port': ['/dev/', LaunchConfiguration('rate')],
                              'who': 'included'}.items()),
    ]),
    GroupAction([Node(**COOK, arguments=['--id', 'unscoped']),
                 SetEnvironmentVariable('PANTRY_LEAK', '1')], scoped=False),
    Node(**COOK, name='late', arguments=['--id', 'late', LaunchConfiguration('rate')],
         additional_env={'PANTRY_OWN': LaunchConfiguration('hardware')},
         parameters=[{'a': 1}, {'b': 'two'}]),
    Node(**COOK, arguments=['--id', 'never'], condition=IfCondition(
        NotEqualsSubstitution(LaunchConfiguration('hardware'), 'sim'))),
    Node(**COOK, arguments=['--id', 'unless'], condition=UnlessCondition(
        AndSubstitution('true', NotSubstitution('true')))),
    Node(**COOK, arguments=['--id', IfElseSubstitution('1', 'chosen', 'other')]),
    OpaqueFunction(function=lambda context, word: [Node(**COOK, arguments=[
        '--id', word + LaunchConfiguration('hardware').perform(context)])], args=['opaque-']),
    RegisterEventHandler(OnProcessExit(
        target_action=lambda action: True, handle_once=True,
        on_exit=[Node(**COOK, arguments=['--id', 'after', LaunchConfiguration('rate')])])),
    ExecuteProcess(cmd=[[FindPackageShare('pantry'), '/../../lib/pantry/cook'], '--id', 'program'],
                   env={'RECORDS': EnvironmentVariable('RECORDS'), 'PANTRY_ONLY': 'this'}),
"""
INNER = """
    DeclareLaunchArgument('port'),
    DeclareLaunchArgument('who', default_value='nobody'),
    Node(**COOK, name='arm', arguments=['--id', LaunchConfiguration('who')],
         parameters=[{'port': LaunchConfiguration('port')}]),
"""
RUN = """
import sys
from chefmate.launching import run_launch_file
sys.exit(run_launch_file(sys.argv[1], {}, lambda line: print(line, flush=True), sys.argv[2]))
"""


def start(pantry, runner):
    """Run the sample through a runner; return what was started, paths made comparable."""
    (pantry.share / 'pantry.yaml').write_text('/**: {ros__parameters: {rate_hz: 100.0}}')
    pantry.write(INNER, 'inner.launch.py')
    result = subprocess.run(
        [sys.executable, '-c', RUN, str(pantry.write(SAMPLE)), runner],
        env={**pantry.environment, 'PYTHONPATH': os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return {name: comparable(record, pantry) for name, record in pantry.records().items()}


def comparable(record, pantry):
    """Return a record without what differs from run to run: temporary names, folders, ids."""
    names = {
        path: path.replace(str(pantry.root), 'PREFIX') if str(pantry.root) in path else f'FILE{i}'
        for i, path in enumerate(record['files'])
    }
    return {
        'argv': [names.get(word, word) for word in record['argv']],
        'files': {names[path]: load(text) for path, text in record['files'].items()},
        'env': record['env'],
    }


def load(text):
    """Return a parameter file as rcl reads it: it takes launch_ros's tuples for lists."""
    return yaml.safe_load(text.replace('!!python/tuple', ''))


def test_the_built_in_runner_starts_what_launch_starts(pantry):
    assert start(pantry, 'builtin') == json.loads(EXPECTED.read_text())


@pytest.mark.skipif(
    not real_launch_installed(),
    reason='launch_ros is not installed here; its recorded result stands in for it',
)
def test_the_recorded_result_is_what_the_installed_launch_starts(pantry):
    started = start(pantry, 'launch')
    if os.environ.get('CHEFMATE_WRITE_EXPECTED'):
        EXPECTED.write_text(json.dumps(started, indent=1, sort_keys=True) + '\n')
    assert started == json.loads(EXPECTED.read_text())
