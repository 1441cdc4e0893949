"""Each bench, at its smallest: it says what it measured, and the parts agree with one another.

How fast anything was depends on the machine; nothing here looks at it.
"""

import argparse
import io
import json
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from rich.console import Console

from chefmate_core.errors import ConfigurationError
from chefmate_sim.bench import loop, recovery, tables
from chefmate_sim.bench.bus_clients import NOT_INSTALLED, find_lerobot_python
from chefmate_sim.bench.loop import LATENESS_MS, LoopBench
from chefmate_sim.bench.virtual_arm import CALIBRATION, VirtualArm
from chefmate_sim.bench.worker import Worker, WorkerError
from chefmate_sim.cli import bench_bus, bench_loop, bench_recovery

BENCHES = {'bus': bench_bus, 'loop': bench_loop, 'recovery': bench_recovery}


class Parser(argparse.ArgumentParser):
    """A parser that raises, as ChefMate's does."""

    def error(self, message):
        raise ConfigurationError(message)


class Steps:
    """Counts what a bench says it begins, and how much it said it would."""

    def __init__(self):
        self.total, self.begun = 0.0, []

    @contextmanager
    def __call__(self, total, timed=False):
        self.total = total
        yield self.begun.append


def measure(name, *words, steps=None):
    """Measure as `chefmate bench NAME WORDS...` does: settings, results, what is printed."""
    parser = Parser()
    BENCHES[name].add_arguments(parser)
    settings, results, drawing = BENCHES[name].measure(parser.parse_args(words), steps or Steps())
    console = Console(file=io.StringIO(), width=160)
    console.print(drawing)
    json.dumps((settings, results))  # whatever it is, it can be written
    return settings, results, console.file.getvalue()


def in_order(row, prefix):
    """Whether the percentiles of a row are numbers that do not fall."""
    values = [row[f'{prefix}_{name}_ms'] for name in ('p50', 'p99', 'p999', 'max')]
    return values == sorted(values) and values[0] > 0.0


def test_the_bus_bench_measures_every_client_on_both_wires():
    steps = Steps()
    _, results, out = measure('bus', '--cycles', '20', '--rounds', '2', steps=steps)
    assert steps.total == len(steps.begun)
    assert list(results) == ['no wire time', 'wire time at 1 Mbaud']
    for wire, rows in results.items():
        ours = [name for name in rows if 'LeRobot' not in name]
        assert ours == ['ChefMate, whole arm in SI', 'ChefMate, raw bus', 'Feetech SDK 1.0.0']
        for name in ours:
            row = rows[name]
            assert row['trouble'] == []
            assert row['rounds'] == 2
            assert row['cycle_p50_ms'] <= row['cycle_p99_ms']
            assert 0.0 < row['cycles_per_s'] <= row['cycles_per_s_best']
            assert 0.0 < row['cpu_us_per_cycle_best'] <= row['cpu_us_per_cycle']
            assert name in out
            # Nobody is faster than the wire, and without a wire nobody is held to it.
            assert ('of_wire_limit' in row) is (wire != 'no wire time')
            assert row.get('of_wire_limit_best', 0.0) < 1.0
        (lerobot,) = set(rows) - set(ours)
        if find_lerobot_python(None) is None:
            assert rows[lerobot]['trouble'] == [NOT_INSTALLED]
            assert NOT_INSTALLED in out


def test_without_lerobot_the_bench_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr('chefmate_sim.bench.bus_clients.LEROBOT_PYTHON', Path('no/such/python'))
    _, results, out = measure('bus', '--cycles', '5', '--rounds', '1')
    assert results['no wire time']['LeRobot 0.4.4'] == {
        'rounds': 0,
        'trouble': [NOT_INSTALLED],
    }
    assert NOT_INSTALLED in out


def test_a_python_without_lerobot_is_a_row_that_says_so():
    words = ('--cycles', '5', '--rounds', '1', '--lerobot-python', sys.executable)
    _, results, _ = measure('bus', *words)
    row = results['no wire time']['LeRobot 0.4.4']
    assert row['rounds'] == 0
    assert 'lerobot' in row['trouble'][0]


def test_a_python_that_is_not_there_is_refused():
    with pytest.raises(ConfigurationError, match='no such file'):
        measure('bus', '--cycles', '5', '--rounds', '1', '--lerobot-python', '/no/such/python')


def test_the_loop_bench_measures_the_driver_beside_a_bare_loop():
    _, results, out = measure('loop', '--seconds', '1', '--rate', '50', '--load', 'idle')
    windows = results['windows']
    assert [window['realtime'] for window in windows] == [False, True]
    for window in windows:
        for who in ('driver', 'bare'):
            row = window[who]
            assert in_order(row, 'period')
            shares = [row['share_longer_by_ms'][str(limit)] for limit in LATENESS_MS]
            assert shares == sorted(shares, reverse=True)
            assert all(0.0 <= share <= 1.0 for share in shares)
        assert in_order(window['read'], 'read')
        assert in_order(window['write'], 'write')
        ratio = window['driver']['period_p99_ms'] / window['bare']['period_p99_ms']
        assert window['ratio']['p99'] == pytest.approx(ratio)
        # Whatever the machine did: what a period lasted was either one, or more and counted.
        done = window['driver']['count'] + window['driver']['overruns']
        assert done == pytest.approx(50, abs=5)
    without, with_set_up = (window['granted'] for window in windows)
    assert without == {}
    assert with_set_up['realtime_timer'] == 'timer slack 1 us'
    assert '50 Hz, idle, real-time' in out


def test_every_combination_is_a_window_of_its_own():
    windows = LoopBench().windows()
    assert len(windows) == len(set(windows)) == 8
    assert len({loop.describe(*window) for window in windows}) == 8


def test_the_recovery_bench_sees_the_arm_hold_before_it_follows():
    settings, results, out = measure('recovery', '--times', '1')
    assert list(results) == list(recovery.OUTAGES)
    for name, row in results.items():
        assert (row['times'], row['failures']) == (1, 0), name
        assert 0.0 < row['holding_max_ms'] <= row['following_max_ms']
        assert name in out
    assert settings['times'] == 1


def test_a_longer_strip_is_a_later_loop():
    def late(scale):
        return {
            name: scale * ms for name, ms in (('p50', 0.1), ('p99', 1), ('p999', 2), ('max', 9))
        }

    short, long = tables._strip(late(1.0)), tables._strip(late(3.0))
    assert len(short) < len(long)
    assert [short.count(mark) > 0 for _, mark in tables.STRENGTHS] == [True] * 4
    assert len(tables._strip(late(1e9))) == tables.PICTURE_COLUMNS
    assert tables._strip(late(0.0)) == ''


def test_a_ratio_beyond_the_aim_is_drawn_otherwise():
    console = Console(file=io.StringIO(), force_terminal=True, color_system='truecolor')
    assert tables._ratio(1.1).style != tables._ratio(1.3).style
    console.print(tables._ratio(1.3))
    assert '1.30' in console.file.getvalue()


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (('loop', '--rate', '5000'), 'expected 1 to 1000 Hz'),
        (('loop', '--rate', '0'), 'rate'),
        (('loop', '--priority', '100', '--seconds', '1'), 'priority'),
        (('loop', '--cpu', '4096', '--seconds', '1'), 'cpus'),
        (('bus', '--cycles', '0'), 'cycles'),
        (('recovery', '--times', '-1'), 'times'),
    ],
)
def test_a_wrong_argument_is_refused_before_anything_is_measured(words, said):
    with pytest.raises(ConfigurationError, match=said):
        measure(*words)


def test_a_worker_that_fails_says_why_and_can_be_asked_again(tmp_path):
    with VirtualArm(tmp_path / 'arm', wire_time=False) as arm:
        with pytest.raises(WorkerError, match='KeyError'):
            arm._worker.ask(do='dance')
        assert arm.cpu_s() > 0.0


def test_a_worker_that_ended_is_an_error_and_not_a_wait():
    ends = (sys.executable, '-c', 'raise SystemExit(3)')
    with Worker(ends) as worker, pytest.raises(WorkerError, match='exit code 3'):
        worker.ask(do='anything')


def test_the_port_goes_and_comes_back_with_the_plug(tmp_path):
    link = tmp_path / 'arm'
    with VirtualArm(link, wire_time=False) as arm:
        arm.hang_up()
        assert not link.exists()
        first_s = arm.plug_in()
        assert link.exists()
        arm.silence(CALIBRATION.ids[0])
        assert arm.revive(CALIBRATION.ids[0]) > first_s
    assert not link.exists()
