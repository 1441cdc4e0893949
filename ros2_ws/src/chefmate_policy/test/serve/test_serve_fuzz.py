"""Random and mutated requests: each is answered, and the server goes on serving."""

import contextlib
import http.client
import json
import random
import socket

import msgpack
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

GREETING = b'\xff' + b'\0' * 8 + b'\x7f\x03\0' + b'NULL'.ljust(20, b'\0') + b'\0' * 32


def test_mutated_requests_are_all_answered(server, connect, observation, encode, does_work):
    good = msgpack.packb({'endpoint': 'get_action', 'data': encode(observation)})
    random_ = random.Random(4)
    client = connect(server)
    counted = {'ok': 0, 'error': 0}
    for _ in range(400):
        body = bytearray(good)
        for _ in range(random_.choice((1, 1, 3, 30))):
            # most of a request is pixels: aim at its structure as often
            at = random_.randrange(len(body))
            if random_.random() < 0.5:
                at = random_.choice(
                    (random_.randrange(400), len(body) - 1 - random_.randrange(700))
                )
            body[at] = random_.randrange(256)
        if random_.random() < 0.2:
            del body[random_.randrange(len(body)) :]
        client.socket.send(bytes(body))
        counted['error' if 'error' in client.receive() else 'ok'] += 1
    assert counted['error'] > 50
    assert counted['ok'] > 50
    does_work(server)


@settings(
    max_examples=150, deadline=None, database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(
    message=st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats()
        | st.text(max_size=20) | st.binary(max_size=200),
        lambda inner: st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from((
                'endpoint', 'data', 'chefmate', 'images', 'state', 'committed', 'samples', 'seed',
                'timeout_s', 'instruction', '__ndarray_class__', 'as_npy', 'api_token', 'jpeg',
                'video.front', 'state.gripper', '__ModalityConfig_class__', 'as_json',
            )),
            inner,
            max_size=5,
        ),
        max_leaves=20,
    ),
    endpoint=st.sampled_from(('get_action', 'infer', 'describe', 'ping', None)),
)  # fmt: skip
def test_any_message_is_answered(client, message, endpoint):
    if isinstance(message, dict) and endpoint is not None:
        message['endpoint'] = endpoint
    client.socket.send(msgpack.packb(message))
    assert isinstance(client.receive(), dict)


@pytest.fixture
def client(server, connect):
    return connect(server)


def test_random_bytes_on_both_ports_harm_nothing(serve, memory_bytes, does_work):
    server = serve(patience_s=0.5)
    random_ = np.random.default_rng(7)
    before = memory_bytes()
    for number in range(60):
        for port in (server.zmq_port, server.http_port):
            with socket.create_connection(('127.0.0.1', port), 10) as peer:
                head = (GREETING, b'POST /act HTTP/1.1\r\n', b'')[number % 3]
                with contextlib.suppress(OSError):
                    peer.sendall(head + random_.bytes(int(random_.integers(1, 5000))))
    assert memory_bytes() - before < 20 << 20
    does_work(server)
    health = http.client.HTTPConnection('127.0.0.1', server.http_port, timeout=10)
    health.request('GET', '/health')
    assert json.loads(health.getresponse().read())['status'] == 'healthy'
