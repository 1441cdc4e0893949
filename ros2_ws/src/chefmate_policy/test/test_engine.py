"""The engine by its protocol, on `tiny-random`."""

import numpy as np
import pytest
import torch

from chefmate_core.errors import ConfigurationError, PolicyError
from chefmate_core.policy.engine import Engine, ModelInput
from chefmate_policy.engine import gate
from chefmate_policy.engine.choose import medoid, spread
from chefmate_policy.engine.gate import Agreement, require
from chefmate_policy.engine.load import load_engine
from chefmate_policy.engine.options import EngineOptions

STATE = np.array([10.0, -20.0, 30.0, -40.0, 50.0, 60.0])


@pytest.fixture(scope='module')
def engine():
    return load_engine('tiny-random', device='cpu')


def request(**changes):
    rng = np.random.default_rng(0)
    images = {name: rng.integers(0, 256, (480, 640, 3), np.uint8) for name in ('wrist', 'scene')}
    values = {'images': images, 'state': STATE, 'instruction': 'pick up the cheese', 'seed': 7}
    return ModelInput(**{**values, **changes})


def test_it_is_an_engine(engine):
    assert isinstance(engine, Engine)
    assert engine.modality.cameras == ('wrist', 'scene')
    assert 'tiny-random' in engine.name


def test_a_chunk_has_the_data_sets_units_and_tells_its_timings(engine):
    output = engine.infer(request())
    assert output.action.shape == (16, 6)
    assert 20 < np.abs(output.action[:, :5]).max() < 1000  # of noise scaled to -100..100
    assert output.timings_s['total'] >= output.timings_s['model'] > 0
    assert {'model_vision', 'model_language', 'model_head'} <= set(output.timings_s)
    assert output.spread == 0.0


def test_the_same_seed_is_the_same_chunk_and_another_is_another(engine):
    first, again, other = (engine.infer(request(seed=seed)).action for seed in (7, 7, 8))
    assert np.array_equal(first, again)
    assert not np.allclose(first, other)


def test_without_a_seed_the_noise_is_fresh(engine):
    first, second = (engine.infer(request(seed=None)).action for _ in range(2))
    assert not np.allclose(first, second)


def test_a_seeded_engine_repeats_its_sequence():
    runs = []
    for _ in range(2):
        engine = load_engine('tiny-random', device='cpu', seed=3)
        runs.append([engine.infer(request(seed=None)).action for _ in range(2)])
    assert np.array_equal(runs[0], runs[1])
    assert not np.allclose(runs[0][0], runs[0][1])


def test_the_reference_backend_says_the_same(engine):
    reference = load_engine('tiny-random', device='cpu', backend='reference')
    assert np.allclose(
        reference.infer(request()).action, engine.infer(request()).action, atol=1e-3
    )


def test_the_reference_backend_takes_samples_and_committed_rows_too(engine):
    reference = load_engine('tiny-random', device='cpu', backend='reference')
    asked = request(samples=3, committed=np.full((4, 6), 20.0))
    assert np.allclose(reference.infer(asked).action, engine.infer(asked).action, atol=1e-3)


def test_the_answer_begins_with_the_committed_rows_exactly(engine):
    committed = np.random.default_rng(1).uniform(-50, 50, (5, 6))
    action = engine.infer(request(committed=committed)).action
    assert np.array_equal(action[:5], committed)


def test_more_committed_rows_than_a_chunk_has_are_refused(engine):
    with pytest.raises(PolicyError, match='at most 16 rows'):
        engine.infer(request(committed=np.zeros((17, 6))))


def test_of_several_samples_the_most_central_one_is_played(engine):
    for seed in range(7, 17):  # one of them has not its first sample in the middle
        asked = request(samples=5, seed=seed)
        noise = torch.randn((5, 16, 32), generator=torch.Generator().manual_seed(seed))
        samples, _ = engine._runner.run(engine._encode(asked, noise))
        said = samples[..., :6]
        if medoid(said) != 0:
            break
    else:
        pytest.fail('the first sample was always the most central one')
    output = engine.infer(asked)
    assert np.array_equal(output.action, engine._processor.decode(samples)[medoid(said)])
    assert output.spread == pytest.approx(spread(said))


def test_what_the_model_says_beside_the_joints_decides_nothing(engine):
    asked = request(samples=4)
    samples, _ = engine._runner.run(engine._encode(asked, torch.randn(4, 16, 32)))
    same = samples.clone()
    same[..., :6] = samples[:1, :, :6]
    assert spread(same[..., :6]) == 0.0
    assert spread(same) > 0.1
    committed = np.full((16, 6), 3.0)
    assert engine.infer(request(samples=4, committed=committed)).spread == 0.0


def test_a_request_for_one_sample_gets_one_from_an_engine_that_takes_four():
    four = load_engine('tiny-random', device='cpu', samples=4)
    assert four.infer(request()).spread > 0
    assert four.infer(request(samples=1)).spread == 0.0


def test_cameras_of_a_command_line_are_split_at_commas():
    assert EngineOptions.read({'cameras': 'scene, wrist'}).cameras == ('scene', 'wrist')


@pytest.mark.filterwarnings('error')
def test_a_frame_that_may_not_be_written_to_is_taken(engine):
    images = request().images
    for image in images.values():
        image.setflags(write=False)
    assert engine.infer(request(images=images)).action.shape == (16, 6)


@pytest.mark.parametrize('seed', [-1, 2**64, 1.5])
def test_a_seed_that_is_none_is_refused(engine, seed):
    with pytest.raises(PolicyError, match='seed: expected 0 to'):
        engine.infer(request(seed=seed))


@pytest.mark.parametrize('samples', [0, -1, 17, 1.5])
def test_a_number_of_samples_out_of_range_is_refused(engine, samples):
    with pytest.raises(PolicyError, match=f'samples: expected 1 to 16; found {samples}'):
        engine.infer(request(samples=samples))


def test_the_medoid_is_nearest_to_all_others():
    samples = torch.tensor([[[0.0]], [[1.0]], [[9.0]]])
    assert medoid(samples) == 1
    assert spread(samples) == pytest.approx(float(samples.std()))
    assert spread(samples[:1]) == 0.0


def test_getting_ready_for_an_instruction_changes_no_answer():
    plain, prepared = (load_engine('tiny-random', device='cpu', seed=5) for _ in range(2))
    prepared.warm_up()
    prepared.prepare('pick up the patty')
    assert np.array_equal(
        plain.infer(request(seed=None)).action, prepared.infer(request(seed=None)).action
    )


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'images': {}}, r'the model sees wrist, scene; missing: wrist, scene'),
        ({'state': np.full(6, np.nan)}, 'state'),
        ({'state': np.zeros(5)}, 'state'),
        ({'instruction': '  '}, 'instruction'),
        ({'committed': np.full((2, 6), np.inf)}, 'action'),
    ],
)
def test_a_request_that_does_not_fit_is_refused_and_the_next_one_answered(engine, change, message):
    with pytest.raises(PolicyError, match=message):
        engine.infer(request(**change))
    assert engine.infer(request()).action.shape == (16, 6)


def test_a_model_with_broken_weights_is_not_believed():
    engine = load_engine('tiny-random', device='cpu', backend='reference')
    with torch.no_grad():
        engine._runner._model.action_head.model.proj_out_2.bias[0] = float('nan')
    with pytest.raises(PolicyError, match='NaN or inf'):
        engine.infer(request())


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'devise': 'cpu'}, 'unknown option devise; an engine takes: device'),
        ({'dtype': 'int8'}, 'dtype: expected auto, bfloat16'),
        ({'backend': 'onnx'}, 'backend: expected auto, reference'),
        ({'samples': 0}, 'samples: expected 1 to 16'),
        ({'threads': -1}, 'threads: expected 0 to 1024'),
        ({'threads': 1.5}, 'threads: expected a whole number; found 1.5'),
        ({'samples': '4'}, "samples: expected a whole number; found '4'"),
        ({'seed': 1.5}, 'seed: expected a whole number'),
        ({'seed': 2**64}, 'seed: expected 0 to'),
        ({'fp8': 'false'}, "fp8: expected true or false; found 'false'"),
        ({'cameras': 5}, 'cameras: expected names; found 5'),
        ({'device': 'meta'}, "device: expected auto, cpu, cuda or cuda:N; found 'meta'"),
        ({'device': 'gpu'}, "device: expected auto, cpu, cuda or cuda:N; found 'gpu'"),
        ({'backend': 'graph', 'device': 'cpu'}, 'needs a CUDA device'),
        ({'fp8': True, 'backend': 'reference'}, 'fp8 needs a packed backend'),
    ],
)
def test_a_wrong_option_is_refused_with_the_right_ones(options, message):
    with pytest.raises(ConfigurationError, match=message):
        EngineOptions.read(options)


def test_fp8_is_refused_for_a_model_that_does_not_stand_it():
    with pytest.raises(PolicyError, match=r'fp8 is refused: .* cosine 0\.9'):
        load_engine('tiny-random', device='cpu', fp8=True)


def test_fp8_that_passes_its_gate_is_what_runs(engine, monkeypatch):
    monkeypatch.setattr(gate, 'LEAST_COSINE', 0.9)
    rounded = load_engine('tiny-random', device='cpu', fp8=True).infer(request()).action
    exact = engine.infer(request()).action
    assert not np.allclose(rounded, exact, atol=0.01)
    assert np.corrcoef(rounded.ravel(), exact.ravel())[0, 1] > 0.98


@pytest.mark.parametrize('cosine', [0.998, float('nan')])
def test_what_is_not_exact_enough_is_refused(cosine):
    with pytest.raises(PolicyError, match='fp8 is refused'):
        require(Agreement(cosine, cosine), 'fp8')
    require(Agreement(0.9995, 0.9999), 'fp8')
