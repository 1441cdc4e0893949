import pytest

from chefmate.launching import LaunchFileError, UnsupportedLaunchFeatureError
from chefmate.launching.comparisons import (
    AllSubstitution,
    AndSubstitution,
    AnySubstitution,
    EqualsSubstitution,
    IfElseSubstitution,
    NotEqualsSubstitution,
    NotSubstitution,
    OrSubstitution,
)
from chefmate.launching.conditions import IfCondition, UnlessCondition
from chefmate.launching.context import LaunchContext
from chefmate.launching.substitutions import (
    EnvironmentVariable,
    LaunchConfiguration,
    PathJoinSubstitution,
    PythonExpression,
    TextSubstitution,
    perform,
)


@pytest.fixture
def context():
    made = LaunchContext()
    made.launch_configurations.update(
        hardware='sim', rate='30', yes='true', no='false', policy='zmq://gpu:5555'
    )
    return made


HARDWARE = LaunchConfiguration('hardware')


@pytest.mark.parametrize(
    ('substitution', 'text'),
    [
        (TextSubstitution(text='a'), 'a'),
        (HARDWARE, 'sim'),
        (LaunchConfiguration(['hard', 'ware']), 'sim'),
        (LaunchConfiguration('missing', default='x'), 'x'),
        (LaunchConfiguration('missing', default=5), '5'),
        (PathJoinSubstitution(['/share', HARDWARE, 'a.yaml']), '/share/sim/a.yaml'),
        (EnvironmentVariable('NO_SUCH_VARIABLE', default_value='y'), 'y'),
        (EqualsSubstitution(HARDWARE, 'sim'), 'true'),
        (EqualsSubstitution(HARDWARE, 'real'), 'false'),
        (EqualsSubstitution(LaunchConfiguration('rate'), 30.0), 'true'),
        (EqualsSubstitution('0.1', '0.10000000000000001'), 'true'),
        (EqualsSubstitution('1', 'True'), 'true'),
        (EqualsSubstitution(LaunchConfiguration('yes'), True), 'true'),
        (EqualsSubstitution('', None), 'true'),
        (EqualsSubstitution('1e3', 'x'), 'false'),
        (NotEqualsSubstitution(HARDWARE, 'real'), 'true'),
        (NotSubstitution(LaunchConfiguration('yes')), 'false'),
        (AndSubstitution('1', LaunchConfiguration('no')), 'false'),
        (OrSubstitution('0', LaunchConfiguration('yes')), 'true'),
        (AllSubstitution('true', 'yes', 'on'), 'true'),
        (AnySubstitution('false', '0'), 'false'),
        (IfElseSubstitution(EqualsSubstitution(HARDWARE, 'sim'), 'a', 'b'), 'a'),
        (IfElseSubstitution('false', if_value='a'), ''),
        (PythonExpression(["'", HARDWARE, "' == 'sim'"]), 'True'),
        (PythonExpression(["'", LaunchConfiguration('policy'), "'.startswith('zmq://')"]), 'True'),
        (PythonExpression([LaunchConfiguration('rate'), ' * 2 + 1']), '61'),
        (PythonExpression("'a' if 1 < 2 <= 2 and not False else 'b'"), 'a'),
        (PythonExpression("'x' in ['x', 'y'] or 1/0"), 'True'),
    ],
)
def test_a_substitution_means_what_launch_means_by_it(context, substitution, text):
    assert perform(context, substitution) == text


@pytest.mark.parametrize(
    ('expression', 'named'),
    [
        ("__import__('os').system('true')", '__import__'),
        ("'a'.__class__", "'a'.__class__"),
        ("open('/etc/passwd')", 'open'),
        ("'a'.join(['b'])", 'join'),
        ('[x for x in [1]]', 'for x in'),
        ('2 ** 999999', '2 ** 999999'),
    ],
)
def test_an_expression_outside_the_safe_part_is_refused_by_name(context, expression, named):
    with pytest.raises(UnsupportedLaunchFeatureError) as error:
        perform(context, PythonExpression(expression))
    assert named in str(error.value)


@pytest.mark.parametrize('expression', ['', '1 +', '1 / 0', "'a' + 1"])
def test_an_expression_that_fails_says_which(context, expression):
    with pytest.raises(LaunchFileError, match='expression'):
        perform(context, PythonExpression(expression))


def test_an_unknown_launch_configuration_names_the_known_ones(context):
    with pytest.raises(LaunchFileError, match='hardware, no, policy, rate, yes'):
        perform(context, LaunchConfiguration('hardwear'))


@pytest.mark.parametrize('text', ['', 'maybe', '2', 'nan', '[true]'])
def test_what_is_no_truth_value_is_refused(context, text):
    with pytest.raises(LaunchFileError):
        perform(context, NotSubstitution(text))
    with pytest.raises(LaunchFileError):
        perform(context, OrSubstitution('true', text))
    with pytest.raises(LaunchFileError):
        IfCondition(text).evaluate(context)


@pytest.mark.parametrize('text', ['true', 'True', ' 1 ', 'TRUE'])
def test_a_condition_takes_true_and_1_in_any_case(context, text):
    assert IfCondition(text).evaluate(context)
    assert not UnlessCondition(text).evaluate(context)
