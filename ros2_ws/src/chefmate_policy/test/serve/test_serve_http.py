"""The HTTP port as clients see it that know only the protocol's description."""

import base64
import http.client
import json

import numpy as np
import pytest


class HttpClient:
    """http.client and the standard library's JSON."""

    def __init__(self, server, **headers):
        self.connection = http.client.HTTPConnection('127.0.0.1', server.http_port, timeout=10)
        self.headers = {key.replace('_', '-'): value for key, value in headers.items()}

    def ask(self, method, path, body=None):
        self.connection.request(method, path, body, self.headers)
        response = self.connection.getresponse()
        text = response.read()
        is_json = response.headers['Content-Type'].startswith('application/json')
        self.answered = response.headers
        return response.status, json.loads(text) if is_json else text.decode()


def numpy_json(value):
    return {
        '__numpy__': base64.b64encode(value.tobytes()).decode(),
        'dtype': value.dtype.str,
        'shape': list(value.shape),
    }


def cpp_json(value):
    return {
        '__ndarray__': base64.b64encode(value.tobytes()).decode(),
        'dtype': str(value.dtype),
        'shape': list(value.shape),
    }


def array(found):
    data = base64.b64decode(found['__numpy__'])
    return np.frombuffer(data, found['dtype']).reshape(found['shape'])


@pytest.fixture
def client(server):
    return HttpClient(server)


def test_an_observation_in_json_numpy_is_answered_in_json_numpy(server, client, observation):
    body = json.dumps({'observation': observation}, default=numpy_json)
    status, action = client.ask('POST', '/act', body)
    assert status == 200
    assert array(action['action.single_arm']).shape == (16, 5)
    assert array(action['action.gripper']).shape == (16, 1)
    assert np.allclose(array(action['action.single_arm'])[0], [1, 2, 3, 4, 5], atol=0.02)
    image = server.engine.requests[0].images['front']
    assert np.array_equal(image, observation['video.front'][0])


def test_an_observation_in_plain_lists_is_answered_in_plain_lists(server, client, observation):
    body = json.dumps({'observation': observation}, default=lambda value: value.tolist())
    status, action = client.ask('POST', '/act', body)
    assert status == 200
    assert np.shape(action['action.single_arm']) == (16, 5)
    image = server.engine.requests[0].images['wrist']
    assert image.dtype == np.uint8
    assert np.array_equal(image, observation['video.wrist'][0])


def test_an_observation_may_be_encoded_twice(client, observation):
    inner = json.dumps({'observation': observation}, default=numpy_json)
    status, action = client.ask('POST', '/act', json.dumps({'encoded': inner}))
    assert status == 200
    assert array(action['action.gripper']).shape == (16, 1)


def test_arrays_may_be_spelled_as_clients_in_cpp_do(server, client, observation):
    body = json.dumps({'observation': observation}, default=cpp_json)
    status, action = client.ask('POST', '/act', body)
    assert status == 200
    assert np.shape(action['action.single_arm']) == (16, 5)
    image = server.engine.requests[0].images['front']
    assert np.array_equal(image, observation['video.front'][0])


def test_health_says_that_the_server_is_ready(client):
    status, answer = client.ask('GET', '/health')
    assert (status, answer['status'], answer['model']) == (200, 'healthy', 'ramp')


def test_the_modality_tells_cameras_and_sizes(client):
    status, answer = client.ask('GET', '/modality')
    assert status == 200
    assert answer['modality']['cameras'] == ['front', 'wrist']
    assert answer['modality']['state'][1] == {'name': 'gripper', 'start': 5, 'stop': 6}
    assert answer['modality_config']['video']['modality_keys'] == ['video.front', 'video.wrist']


def test_the_answer_tells_how_long_the_parts_took(client, observation):
    client.ask('POST', '/act', json.dumps({'observation': observation}, default=numpy_json))
    assert client.answered['Server-Timing'] == 'ramp;dur=0.100'


def test_metrics_count_requests_by_outcome_and_tell_percentiles(client, observation):
    body = json.dumps({'observation': observation}, default=numpy_json)
    for _ in range(3):
        client.ask('POST', '/act', body)
    client.ask('POST', '/act', '{}')
    status, page = client.ask('GET', '/metrics')
    assert status == 200
    lines = dict(line.rsplit(' ', 1) for line in page.splitlines() if not line.startswith('#'))
    requests = 'chefmate_requests_total{protocol="http",endpoint="act",outcome='
    assert lines[requests + '"ok"}'] == '3'
    assert lines[requests + '"bad_request"}'] == '1'
    assert lines['chefmate_request_seconds_count'] == '3'
    assert 0 < float(lines['chefmate_request_seconds{quantile="0.99"}']) < 60
    assert lines['chefmate_part_seconds_count{part="ramp"}'] == '3'
    assert float(lines['chefmate_part_seconds_sum{part="inference"}']) > 0
    assert lines['chefmate_ready'] == '1'
    assert lines['chefmate_held_bytes'] == '0'
    assert lines['chefmate_info{model="ramp"}'] == '1'


@pytest.mark.parametrize(
    ('method', 'path'), [('GET', '/act'), ('POST', '/kill'), ('GET', '/'), ('DELETE', '/health')]
)
def test_what_does_not_exist_is_answered_with_what_does(client, method, path):
    status, answer = client.ask(method, path)
    assert status in (400, 404)
    assert 'POST /act, GET /health' in answer['error']
    assert client.ask('GET', '/health')[0] == 200


def test_a_compressed_body_is_refused(server, expect_error):
    client = HttpClient(server, Content_Encoding='gzip')
    status, answer = client.ask('POST', '/act', b'\x1f\x8b\x08\x00')
    assert status == 400
    expect_error(answer, 'compressed')


def test_a_body_larger_than_allowed_is_refused_while_it_arrives(server, expect_error):
    client = HttpClient(server)
    status, answer = client.ask('POST', '/act', b' ' * (40 << 20))
    assert status == 413
    expect_error(answer, f'allowed: {32 << 20}')
    assert HttpClient(server).ask('GET', '/health')[0] == 200


def test_a_timeout_that_is_no_number_is_refused(server, expect_error):
    for text in ('soon', '-1', '0', 'nan'):
        status, answer = HttpClient(server, X_Timeout_S=text).ask('POST', '/act', b'{}')
        assert status == 400
        expect_error(answer, 'seconds above 0')
