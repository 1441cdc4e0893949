import subprocess
import sys
import textwrap
from importlib.metadata import EntryPoint

import pytest

from chefmate.cli import main as cli
from chefmate.cli import registry
from chefmate.cli.registry import COMMANDS, Command, extensions
from chefmate_core.errors import BusError, ConfigurationError


def run(capsys, *words):
    code = cli.main(words)
    output = capsys.readouterr()
    return code, output.out, output.err


class Failing:
    """A subcommand that raises what it was made with."""

    def __init__(self, error):
        self.error = error

    def add_parser(self, subparsers):
        subparsers.add_parser('launch')

    def run(self, args):
        raise self.error


@pytest.fixture
def failing(monkeypatch):
    def make(error):
        monkeypatch.setattr(Command, 'load', lambda self: Failing(error))

    return make


@pytest.mark.parametrize('words', [(), ('--help',), ('-h',), ('help',)])
def test_help_lists_every_command_with_what_it_does(capsys, words):
    code, out, _ = run(capsys, *words)
    assert code == 0
    for command in COMMANDS:
        assert command.name in out
        assert command.summary.split()[0] in out


@pytest.mark.parametrize('command', [command.name for command in COMMANDS])
def test_every_command_has_a_description_and_examples(capsys, command):
    pytest.importorskip('rclpy')
    with pytest.raises(SystemExit) as end:
        cli.main([command, '--help'])
    assert end.value.code == 0
    out = capsys.readouterr().out
    assert f'Usage: chefmate {command}' in out
    assert 'Options' in out
    assert f'chefmate {command}' in out.partition('Examples')[2]


def test_help_imports_no_subcommand():
    code = (
        'import sys; from chefmate.cli.main import main; main(["--help"]); '
        'print([name for name in sys.modules if name in ("yaml", "rclpy", "numpy") '
        'or name.startswith(("chefmate.launching", "chefmate.cli.deploy"))])'
    )
    result = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert result.stdout.splitlines()[-1] == '[]', result.stdout + result.stderr


def test_an_unknown_command_names_the_closest_one(capsys):
    code, _, err = run(capsys, 'docter')
    assert code == 2
    assert "did you mean 'doctor'" in err
    assert 'what to do: see chefmate --help' in err


def test_an_unknown_option_is_a_usage_error_without_a_traceback(capsys):
    code, _, err = run(capsys, 'doctor', '--hardwear')
    assert code == 2
    assert '--hardwear' in err
    assert 'Traceback' not in err


@pytest.mark.parametrize(
    ('error', 'code', 'said'),
    [
        (ConfigurationError('bad file. Next: mend it'), 2, 'what to do: mend it'),
        (BusError('no servo answers'), 1, 'error: no servo answers'),
        (ValueError('surprise'), 1, 'unexpected ValueError: surprise'),
        (KeyboardInterrupt(), 130, ''),
    ],
)
def test_an_error_is_one_message_and_an_exit_code(capsys, failing, error, code, said):
    failing(error)
    found, _, err = run(capsys, 'launch')
    assert found == code
    assert said in err
    assert 'Traceback' not in err


def test_debug_shows_where_an_error_comes_from(failing):
    failing(BusError('no servo answers'))
    with pytest.raises(BusError):
        cli.main(['launch', '--debug'])


def test_a_long_message_is_not_broken_into_lines(capsys, failing):
    path = '/a/path/' + 'x' * 300
    failing(ConfigurationError(f'{path} is [not] there'))
    _, _, err = run(capsys, 'launch')
    assert f'{path} is [not] there' in err


def test_a_command_whose_module_is_missing_says_so(capsys, monkeypatch):
    gone = Command('gone', 'chefmate.cli.no_such_module', 'is not there')
    monkeypatch.setattr(cli, 'COMMANDS', (gone,))
    code, _, err = run(capsys, 'gone')
    assert code == 2
    assert 'chefmate.cli.no_such_module' in err


EXTENSION = """
    from types import SimpleNamespace

    def add_parser(subparsers):
        subparsers.add_parser('greet').add_argument('name')

    def run(args):
        print(f'hello {args.name}')
        return 3

    GREET = SimpleNamespace(module=__name__, summary='say hello')
    LATER = SimpleNamespace(module='no_such_module_here', summary='is not there')
    ODD = SimpleNamespace(module=__name__, summary=None)
    CRASH = SimpleNamespace(module='an_extension_that_breaks', summary='breaks')
"""


@pytest.fixture
def extend(monkeypatch, tmp_path):
    """Let entry points of a package in a folder of its own be installed."""
    (tmp_path / 'an_extension.py').write_text(textwrap.dedent(EXTENSION))
    (tmp_path / 'an_extension_that_breaks.py').write_text('1 / 0')
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(**objects):
        points = [
            EntryPoint(name, f'an_extension:{value}', registry.GROUP)
            for name, value in objects.items()
        ]
        monkeypatch.setattr(registry, 'entry_points', lambda group: points)

    yield install
    for name in ('an_extension', 'an_extension_that_breaks'):
        sys.modules.pop(name, None)


def test_another_package_adds_a_subcommand(capsys, extend):
    extend(greet='GREET')
    code, out, _ = run(capsys, '--help')
    assert code == 0
    assert 'greet' in out
    assert 'say hello' in out
    code, out, _ = run(capsys, 'greet', 'arm')
    assert (code, out) == (3, 'hello arm\n')


def test_a_misspelt_extension_is_suggested(capsys, extend):
    extend(greet='GREET')
    code, _, err = run(capsys, 'great')
    assert code == 2
    assert "did you mean 'greet'" in err


@pytest.mark.parametrize(
    ('value', 'said'),
    [
        ('NOT_THERE', 'NOT_THERE'),
        ('ODD', '`module` and `summary` must be strings'),
        ('CRASH', 'ZeroDivisionError'),
        ('LATER', 'no_such_module_here'),
    ],
)
def test_a_broken_extension_is_named_and_the_others_work(capsys, extend, value, said):
    extend(broken=value, greet='GREET')
    code, _, err = run(capsys, 'broken')
    assert code == 2
    assert '`chefmate broken`' in err
    assert said in err
    assert 'Traceback' not in err
    assert run(capsys, '--help')[0] == 0
    assert run(capsys, 'greet', 'arm')[0] == 3


def test_an_extension_does_not_replace_a_command_of_ours(extend):
    extend(deploy='GREET', greet='GREET')
    assert [command.name for command in extensions()] == ['greet']


def test_the_simulations_commands_are_installed():
    found = {command.name: command for command in extensions()}
    assert {'sim'} <= set(found)
    assert not any(command.problem for command in found.values())


@pytest.mark.parametrize(
    ('given', 'taken'),
    [
        ('deploy a:=b --report F c:=d', 'deploy a:=b c:=d --report F'),
        ('deploy --report F a:=b --headless c:=d', 'deploy --report F a:=b c:=d --headless'),
        ('launch file a:=b --runner r c:=d', 'launch file a:=b c:=d --runner r'),
        ('launch file --runner r a:=b', 'launch file a:=b --runner r'),
        ('launch --runner r file a:=b --x c:=d', 'launch --runner r file a:=b c:=d --x'),
        ('serve M --option a=b', 'serve M --option a=b'),
        ('deploy a:=b', 'deploy a:=b'),
    ],
)
def test_assignments_may_stand_on_both_sides_of_an_option(given, taken):
    assert cli._assignments_together(given.split()) == taken.split()
