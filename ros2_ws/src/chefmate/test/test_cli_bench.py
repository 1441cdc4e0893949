"""`chefmate bench`: what it offers comes from other packages; here one in a folder of its own."""

import json
import subprocess
import sys
import textwrap
from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest

from chefmate.cli import bench, machine, registry
from chefmate.cli import main as cli

PACKAGE = """
    from types import SimpleNamespace

    from chefmate_core.errors import ConfigurationError

    measured = []

    def add_arguments(parser):
        parser.add_argument('--times', type=int, default=2, help='how often')

    def measure(args, progress):
        if args.times < 1:
            raise ConfigurationError(f'--times: expected 1 or more; found {args.times}')
        with progress(args.times) as advance:
            for number in range(args.times):
                advance(f'turn {number}')
                measured.append(number)
        return {'times': args.times}, {'turns': measured}, 'a table of turns'

    GOOD = SimpleNamespace(module=__name__, summary='count turns')
    LATER = SimpleNamespace(module='no_such_module_here', summary='is not there')
    CRASH = SimpleNamespace(module='benches_that_break', summary='breaks when it is used')
    ODD = SimpleNamespace(module=__name__, summary=7)
"""


@pytest.fixture
def install(monkeypatch, tmp_path):
    """Let benches be what entry points of a package name."""
    (tmp_path / 'some_benches.py').write_text(textwrap.dedent(PACKAGE))
    (tmp_path / 'benches_that_break.py').write_text('1 / 0')
    monkeypatch.syspath_prepend(str(tmp_path))

    def install(**objects):
        points = [
            EntryPoint(name, f'some_benches:{value}', bench.GROUP)
            for name, value in objects.items()
        ]
        monkeypatch.setattr(
            registry, 'entry_points', lambda group: points if group == bench.GROUP else []
        )

    yield install
    for name in ('some_benches', 'benches_that_break'):
        sys.modules.pop(name, None)


def run(capsys, *words):
    code = cli.main(['bench', *words])
    output = capsys.readouterr()
    return code, output.out, output.err


def test_alone_it_lists_what_can_be_measured_and_imports_none_of_it(capsys, install):
    install(turns='GOOD', breaks='CRASH')
    code, out, _ = run(capsys)
    assert code == 0
    assert 'count turns' in out
    assert 'breaks when it is used' in out
    assert 'benches_that_break' not in sys.modules


def test_a_bench_is_measured_drawn_and_written(capsys, install, tmp_path):
    install(turns='GOOD')
    numbers, picture = tmp_path / 'turns.json', tmp_path / 'turns.svg'
    code, out, _ = run(
        capsys, 'turns', '--times', '3', '--json', str(numbers), '--svg', str(picture)
    )
    assert code == 0
    assert 'chefmate bench turns: ' in out
    assert 'a table of turns' in out
    report = json.loads(numbers.read_text())
    assert (report['bench'], report['settings']) == ('turns', {'times': 3})
    assert report['results'] == {'turns': [0, 1, 2]}
    assert report['machine']['cpus'] >= 1
    assert 'a&#160;table&#160;of&#160;turns' in picture.read_text()


def test_help_of_a_bench_shows_its_own_arguments_and_those_of_all(capsys, install):
    install(turns='GOOD')
    with pytest.raises(SystemExit) as end:
        cli.main(['bench', 'turns', '--help'])
    assert end.value.code == 0
    out = capsys.readouterr().out
    assert 'Count turns.' in out
    for option in ('--times', '--json', '--svg'):
        assert option in out


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (('truns',), "'truns'"),
        (('turns', '--tiems', '3'), '--tiems'),
        (('turns', '--times', 'many'), 'many'),
        (('turns', '--times', '0'), 'expected 1 or more; found 0'),
        (('turns', '--json', '/no/such/folder/x.json'), 'no folder /no/such/folder'),
        (('turns', '--svg', '/no/such/folder/x.svg'), 'no folder /no/such/folder'),
    ],
)
def test_a_wrong_command_line_is_refused_before_anything_is_measured(capsys, install, words, said):
    install(turns='GOOD')
    code, _, err = run(capsys, *words)
    assert code == 2
    assert said in err
    assert 'Traceback' not in err
    assert 'some_benches' not in sys.modules or not sys.modules['some_benches'].measured


@pytest.mark.parametrize(
    ('value', 'said'),
    [
        ('NOT_THERE', 'NOT_THERE'),
        ('ODD', '`module` and `summary` must be strings'),
        ('CRASH', 'ZeroDivisionError'),
        ('LATER', 'no_such_module_here'),
    ],
)
def test_a_broken_bench_says_so_when_it_is_used_and_the_others_work(capsys, install, value, said):
    install(broken=value, turns='GOOD')
    code, _, err = run(capsys, 'broken')
    assert code == 2
    assert '`chefmate bench broken`' in err
    assert said in err
    assert run(capsys)[0] == 0
    assert run(capsys, 'turns')[0] == 0


def test_the_benches_of_this_repository_are_installed():
    found = {entry.name: entry for entry in registry.registered(bench.GROUP)}
    assert {'bus', 'loop', 'policy', 'recovery'} <= set(found)
    assert not any(entry.problem for entry in found.values())


def test_a_list_of_benches_and_the_help_of_one_load_no_torch():
    code = (
        'import sys; from chefmate.cli.main import main; main(["bench"])\n'
        'try: main(["bench", "policy", "--help"])\n'
        'except SystemExit: pass\n'
        'print([name for name in ("torch", "transformers", "mujoco") if name in sys.modules])'
    )
    result = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert result.stdout.splitlines()[-1] == '[]', result.stdout + result.stderr


def test_the_gpu_is_named_where_a_bench_has_loaded_torch(monkeypatch):
    monkeypatch.delitem(sys.modules, 'torch', raising=False)
    assert machine.gpu() == {}
    assert 'torch' not in sys.modules
    for there, expected in ((False, {}), (True, {'gpu': 'A Card'})):
        cuda = SimpleNamespace(
            is_available=lambda there=there: there, get_device_name=lambda: 'A Card'
        )
        monkeypatch.setitem(sys.modules, 'torch', SimpleNamespace(cuda=cuda))
        assert machine.gpu() == expected
        on = machine.describe() | machine.gpu()
        assert ('A Card' in machine.title(on)) is there
