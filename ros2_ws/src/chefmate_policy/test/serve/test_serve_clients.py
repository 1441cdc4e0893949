"""ChefMate's own clients and ChefMate's server, by all three protocols."""

import threading
import time

import numpy as np
import pytest

from chefmate_core.errors import PolicyError
from chefmate_core.policy.engine import Engine, EngineBusyError, EngineTimeoutError, ModelInput
from chefmate_core.policy.remote import make_engine

SCHEMES = ('zmq', 'http', 'chefmate')


def url(server, scheme):
    port = server.http_port if scheme == 'http' else server.zmq_port
    return f'{scheme}://127.0.0.1:{port}'


@pytest.fixture
def client():
    made = []

    def make(server, scheme, **options):
        made.append(make_engine(url(server, scheme), **options))
        return made[-1]

    yield make
    for engine in made:
        engine.close()


@pytest.fixture
def request_(frames):
    return ModelInput(frames, np.arange(6.0), 'pick up the cheese')


@pytest.mark.parametrize('scheme', SCHEMES)
def test_a_remote_engine_answers_as_the_one_it_stands_for(server, client, request_, scheme):
    engine = client(server, scheme)
    assert isinstance(engine, Engine)
    engine.warm_up()
    assert engine.modality == server.engine.modality
    output = engine.infer(request_)
    assert output.action.shape == (16, 6)
    (seen,) = server.engine.requests
    assert np.array_equal(seen.state, request_.state)
    assert seen.instruction == request_.instruction
    assert 0 < output.timings_s['round_trip'] < 60
    assert np.allclose(output.action[0], request_.state, atol=0.02)


@pytest.mark.parametrize('scheme', ['zmq', 'http'])
def test_raw_frames_arrive_bit_for_bit(server, client, request_, scheme):
    client(server, scheme).infer(request_)
    for name, image in request_.images.items():
        assert np.array_equal(server.engine.requests[0].images[name], image)


def test_frames_arrive_compressed_or_bit_for_bit_as_asked(server, client):
    ramp = np.linspace(0, 255, 64, dtype=np.uint8)
    image = np.stack(np.broadcast_arrays(ramp[None], ramp[:48, None], np.uint8(90)), axis=-1)
    request = ModelInput({'front': image, 'wrist': image}, np.zeros(6), 'look')
    client(server, 'chefmate', jpeg_quality=90).infer(request)
    client(server, 'chefmate', jpeg_quality=None).infer(request)
    compressed, raw = (seen.images['front'] for seen in server.engine.requests)
    assert np.array_equal(raw, image)
    error = np.abs(compressed.astype(int) - image)
    assert 0 < error.mean() < 3  # and red is red


def test_committed_rows_seed_and_samples_reach_the_model(server, client, request_):
    committed = np.full((3, 6), 0.5)
    request = ModelInput(
        request_.images, request_.state, request_.instruction, committed, samples=4, seed=11
    )
    engine = client(server, 'chefmate')
    first, second = engine.infer(request), engine.infer(request)
    assert np.allclose(first.action[:3], committed)
    assert np.array_equal(first.action, second.action)
    assert first.spread > 0
    assert first.timings_s['ramp'] == pytest.approx(1e-4)
    assert server.engine.requests[0].samples == 4
    assert not np.array_equal(engine.infer(request_).action, engine.infer(request_).action)


@pytest.mark.parametrize('scheme', SCHEMES)
def test_a_timeout_is_kept_and_the_next_request_works(server, client, request_, scheme):
    engine = client(server, scheme)
    engine.warm_up()
    server.engine.may_answer.clear()
    begun_s = time.monotonic()
    with pytest.raises(EngineTimeoutError):
        engine.infer(
            ModelInput(request_.images, request_.state, request_.instruction, timeout_s=0.3)
        )
    assert 0.2 < time.monotonic() - begun_s < 25  # the engine waits for 30 s
    server.engine.may_answer.set()
    assert engine.infer(request_).action.shape == (16, 6)


@pytest.mark.parametrize('scheme', SCHEMES)
def test_a_busy_server_is_an_error_of_its_own_kind(
    serve, engine, client, request_, wait_for, scheme
):
    server = serve(waiting=0)
    first, second = client(server, scheme), client(server, scheme)
    first.warm_up()
    second.warm_up()
    engine.may_answer.clear()
    thread = threading.Thread(target=first.infer, args=(request_,))
    thread.start()
    wait_for(lambda: engine.requests, 'the first runs')
    with pytest.raises(EngineBusyError, match='answered'):
        second.infer(request_)
    engine.may_answer.set()
    thread.join()


@pytest.mark.parametrize('scheme', SCHEMES)
def test_a_server_may_be_restarted_under_its_client(serve, client, request_, scheme):
    first = serve()
    ports = {'zmq_port': first.zmq_port, 'http_port': first.http_port}
    engine = client(first, scheme, timeout_s=1.0)
    engine.infer(request_)
    first.stop()
    with pytest.raises(PolicyError):
        engine.infer(request_)
    serve(**ports)
    assert engine.infer(request_).action.shape == (16, 6)


@pytest.mark.parametrize('scheme', SCHEMES)
def test_a_token_is_sent_from_its_file(serve, client, request_, tmp_path, monkeypatch, scheme):
    file = tmp_path / 'token'
    file.write_text('correct horse\n')
    file.chmod(0o600)
    server = serve(token='correct horse')
    with pytest.raises(PolicyError, match=r'Unauthorized.*token_file'):
        client(server, scheme).infer(request_)
    assert client(server, scheme, token_file=str(file)).infer(request_).action.shape == (16, 6)
    monkeypatch.setenv('CHEFMATE_TOKEN_FILE', str(file))
    assert client(server, scheme).infer(request_).action.shape == (16, 6)


@pytest.mark.parametrize('scheme', SCHEMES)
def test_what_the_server_says_is_said_with_where_it_is(server, client, request_, scheme):
    server.engine.fails_with = RuntimeError('device lost')
    with pytest.raises(PolicyError, match=rf'{url(server, scheme)} answered: .*device lost'):
        client(server, scheme).infer(request_)


@pytest.mark.parametrize('scheme', SCHEMES)
def test_what_does_not_fit_the_model_is_said_before_it_is_sent(server, client, request_, scheme):
    engine = client(server, scheme)
    only_front = ModelInput({'front': request_.images['front']}, request_.state, 'look')
    with pytest.raises(PolicyError, match=r"sees 'front', 'wrist'; missing: 'wrist'"):
        engine.infer(only_front)
    with pytest.raises(PolicyError, match='state of 6 numbers'):
        engine.infer(ModelInput(request_.images, np.zeros(7), 'look'))
    assert not server.engine.requests
