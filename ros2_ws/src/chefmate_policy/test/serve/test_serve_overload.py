"""More requests than one engine can do: errors at once, none that is late is run."""

import http.client
import json
import threading

import numpy as np
import pytest

from chefmate_core.errors import PolicyError
from chefmate_core.policy.engine import EngineBusyError, EngineRequestError, ModelOutput


@pytest.fixture
def own_request():
    """A request in ChefMate's own protocol."""
    frame = np.zeros((4, 4, 3), np.uint8)

    def make(encode_array, **more):
        return {
            'chefmate': 1,
            'endpoint': 'infer',
            'images': {name: {'raw': encode_array(frame)} for name in ('front', 'wrist')},
            'state': encode_array(np.arange(6.0)),
            'instruction': 'wait',
            **more,
        }

    return make


@pytest.fixture
def admitted():
    """Return how many requests run or wait, as the server says."""

    def ask(server):
        connection = http.client.HTTPConnection('127.0.0.1', server.http_port, timeout=10)
        connection.request('GET', '/health')
        answer = json.loads(connection.getresponse().read())
        connection.close()
        return answer['requests_admitted']

    return ask


def test_who_comes_when_all_places_are_taken_is_told_so_at_once(
    serve, engine, connect, observation, wait_for, does_work, admitted
):
    server = serve(waiting=1)
    engine.may_answer.clear()
    running, waiting, refused = (connect(server) for _ in range(3))
    running.send_observation(observation)
    wait_for(lambda: engine.requests, 'the first runs')
    waiting.send_observation(observation)
    wait_for(lambda: admitted(server) == 2, 'the second waits')
    answer = refused.get_action(observation)
    assert answer['code'] == 'busy'
    assert 'one request runs and 1 wait' in answer['error']
    assert refused.ask({'endpoint': 'ping'})['status'] == 'ok'  # not blocked by the inference
    engine.may_answer.set()
    assert 'error' not in running.receive()
    assert 'error' not in waiting.receive()
    does_work(server)
    assert engine.most_at_once == 1


def test_a_flood_of_requests_is_answered_one_by_one(
    serve, engine, connect, observation, memory_bytes
):
    server = serve(waiting=2)
    clients = [connect(server) for _ in range(20)]
    before = memory_bytes()
    outcomes = []
    for _ in range(5):
        for client in clients:
            client.send_observation(observation)
        outcomes += [client.receive().get('code', 'ok') for client in clients]
    assert len(outcomes) == 100
    assert set(outcomes) <= {'ok', 'busy'}
    assert 'ok' in outcomes
    assert engine.most_at_once == 1
    assert memory_bytes() - before < 50 << 20


def test_a_request_whose_time_is_over_while_it_waits_is_not_run(
    serve, engine, connect, observation, own_request, encode, wait_for
):
    server = serve()
    engine.may_answer.clear()
    first, late = connect(server), connect(server)
    first.send_observation(observation)
    wait_for(lambda: engine.requests, 'the first runs')
    answer = late.ask(own_request(lambda value: encode({'a': value})['a'], timeout_s=0.1))
    assert answer['code'] == 'timeout'
    assert answer['chefmate'] == 1
    engine.may_answer.set()
    assert 'error' not in first.receive()
    assert connect(server).ask({'endpoint': 'ping'})['status'] == 'ok'
    assert [request.instruction for request in engine.requests] == ['pick up the bread']


def test_a_request_that_runs_for_too_long_is_answered_with_an_error(
    serve, engine, connect, observation, does_work
):
    server = serve(timeout_s=0.2)
    engine.may_answer.clear()
    answer = connect(server).get_action(observation)
    assert answer['code'] == 'timeout'
    engine.may_answer.set()
    does_work(server)


def test_the_time_of_a_request_over_http_is_kept(serve, engine, observation):
    server = serve()
    engine.may_answer.clear()
    connection = http.client.HTTPConnection('127.0.0.1', server.http_port, timeout=10)
    body = json.dumps({'observation': observation}, default=lambda value: value.tolist())
    connection.request('POST', '/act', body, {'X-Timeout-S': '0.2'})
    response = connection.getresponse()
    assert response.status == 504
    assert json.loads(response.read())['code'] == 'timeout'


def test_a_client_that_leaves_gives_its_place_to_others(
    serve, engine, connect, observation, wait_for, admitted
):
    server = serve(waiting=1)
    engine.may_answer.clear()
    first = connect(server)
    first.send_observation(observation)
    wait_for(lambda: engine.requests, 'the first runs')
    for _ in range(3):
        leaving = connect(server)
        leaving.send_observation(observation)
        wait_for(lambda: admitted(server) == 2, 'it waits')
        leaving.socket.close()
        wait_for(lambda: server.statistics.connections['zmq'] == 1, 'it has left')
        wait_for(lambda: admitted(server) == 1, 'its place is free')
    last = connect(server)
    last.send_observation(observation)
    wait_for(lambda: admitted(server) == 2, 'the last waits')
    engine.may_answer.set()
    assert 'error' not in first.receive()
    assert 'error' not in last.receive()
    assert len(engine.requests) == 2


def test_a_client_that_leaves_http_gives_its_place_to_others(
    serve, engine, connect, observation, wait_for, admitted
):
    server = serve(waiting=1)
    engine.may_answer.clear()
    first = connect(server)
    first.send_observation(observation)
    wait_for(lambda: engine.requests, 'the first runs')
    body = json.dumps({'observation': observation}, default=lambda value: value.tolist())
    abandoned = ('http', 'act', 'abandoned')
    for number in (1, 2, 3):
        leaving = http.client.HTTPConnection('127.0.0.1', server.http_port, timeout=10)
        leaving.request('POST', '/act', body)
        wait_for(lambda: admitted(server) == 2, 'it waits')
        leaving.close()
        wait_for(lambda n=number: server.statistics.requests[abandoned] == n, 'it has left')
        wait_for(lambda: admitted(server) == 1, 'its place is free')
    engine.may_answer.set()
    assert 'error' not in first.receive()
    assert 'error' not in connect(server).get_action(observation)
    assert len(engine.requests) == 2


@pytest.mark.parametrize(
    ('error', 'code', 'text'),
    [
        (PolicyError('the embodiment has no gripper'), 'internal', 'no gripper'),
        (EngineRequestError('no such camera'), 'bad_request', 'no such camera'),
        (EngineBusyError('somebody trains on it'), 'busy', 'somebody trains'),
        (RuntimeError('CUDA error: device lost'), 'internal', 'RuntimeError: CUDA error'),
        (StopIteration(), 'internal', 'StopIteration'),
    ],
)
def test_an_engine_that_fails_is_an_answer_and_not_the_end(
    server, connect, observation, does_work, error, code, text
):
    server.engine.fails_with = error
    answer = connect(server).get_action(observation)
    assert answer['code'] == code
    assert text in answer['error']
    server.engine.fails_with = None
    does_work(server)


@pytest.mark.parametrize(
    'action',
    [np.zeros((16, 5)), np.zeros(6), np.zeros((0, 6)), np.full((16, 6), np.nan)],
)
def test_an_action_that_no_robot_may_get_is_an_error(server, connect, observation, action):
    server.engine.infer = lambda request: ModelOutput(action)
    assert connect(server).get_action(observation)['code'] == 'internal'


def test_requests_are_refused_while_the_model_loads(serve, engine, connect, observation):
    may_load = threading.Event()

    def warm_up():
        assert may_load.wait(10)
        engine.is_warm = True

    engine.warm_up = warm_up
    server = serve(wait_until_ready=False)
    client = connect(server)
    for request in ({'endpoint': 'ping'}, {'endpoint': 'get_modality_config'}):
        answer = client.ask(request)
        assert answer['code'] == 'busy'
        assert 'loading' in answer['error']
    may_load.set()
    server.wait_until_ready()
    assert client.ask({'endpoint': 'ping'})['status'] == 'ok'
    assert 'error' not in client.get_action(observation)
