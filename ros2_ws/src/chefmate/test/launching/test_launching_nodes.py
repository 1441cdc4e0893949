"""What a node is started with: command line, parameters, namespace, environment."""

import os

import pytest
import yaml

from chefmate.launching import LaunchFileError


def parameters(record):
    """Return the parameters of a node by target, later files over earlier ones."""
    merged = {}
    for text in record['files'].values():
        for target, content in yaml.safe_load(text).items():
            merged.setdefault(target, {}).update(content['ros__parameters'])
    return merged


def test_the_command_line_is_the_one_that_launch_ros_writes(pantry):
    (pantry.share / 'a.yaml').write_text('/**: {ros__parameters: {rate_hz: 100.0}}')
    pantry.run("""
        Node(**COOK, name='chef', namespace='kitchen', arguments=['--id', 'a'],
             ros_arguments=['--log-level', 'debug'], remappings=[('in', 'out'), ('x', '/y')],
             parameters=[PathJoinSubstitution([FindPackageShare('pantry'), 'a.yaml']), {'b': 1}]),
    """)
    argv = pantry.records()['a']['argv']
    first, second = [argv[i + 1] for i, word in enumerate(argv) if word == '--params-file']
    assert argv == [
        *('--id', 'a', '--ros-args', '--log-level', 'debug', '--ros-args'),
        *('-r', '__node:=chef', '-r', '__ns:=/kitchen'),
        *('--params-file', first, '--params-file', second),
        *('-r', 'in:=out', '-r', 'x:=/y'),
    ]
    assert first == str(pantry.share / 'a.yaml')
    assert not os.path.exists(second)  # removed after the launch


@pytest.mark.parametrize(
    ('written', 'value'),
    [
        ('"text"', 'text'),
        ('"30"', '30'),  # text of the launch file stays text
        ('""', ''),
        ('True', True),
        ('7', 7),
        ('0.5', 0.5),
        ('[1, 2]', [1, 2]),
        ('[1, 2.5]', [1.0, 2.5]),
        ('["a", "b"]', ['a', 'b']),
        ('[True, False]', [True, False]),
        ('LaunchConfiguration("number")', 30),  # text of a substitution is YAML
        ('LaunchConfiguration("truth")', True),
        ('LaunchConfiguration("nothing")', ''),
        ('LaunchConfiguration("listing")', [1, 2]),
        ('["/dev/", LaunchConfiguration("word")]', '/dev/pan'),
        ('[["a"], [LaunchConfiguration("word")]]', ['a', 'pan']),
        ('ParameterValue(LaunchConfiguration("number"), value_type=str)', '30'),
        ('ParameterValue(LaunchConfiguration("number"), value_type=float)', 30.0),
        ('ParameterValue(LaunchConfiguration("number"), value_type=int)', 30),
        ('ParameterValue(LaunchConfiguration("one"), value_type=bool)', True),
        ('ParameterValue(["a", LaunchConfiguration("word")], value_type=str)', 'apan'),
    ],
)
def test_a_parameter_has_the_type_that_launch_ros_gives_it(pantry, written, value):
    pantry.run(f"""
        *[DeclareLaunchArgument(name, default_value=text) for name, text in dict(
            number='30', truth='true', nothing='', listing='[1, 2]', word='pan', one='1').items()],
        Node(**COOK, parameters=[{{'outer': {{'inner': {written}}}}}]),
    """)
    found = parameters(pantry.records()['node'])['/**']['outer.inner']
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    ('written', 'text'),
    [
        ('ParameterValue(LaunchConfiguration("v"), value_type=int)', 'ten'),
        ('ParameterValue(LaunchConfiguration("v"), value_type=float)', ''),
        ('ParameterValue(LaunchConfiguration("v"), value_type=bool)', 'maybe'),
        ('LaunchConfiguration("v")', '{a: 1}'),
        ('LaunchConfiguration("v")', 'a: b: c'),
        ('LaunchConfiguration("v")', '[1, a]'),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_with_the_parameters_name(pantry, written, text):
    with pytest.raises(LaunchFileError, match="parameter 'gain'"):
        pantry.run(
            f'DeclareLaunchArgument("v"), Node(**COOK, parameters=[{{"gain": {written}}}])', v=text
        )


def test_an_empty_path_of_a_parameter_file_means_no_file(pantry):
    pantry.run('Node(**COOK, parameters=[LaunchConfiguration("params_file", default="")])')
    assert pantry.records()['node']['files'] == {}


def test_a_node_that_is_fully_known_is_addressed_by_name(pantry):
    pantry.run("""
        Node(**COOK, name='chef', namespace='a', parameters=[{'x': 1}], arguments=['--id', '1']),
        Node(**COOK, name='chef', parameters=[{'x': 1}], arguments=['--id', '2']),
        Node(**COOK, name='chef', namespace='/', parameters=[{'x': 1}], arguments=['--id', '3']),
    """)
    records = pantry.records()
    targets = [next(iter(parameters(records[name]))) for name in '123']
    assert targets == ['/a/chef', '/**', '/chef']


def test_namespaces_and_environment_end_with_their_group(pantry, monkeypatch):
    monkeypatch.delenv('PANTRY_A', raising=False)
    pantry.run("""
        GroupAction([
            PushRosNamespace('outer'),
            SetEnvironmentVariable('PANTRY_A', 'group'),
            GroupAction([
                PushRosNamespace('inner'),
                Node(**COOK, namespace='own', arguments=['--id', '1']),
            ]),
            Node(**COOK, namespace='/absolute', arguments=['--id', '2']),
            Node(**COOK, arguments=['--id', '3'], additional_env={'PANTRY_B': 'node'}),
        ]),
        Node(**COOK, arguments=['--id', '4']),
        GroupAction([SetEnvironmentVariable('PANTRY_A', 'leaks')], scoped=False),
        Node(**COOK, arguments=['--id', '5']),
    """)
    records = pantry.records()
    namespaces = {
        name: [word for word in record['argv'] if word.startswith('__ns')]
        for name, record in records.items()
    }
    assert namespaces == {
        '1': ['__ns:=/outer/inner/own'],
        '2': ['__ns:=/absolute'],
        '3': ['__ns:=/outer'],
        '4': [],
        '5': [],
    }
    assert records['3']['env'] == {'PANTRY_A': 'group', 'PANTRY_B': 'node'}
    assert records['4']['env'] == {}
    assert records['5']['env'] == {'PANTRY_A': 'leaks'}
    assert 'PANTRY_A' not in os.environ  # the launch leaves its caller's environment as it was


def test_conditions_and_functions_choose_what_is_started(pantry):
    pantry.run(
        """
        DeclareLaunchArgument('hardware', default_value='sim'),
        OpaqueFunction(function=lambda context: [
            Node(**COOK, arguments=['--id', LaunchConfiguration('hardware').perform(context)])]),
        Node(**COOK, arguments=['--id', 'if'], condition=IfCondition('true')),
        Node(**COOK, arguments=['--id', 'unless'], condition=UnlessCondition('true')),
        """,
        hardware='real',
    )
    assert pantry.records().keys() == {'real', 'if'}


def test_a_program_gets_its_folder_environment_and_prefix(pantry, tmp_path):
    program = pantry.executable
    assert (
        pantry.run(f"""
        ExecuteProcess(cmd=['{program}', '--id', 'clean'], cwd='{tmp_path}', name='clean',
                       env={{'RECORDS': EnvironmentVariable('RECORDS'), 'PANTRY_C': 'only'}}),
        ExecuteProcess(cmd=['{program}', '--id', 'prefixed'], prefix='env PANTRY_D=1'),
        ExecuteProcess(cmd=['exec', '{program}', '--id', '$((1 + 1))'], shell=True),
        """)
        == 0
    )
    records = pantry.records()
    assert records['clean']['cwd'] == str(tmp_path)
    assert records['clean']['env'] == {'PANTRY_C': 'only'}
    assert records['prefixed']['env']['PANTRY_D'] == '1'
    assert '2' in records
