"""`chefmate bench policy` on the small preset: every row, and what becomes of one that fails.

How fast anything was depends on the machine; nothing here looks at it.
"""

import argparse
import io
import json
import time
from contextlib import contextmanager

import pytest
import torch
from rich.console import Console

from chefmate_core.errors import ConfigurationError
from chefmate_policy.bench import command, run
from chefmate_policy.bench.config import BACKENDS, PolicyBench
from chefmate_policy.bench.contestants import BUILDERS, Contestant
from chefmate_policy.bench.subject import preset_on

CPU = torch.device('cpu')
SMALL = ('--preset', 'tiny', '--device', 'cpu')


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


def measure(*words, steps=None):
    """Measure as `chefmate bench policy WORDS...` does: settings, results, what is printed."""
    parser = Parser()
    command.add_arguments(parser)
    settings, results, drawing = command.measure(parser.parse_args(words), steps or Steps())
    console = Console(file=io.StringIO(), width=140)
    console.print(drawing)
    return settings, results, console.file.getvalue()


@pytest.fixture(scope='module')
def measured():
    """One measurement of all that a processor has; what is compiled is not, for lack of time."""
    steps = Steps()
    with torch.compiler.set_stance('force_eager'):
        settings, results, out = measure(*SMALL, '--runs', '4', '--fp8', steps=steps)
    return settings, results, out, steps


def test_every_backend_of_a_processor_has_its_row(measured):
    _, results, out, _ = measured
    assert list(results) == ['reference', 'compile', 'packed', 'fp8']
    for name, row in results.items():
        assert row['trouble'] == []
        assert row['runs'] == 4
        assert BACKENDS[name] in out
    assert 'CUDA graph' not in out
    assert 'GPU: not measured' in out


def test_whole_model_and_parts_are_timed(measured):
    _, results, out, _ = measured
    written = ['whole', 'model', 'images', 'backbone', 'head']
    packed = ['whole', 'model', 'images', 'vision', 'language', 'head']
    for name, parts in zip(results, (written, written, packed, packed), strict=True):
        times = results[name]['times']
        assert list(times) == parts
        for numbers in times.values():
            values = [numbers[f'run_{key}_ms'] for key in ('p50', 'p99', 'p999', 'max')]
            assert values == sorted(values)
            assert values[0] > 0.0
    for label in ('whole', 'model only', 'vision', 'language', 'backbone', 'head'):
        assert label in out


def test_ratios_are_to_the_eager_reference_of_the_same_run(measured):
    _, results, _, _ = measured
    eager = results['reference']['times']
    assert all(numbers['times_eager'] == 1.0 for numbers in eager.values())
    packed = results['packed']['times']
    for name in ('whole', 'model', 'images', 'head'):
        ratio = eager[name]['run_p50_ms'] / packed[name]['run_p50_ms']
        assert packed[name]['times_eager'] == pytest.approx(ratio)
    assert 'times_eager' not in packed['vision']  # the reference has no such part


def test_what_computes_the_same_agrees_and_what_rounds_does_less(measured):
    _, results, _, _ = measured
    assert 'agreement' not in results['reference']
    assert results['compile']['agreement']['least_cosine'] >= 0.9999
    assert results['packed']['agreement']['least_cosine'] >= 0.9999
    # On weights that did not matter fp8 would agree, too.
    assert 0.9 < results['fp8']['agreement']['least_cosine'] < 0.9999


def test_memory_is_that_of_the_weights_and_more(measured):
    settings, results, _, _ = measured
    for row in results.values():
        memory = row['memory']
        assert memory['total_bytes'] == memory['weights_bytes'] + memory['working_bytes']
        assert memory['working_bytes'] >= 0
        assert row['start_s'] > 0.0
    reference, packed, fp8 = (
        results[name]['memory']['weights_bytes'] for name in ('reference', 'packed', 'fp8')
    )
    assert reference == pytest.approx(4 * settings['parameters'], rel=0.01)  # fp32
    assert fp8 < packed < reference


def test_the_numbers_can_be_written_and_say_what_was_measured(measured):
    settings, results, _, steps = measured
    json.dumps((settings, results), allow_nan=False)
    assert steps.total == len(steps.begun)
    assert settings['model'] == 'tiny, random weights'
    assert (settings['device'], settings['dtype']) == ('cpu', 'float32')
    assert (settings['cameras'], settings['samples'], settings['steps']) == (2, 1, 4)
    assert settings['torch'] == torch.__version__


def test_samples_cameras_and_backends_are_as_asked():
    settings, results, _ = measure(
        *SMALL, '--runs', '1', '--samples', '3', '--cameras', '1', '--backends', 'packed'
    )
    assert list(results) == ['packed']
    assert (settings['samples'], settings['cameras']) == (3, 1)
    assert 'times_eager' not in results['packed']['times']['whole']
    assert results['packed']['agreement']['least_cosine'] >= 0.9999


def test_a_model_by_its_name_is_measured():
    settings, results, _ = measure(
        '--model', 'tiny-random', '--device', 'cpu', '--runs', '1', '--backends', 'packed'
    )
    assert settings['model'] == 'tiny-random'
    assert results['packed']['agreement']['least_cosine'] >= 0.9999


def test_a_backend_that_cannot_be_built_says_why_and_the_others_are_measured(monkeypatch):
    def fail(contestants):
        raise RuntimeError('no compiler found\nTraceback ...')

    monkeypatch.setitem(BUILDERS, 'compile', fail)
    _, results, out = measure(*SMALL, '--runs', '2')
    assert results['compile'] == {
        'runs': 0,
        'trouble': ['RuntimeError: no compiler found'],
        'times': {},
    }
    assert [results[name]['runs'] for name in ('reference', 'packed')] == [2, 2]
    assert 'RuntimeError: no compiler found' in out


class Breaking:
    """A runner that breaks after some runs."""

    def __init__(self, runner, runs):
        self._runner, self._left = runner, runs

    def prepare(self, encoded):
        self._runner.prepare(encoded)

    def run(self, encoded):
        self._left -= 1
        if self._left < 0:
            raise RuntimeError('out of memory')
        return self._runner.run(encoded)


def test_a_backend_that_breaks_on_the_way_takes_no_more_turns(monkeypatch):
    before_turns = 1 + 8 + run.WARM_UP_TURNS  # the first inference and the comparison

    def breaking(contestants):
        whole = contestants.packed()
        return Contestant(Breaking(whole.runner, before_turns + 2), whole.weights, whole.stages)

    monkeypatch.setitem(BUILDERS, 'packed', breaking)
    _, results, out = measure(*SMALL, '--runs', '5', '--backends', 'reference', 'packed')
    assert (results['reference']['runs'], results['packed']['runs']) == (5, 2)
    assert results['packed']['trouble'] == ['RuntimeError: out of memory']
    assert 'out of memory' in out
    json.dumps(results, allow_nan=False)


def test_a_backend_that_is_never_ready_is_given_up(monkeypatch):
    monkeypatch.setitem(BUILDERS, 'packed', lambda contestants: time.sleep(60.0))
    words = ('--runs', '1', '--seconds', '0.1', '--backends', 'packed')
    _, results, _ = measure(*SMALL, *words)
    assert results['packed']['trouble'] == ['PolicyError: not ready after 0.1 s (--seconds)']


def test_everybody_has_a_turn_in_each_round_and_another_one_begins():
    rounds = [run._rotated(list('abc'), number) for number in range(6)]
    assert [''.join(sorted(names)) for names in rounds] == ['abc'] * 6
    assert [names[0] for names in rounds] == list('abcabc')
    assert run._rotated([], 3) == []


@pytest.mark.parametrize(
    ('words', 'said'),
    [
        (('--preset', 'huge'), 'huge'),
        (('--device', 'tpu'), 'tpu'),
        (('--runs', '0'), '--runs: expected 1 to 1000000; found 0'),
        (('--samples', '17'), '--samples: expected 1 to 16; found 17'),
        (('--cameras', '0'), '--cameras: expected 1 to 8; found 0'),
        (('--seconds', '-1'), '--seconds: expected above 0; found -1'),
        (('--seconds', 'nan'), '--seconds'),
        (('--backends', 'onnx'), 'onnx'),
        (('--device', 'cpu', '--backends', 'graph', 'packed'), 'on this one there are: reference'),
        (('--model', 'tiny-random', '--preset', 'tiny'), 'without --preset and --cameras'),
        (('--model', 'no-such-model', '--device', 'cpu'), 'no-such-model'),
    ],
)
def test_a_wrong_argument_is_refused_with_the_right_ones(words, said):
    with pytest.raises(ConfigurationError) as caught:
        measure(*words)
    assert said in str(caught.value)


@pytest.mark.skipif(torch.cuda.is_available(), reason='there is a CUDA device')
def test_a_gpu_that_is_not_there_is_refused():
    with pytest.raises(ConfigurationError, match='there is no CUDA device'):
        measure('--device', 'cuda')


def test_on_a_gpu_the_large_model_is_measured_by_every_backend():
    bench = PolicyBench()
    assert preset_on(bench, torch.device('cuda')) == 'n1.5-3b'
    assert preset_on(bench, CPU) == 'tiny'
    assert bench.chosen_backends('cuda') == (
        'reference', 'compile', 'packed', 'graph', 'graph-compiled',
    )  # fmt: skip
    assert PolicyBench(fp8=True).chosen_backends('cuda')[-1] == 'fp8'


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
def test_every_backend_of_a_gpu_has_its_row_and_agrees():
    with torch.compiler.set_stance('force_eager'):
        settings, results, out = measure('--preset', 'tiny', '--device', 'cuda', '--runs', '3')
    assert list(results) == ['reference', 'compile', 'packed', 'graph', 'graph-compiled']
    for name, row in results.items():
        assert row['trouble'] == [], name
        assert row['runs'] == 3
        if name != 'reference':
            assert row['agreement']['least_cosine'] >= 0.999
    assert {'images', 'vision', 'language', 'head'} <= set(results['graph']['times'])
    assert settings['device'] == torch.cuda.get_device_name()
    assert 'GPU: not measured' not in out


def test_every_backend_has_a_builder():
    assert set(BUILDERS) == set(BACKENDS)
