import sys

import pytest

from chefmate.launching import LaunchFileError, UnsupportedLaunchFeatureError, run_launch_file
from chefmate.launching.standin import OFFERED, standin_modules


def run(path, arguments=None):
    return run_launch_file(path, arguments or {}, lambda line: None, 'builtin')


@pytest.mark.parametrize(
    ('line', 'named'),
    [
        ('from launch.actions import TimerAction', 'launch.actions.TimerAction'),
        ('from launch.substitutions import Command', 'launch.substitutions.Command'),
        ('from launch_ros.actions import LifecycleNode', 'launch_ros.actions.LifecycleNode'),
        ('from launch import LaunchService', 'launch.LaunchService'),
        ('import launch.frontend', 'launch.frontend'),
        ('from launch_xml.launch_description_sources import X', 'launch_xml'),
        ('import launch; launch.actions.OpaqueCoroutine', 'launch.actions.OpaqueCoroutine'),
    ],
)
def test_what_the_runner_does_not_offer_is_refused_by_name_file_and_line(pantry, line, named):
    path = pantry.share / 'bad.launch.py'
    path.write_text(f'# a comment\n{line}\n')
    with pytest.raises(UnsupportedLaunchFeatureError) as error:
        run(path)
    assert named in str(error.value)
    assert f'{path}:2' in str(error.value)
    assert 'ros2 launch' in str(error.value)


@pytest.mark.parametrize(
    ('action', 'named'),
    [
        ('Node(**COOK, lifecycle=True)', 'lifecycle'),
        ('ExecuteProcess(cmd=["true"], emulate_tty=True)', 'emulate_tty'),
        ('GroupAction([], forwarding=False)', 'forwarding=False'),
        ('Node(**COOK, parameters=[ParameterFile("x", allow_substs=True)])', 'allow_substs'),
        ('Node(**COOK, output="own_log")', "output='own_log'"),
        ('IncludeLaunchDescription("some/file.launch.py")', 'PythonLaunchDescriptionSource'),
        ('OpaqueFunction(function=lambda context: context.asyncio_loop)', 'asyncio_loop'),
    ],
)
def test_an_option_that_the_runner_does_not_offer_is_refused_by_name(pantry, action, named):
    path = pantry.write(f'Node(**COOK, arguments=["--id", "first"]), {action}')
    with pytest.raises(
        UnsupportedLaunchFeatureError if 'own_log' not in action else LaunchFileError
    ) as error:
        run(path)
    assert named in str(error.value)
    assert str(path) in str(error.value)
    assert pantry.records() == {}  # the good node before it was not started either


@pytest.mark.parametrize(
    ('action', 'named'),
    [
        ('Node(package="pantry", executable="kook")', "no executable 'kook'"),
        ('Node(package="pantri", executable="cook")', "package 'pantri' is not installed"),
        ('Node(**COOK, name="2cooks")', "node name '2cooks'"),
        ('Node(**COOK, namespace="a//b")', "namespace 'a//b'"),
        ('Node(**COOK, parameters=["/no/such.yaml"])', '/no/such.yaml does not exist'),
        ('Node(**COOK, parameters=[{"gain": []}])', "parameter 'gain'"),
        ('Node(**COOK, parameters=[{"gain": [1, "a"]}])', "parameter 'gain'"),
        ('Node(**COOK, sigterm_timeout="nan")', 'sigterm_timeout'),
        ('Node(**COOK, condition=IfCondition("perhaps"))', "found 'perhaps'"),
        ('DeclareLaunchArgument("a", default_value="x", choices=["y"])', "default 'x'"),
        ('PushRosNamespace("-")', "namespace '-'"),
        ('5', 'found 5'),
        ('OpaqueFunction(function=lambda context: 1 / 0)', 'ZeroDivisionError'),
        ('SetEnvironmentVariable("A", LaunchConfiguration("b"))', "'b' does not exist"),
    ],
)
def test_a_wrong_launch_file_starts_nothing_and_says_what_is_wrong(pantry, action, named):
    path = pantry.write(f'Node(**COOK, arguments=["--id", "first"]), {action}')
    with pytest.raises(LaunchFileError) as error:
        run(path)
    assert named in str(error.value)
    assert pantry.records() == {}


@pytest.mark.parametrize('content', ['{', 'plain text', 'a: 1', '/**: {gain: 1}'])
def test_a_file_that_holds_no_ros_parameters_is_refused(pantry, content):
    bad = pantry.share / 'bad.yaml'
    bad.write_text(content)
    path = pantry.write(f'Node(**COOK, parameters=["{bad}"])')
    with pytest.raises(LaunchFileError, match=r'bad\.yaml'):
        run(path)


def test_a_syntax_error_names_its_line(pantry):
    path = pantry.share / 'broken.launch.py'
    path.write_text('a = 1\ndef (\n')
    with pytest.raises(LaunchFileError, match=r'broken\.launch\.py:2'):
        run(path)


def test_a_file_without_a_description_is_refused(pantry):
    path = pantry.share / 'empty.launch.py'
    path.write_text('')
    with pytest.raises(LaunchFileError, match='generate_launch_description'):
        run(path)


def test_a_missing_file_is_refused():
    with pytest.raises(LaunchFileError, match='does not exist'):
        run('./no/such.launch.py')


def test_the_stand_ins_are_gone_when_the_launch_has_ended(pantry):
    before = {name for name in sys.modules if name.split('.')[0] in ('launch', 'launch_ros')}
    run(pantry.write(''))
    after = {name for name in sys.modules if name.split('.')[0] in ('launch', 'launch_ros')}
    assert after == before


def test_every_offered_name_can_be_imported():
    with standin_modules():
        for module, names in OFFERED.items():
            for name in names:
                exec(f'from {module} import {name}')
