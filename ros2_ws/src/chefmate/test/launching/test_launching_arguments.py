import pytest

from chefmate.launching import (
    LaunchFileError,
    launch_file_arguments,
    parse_assignments,
    run_launch_file,
)
from chefmate_core.errors import ConfigurationError

ARGUMENTS = """
DeclareLaunchArgument('hardware', default_value='sim', choices=['sim', 'real'],
                      description='which arm'),
DeclareLaunchArgument('instruction', description='what to cook'),
DeclareLaunchArgument(
    'file', default_value=PathJoinSubstitution([EnvironmentVariable('HOME'), 'x'])),
GroupAction([DeclareLaunchArgument('rate', default_value='30')],
            condition=IfCondition(EqualsSubstitution(LaunchConfiguration('hardware'), 'real'))),
"""


@pytest.mark.parametrize(
    ('given', 'expected'),
    [
        ({'instruction': 'x', 'hardwear': 'real'}, 'did you mean hardware:=real'),
        ({'instruction': 'x', 'zzz': '1'}, 'Known arguments: file, hardware, instruction, rate'),
        ({'instruction': 'x', 'hardware': 'reel'}, 'Did you mean hardware:=real'),
        ({'instruction': 'x', 'hardware': ''}, 'choices: sim, real'),
        ({}, "needs the launch argument 'instruction'"),
    ],
)
def test_wrong_arguments_are_refused_before_anything_starts(pantry, given, expected):
    path = pantry.write(f'{ARGUMENTS} Node(**COOK)')
    with pytest.raises(LaunchFileError) as error:
        run_launch_file(path, given, lambda line: None, 'builtin')
    assert expected in str(error.value)
    assert pantry.records() == {}


def test_a_value_may_hold_anything(pantry):
    value = 'pick up the "bread" := \'slice\' = ü'
    body = f'{ARGUMENTS} Node(**COOK, arguments=["--say", LaunchConfiguration("instruction")])'
    assert pantry.run(body, instruction=value) == 0
    assert value in pantry.records()['node']['argv']


def test_declared_arguments_tell_defaults_choices_and_conditions(pantry):
    arguments = {
        item.name: item for item in launch_file_arguments(pantry.write(ARGUMENTS), 'builtin')
    }
    assert arguments['hardware'].default == 'sim'
    assert arguments['hardware'].choices == ('sim', 'real')
    assert arguments['hardware'].description == 'which arm'
    assert arguments['instruction'].default is None
    assert "EnvVar('HOME')" in arguments['file'].default
    assert arguments['rate'].conditional
    assert not arguments['hardware'].conditional


INNER = """
DeclareLaunchArgument('port'),
DeclareLaunchArgument('preset', default_value='careful', choices=['careful', 'fast']),
Node(**COOK, arguments=['--port', LaunchConfiguration('port'), LaunchConfiguration('preset')]),
"""
OUTER = """
IncludeLaunchDescription(
    PythonLaunchDescriptionSource([ThisLaunchFileDir(), '/inner.launch.py']),
    launch_arguments={'port': '/dev/follower'}.items()),
"""


def test_an_included_file_gets_its_arguments_and_offers_the_others(pantry):
    pantry.write(INNER, 'inner.launch.py')
    outer = pantry.write(
        OUTER.replace(
            "[ThisLaunchFileDir(), '/inner.launch.py']", f"'{pantry.share}/inner.launch.py'"
        )
    )
    assert [item.name for item in launch_file_arguments(outer, 'builtin')] == ['preset']
    assert run_launch_file(outer, {'preset': 'fast'}, lambda line: None, 'builtin') == 0
    assert pantry.records()['node']['argv'][:3] == ['--port', '/dev/follower', 'fast']


def test_choices_of_an_included_file_hold_for_values_from_the_outside(pantry):
    pantry.write(INNER, 'inner.launch.py')
    with pytest.raises(LaunchFileError, match='choices: careful, fast'):
        pantry.run(OUTER.replace("'port': '/dev/follower'", "'port': 'x', 'preset': 'slow'"))
    assert pantry.records() == {}


def test_the_last_of_two_values_for_a_name_counts():
    assert parse_assignments(['a:=1', 'b:=', 'a:=x:=y']) == {'a': 'x:=y', 'b': ''}


@pytest.mark.parametrize('text', ['hardware=sim', 'hardware', ':=sim', '', '--hardware'])
def test_a_malformed_argument_says_how_to_write_it(text):
    with pytest.raises(ConfigurationError, match=r'name:=value|hardware:=sim'):
        parse_assignments([text])
