import subprocess
import sys

import pytest

from chefmate.cli import main as cli
from chefmate.cli.registry import COMMANDS, Command
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
