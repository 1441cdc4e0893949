"""The HTTP client against servers that were written from the protocol's description."""

import base64
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from chefmate_core.errors import ConfigurationError, PolicyError
from chefmate_core.policy.engine import EngineTimeoutError, ModelInput
from chefmate_core.policy.remote import make_engine

REQUEST = ModelInput({'front': np.full((4, 6, 3), 9, np.uint8)}, np.arange(6.0), 'go')


def array(found):
    data = base64.b64decode(found['__numpy__'])
    return np.frombuffer(data, found['dtype']).reshape(found['shape'])


def act(observation):
    state = np.concatenate(
        [array(observation['state.single_arm']), array(observation['state.gripper'])], axis=1
    )
    assert array(observation['video.front']).shape == (1, 4, 6, 3)
    return np.repeat(state, 16, axis=0)


def in_lists(observation):
    action = act(observation)
    answer = {'action.single_arm': action[:, :5].tolist(), 'action.gripper': action[:, 5].tolist()}
    return 200, json.dumps(answer).encode()


def in_json_numpy(observation):
    action = act(observation)

    def encode(value):
        return {
            '__numpy__': base64.b64encode(np.ascontiguousarray(value)).decode(),
            'dtype': value.dtype.str,
            'shape': value.shape,
        }

    answer = {'action.single_arm': encode(action[:, :5]), 'action.gripper': encode(action[:, 5:])}
    return 200, json.dumps(answer).encode()


@pytest.fixture
def serve():
    """Start a server that answers `/act` by a function of the observation."""
    running = []

    def start(answer, protocol='HTTP/1.1'):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = protocol

            def log_message(self, *args):
                pass

            def do_GET(self):
                self.reply(404, b'{"detail": "Not Found"}')

            def do_POST(self):
                body = self.rfile.read(int(self.headers['Content-Length']))
                self.reply(*answer(json.loads(body)['observation']))

            def reply(self, status, body, pause_s=0.0):
                self.send_response(status)
                self.send_header('Content-Length', str(len(body)))
                self.end_headers()
                for at in range(0, len(body), max(1, len(body) // 10)):
                    self.wfile.write(body[at : at + max(1, len(body) // 10)])
                    time.sleep(pause_s)

        server = ThreadingHTTPServer(('127.0.0.1', 0), Handler)
        threading.Thread(target=server.serve_forever, args=(0.02,)).start()
        running.append(server)
        return f'http://127.0.0.1:{server.server_port}'

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize('answer', [in_lists, in_json_numpy])
@pytest.mark.parametrize('protocol', ['HTTP/1.0', 'HTTP/1.1'])
def test_a_published_server_is_understood(serve, answer, protocol):
    engine = make_engine(serve(answer, protocol), cameras='front')
    for _ in range(3):
        action = engine.infer(REQUEST).action
        assert np.array_equal(action, np.repeat([np.arange(6.0)], 16, axis=0))
    engine.close()


def test_a_server_that_encodes_its_answer_twice_is_understood(serve):
    def twice(observation):
        return 200, json.dumps(in_json_numpy(observation)[1].decode()).encode()

    assert make_engine(serve(twice), cameras=['front']).infer(REQUEST).action.shape == (16, 6)


def test_cameras_that_nobody_tells_have_to_be_given(serve):
    with pytest.raises(PolicyError, match='option cameras'):
        make_engine(serve(in_lists)).warm_up()


@pytest.mark.parametrize(
    ('status', 'body', 'message'),
    [
        (500, b'{"detail": "CUDA out of memory"}', 'status 500.*CUDA out of memory'),
        (500, b'Internal Server Error', "expected JSON; found status 500 and b'Internal"),
        (200, b'', 'expected JSON'),
        (200, b'[1, 2]', r'status 200: \[1, 2\]'),
        (200, b'{}', "lacks 'action.single_arm'"),
        (302, b'{}', 'status 302'),
        (401, b'{"error": "no", "code": "unauthorised"}', 'token_file'),
    ],
)
def test_an_answer_that_is_none_is_an_error_with_the_address(serve, status, body, message):
    url = serve(lambda observation: (status, body))
    with pytest.raises(PolicyError, match=message) as caught:
        make_engine(url, cameras='front').infer(REQUEST)
    assert url in str(caught.value)


@pytest.mark.parametrize('pause_s', [0.15, 5.0])
def test_an_answer_that_trickles_in_is_given_up_when_the_time_is_over(serve, pause_s):
    url = serve(lambda observation: (*in_lists(observation), pause_s))
    with pytest.raises(EngineTimeoutError, match=r'within 0\.3 s'):
        make_engine(url, cameras='front', timeout_s=0.3).infer(REQUEST)


@pytest.mark.parametrize(
    ('url', 'options', 'message'),
    [
        ('ftp://host:1', {}, 'zmq, chefmate, http, https'),
        ('zmq://', {}, 'no address'),
        ('zmq://host:port', {}, 'no address'),
        ('host:5555', {}, 'no address'),
        ('zmq://host:5555?x=1', {}, 'no address'),
        ('zmq://host', {'timeout': 3}, 'unknown option timeout; known: timeout_s'),
        ('zmq://host', {'timeout_s': 0}, 'timeout_s: expected above 0'),
        ('chefmate://host', {'jpeg_quality': 0}, 'jpeg_quality: expected 1 to 100'),
        ('zmq://host', {'token_file': '/nowhere/token'}, 'token file /nowhere/token'),
    ],
)
def test_a_wrong_address_or_option_is_said(url, options, message):
    with pytest.raises(ConfigurationError, match=message):
        make_engine(url, **options)


def test_ports_have_their_usual_numbers():
    assert make_engine('zmq://gpu').address.port == 5555
    assert make_engine('chefmate://gpu').address.port == 5555
    assert make_engine('http://gpu').address.port == 8000
    assert make_engine('https://gpu/groot/').address.path == '/groot'
    assert make_engine('http://[::1]:99').address.url == 'http://[::1]:99'
