"""Bytes that no client sends on purpose: the server answers or hangs up, and goes on serving."""

import contextlib
import http.client
import json
import random
import socket
import struct

import msgpack
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

GREETING = b'\xff' + b'\0' * 8 + b'\x7f\x03\0' + b'NULL'.ljust(20, b'\0') + b'\0' * 32
READY = b'\x05READY\x0bSocket-Type\0\0\0\x03REQ'
MORE, LONG, COMMAND = 1, 2, 4
GIGABYTE = 1 << 30


class RawPeer:
    """A socket that speaks ZMTP by hand."""

    def __init__(self, port, greets=True):
        self.socket = socket.create_connection(('127.0.0.1', port), 10)
        if greets:
            self.socket.sendall(GREETING + bytes([COMMAND, len(READY)]) + READY)
            self.read(64)
            self.read_frame()

    def read(self, size):
        found = b''
        while len(found) < size:
            chunk = self.socket.recv(size - len(found))
            if not chunk:
                raise EOFError(found)
            found += chunk
        return found

    def read_frame(self):
        flags, size = self.read(2)
        if flags & LONG:
            (size,) = struct.unpack('>Q', bytes([size]) + self.read(7))
        return flags, self.read(size)

    def send_frame(self, flags, body, claimed=None):
        size = len(body) if claimed is None else claimed
        self.socket.sendall(bytes([flags | LONG]) + struct.pack('>Q', size) + body)

    def answer(self):
        flags, empty = self.read_frame()
        assert (flags & MORE, empty) == (MORE, b'')
        return msgpack.unpackb(self.read_frame()[1])

    def is_hung_up(self):
        try:
            while self.socket.recv(1 << 16):
                pass
        except OSError:
            pass
        return True


@pytest.fixture
def raw():
    peers = []

    def connect(server, **options):
        peers.append(RawPeer(server.zmq_port, **options))
        return peers[-1]

    yield connect
    for peer in peers:
        peer.socket.close()


def test_a_request_written_by_hand_is_answered(server, raw):
    peer = raw(server)
    peer.send_frame(MORE, b'')
    peer.send_frame(0, msgpack.packb({'endpoint': 'ping'}))
    assert peer.answer()['status'] == 'ok'


def test_a_claim_of_a_gigabyte_is_refused_at_once_and_costs_nothing(
    server, raw, memory_bytes, does_work
):
    before = memory_bytes()
    for _ in range(5):
        peer = raw(server)
        peer.send_frame(MORE, b'')
        peer.send_frame(0, b'x' * 1000, claimed=GIGABYTE)
        answer = peer.answer()
        assert answer['code'] == 'too_large'
        assert str(GIGABYTE) in answer['error']
    assert memory_bytes() - before < 20 << 20
    does_work(server)


def test_a_message_that_is_too_large_is_read_away_and_the_connection_goes_on(
    server, raw, memory_bytes
):
    before = memory_bytes()
    peer = raw(server)
    peer.send_frame(MORE, b'')
    peer.send_frame(0, b'', claimed=100 << 20)
    for _ in range(100):
        peer.socket.sendall(b'x' * (1 << 20))
    assert peer.answer()['code'] == 'too_large'
    peer.send_frame(MORE, b'')
    peer.send_frame(0, msgpack.packb({'endpoint': 'ping'}))
    assert peer.answer()['status'] == 'ok'
    assert memory_bytes() - before < 20 << 20


def test_parts_without_end_are_refused_and_not_kept(server, raw, memory_bytes, does_work):
    before = memory_bytes()
    peer = raw(server)
    peer.send_frame(MORE, b'')
    try:
        for _ in range(200):
            peer.send_frame(MORE, b'x' * (1 << 20))
    except OSError:
        pass  # it may hang up
    assert peer.answer()['code'] == 'bad_request'
    assert memory_bytes() - before < 20 << 20
    does_work(server)


def test_large_requests_that_never_end_leave_room_for_others(
    serve, raw, memory_bytes, connect, observation, wait_for
):
    server = serve(unfinished_bytes=8 << 20, patience_s=1.5)
    before = memory_bytes()
    peers = [raw(server) for _ in range(6)]
    for peer in peers:  # each stops a little before its end
        peer.send_frame(MORE, b'')
        peer.send_frame(0, b'', claimed=4 << 20)
        peer.socket.sendall(b'x' * ((4 << 20) - 1))
    assert memory_bytes() - before < 40 << 20
    answers = []
    for peer in peers:
        with contextlib.suppress(EOFError):  # hung up on after the patience
            answers.append(peer.answer()['code'])
    assert len(answers) >= 4  # there is room for less than two
    assert set(answers) == {'busy'}
    assert 'error' not in connect(server).get_action(observation)


@pytest.mark.parametrize(
    'sent',
    [
        b'',
        GREETING[:5],
        GREETING[:40],
        GREETING,
        GREETING + b'\x04',
        GREETING + bytes([COMMAND, len(READY)]) + READY[:9],
        GREETING + bytes([COMMAND, len(READY)]) + READY + b'\x02\0\0',
        GREETING + bytes([COMMAND, len(READY)]) + READY + b'\x01\0\0\x50hello',
    ],
)
def test_who_begins_and_never_ends_is_hung_up_on(serve, raw, sent, does_work):
    server = serve(patience_s=0.3)
    peer = raw(server, greets=False)
    peer.socket.sendall(sent)
    assert peer.is_hung_up()
    does_work(server)


@pytest.mark.parametrize(
    'sent',
    [
        b'\x00' * 64,
        b'SSH-2.0-OpenSSH_9.2 and some more bytes that make it long enough to read them\r\n',
        b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc' * 20,  # TLS
        GREETING.replace(b'NULL', b'CURV'),
        GREETING.replace(b'\x7f\x03', b'\x7f\x01'),
        GREETING + b'\x00\x05hello',
        GREETING + b'\x06' + struct.pack('>Q', 1 << 62),
        GREETING + bytes([COMMAND, len(READY)]) + READY.replace(b'REQ', b'PUB'),
        GREETING + bytes([COMMAND, len(READY)]) + READY + b'\xff\xff',
        GREETING + bytes([COMMAND, len(READY)]) + READY + b'\x05\x05hello',
    ],
)
def test_who_does_not_speak_zeromq_is_hung_up_on(server, raw, sent, does_work):
    peer = raw(server, greets=False)
    peer.socket.sendall(sent)
    assert peer.is_hung_up()
    does_work(server)


def test_a_browser_at_the_zeromq_port_is_told_where_it_is(server):
    connection = http.client.HTTPConnection('127.0.0.1', server.zmq_port, timeout=10)
    connection.request('GET', '/health')
    response = connection.getresponse()
    assert response.status == 400
    assert b'ZeroMQ' in response.read()


def test_a_client_that_does_not_read_its_answers_is_hung_up_on(
    serve, raw, memory_bytes, does_work
):
    server = serve(patience_s=0.5)
    peer = raw(server)
    peer.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    before = memory_bytes()
    request = msgpack.packb({'endpoint': 'get_modality_config'})
    peer.socket.settimeout(5)
    with pytest.raises(OSError):  # reset, broken pipe, or timed out
        for _ in range(200_000):
            peer.send_frame(MORE, b'')
            peer.send_frame(0, request)
    assert memory_bytes() - before < 30 << 20
    does_work(server)


def test_connections_beyond_the_limit_are_not_taken(serve, raw, connect, wait_for):
    server = serve(connections=3, patience_s=30.0)
    peers = [raw(server) for _ in range(3)]
    with pytest.raises((EOFError, OSError)):
        raw(server)
    assert server.statistics.refused_connections['zmq'] == 1
    peers[0].socket.close()
    wait_for(lambda: server.statistics.connections['zmq'] == 2, 'one has gone')
    assert connect(server).ask({'endpoint': 'ping'})['status'] == 'ok'


def http_socket(server):
    return socket.create_connection(('127.0.0.1', server.http_port), 10)


@pytest.mark.parametrize('sent', [b'', b'POST /a', b'POST /act HTTP/1.1\r\nHost: x\r\n'])
def test_http_that_begins_and_never_ends_is_hung_up_on(serve, sent, does_work):
    server = serve(patience_s=0.3)
    with http_socket(server) as peer:
        peer.sendall(sent)
        assert peer.recv(1000) == b''
    does_work(server)


def test_a_slow_body_is_answered_with_an_error(serve, does_work):
    server = serve(patience_s=0.5)
    with http_socket(server) as peer:
        peer.sendall(b'POST /act HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n')
        found = b''
        for _ in range(20):  # a byte now and then does not help
            try:
                peer.sendall(b'{')
                peer.settimeout(0.1)
                found += peer.recv(4000)
            except TimeoutError:
                continue
            except OSError:
                break
            if found:
                break
        assert found.startswith(b'HTTP/1.1 504'), found
        assert b'did not arrive' in found
    does_work(server)


@pytest.mark.parametrize(
    'sent',
    [
        b'rubbish\r\n\r\n',
        b'\xff\xfe\x00' * 100 + b'\r\n\r\n',
        b'POST /act HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n',
        b'POST /act HTTP/1.1\r\nHost: x\r\nContent-Length: five\r\n\r\n',
        b'POST /act HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n',
        b'GET /' + b'a' * 100_000 + b' HTTP/1.1\r\n\r\n',
        b'GET /health HTTP/1.1\r\n' + b'X: y\r\n' * 10_000 + b'\r\n',
    ],
)
def test_what_is_no_http_is_answered_with_an_error(server, sent, does_work):
    with http_socket(server) as peer:
        peer.sendall(sent)
        assert peer.recv(100).startswith(b'HTTP/1.')
    does_work(server)


def test_a_claim_of_a_gigabyte_over_http_is_refused_at_once(server, memory_bytes, does_work):
    before = memory_bytes()
    with http_socket(server) as peer:
        peer.sendall(b'POST /act HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\n')
        assert peer.recv(4000).startswith(b'HTTP/1.1 413')
    assert memory_bytes() - before < 10 << 20
    does_work(server)


def test_a_chunked_body_without_end_is_refused(server, memory_bytes, does_work):
    before = memory_bytes()
    with http_socket(server) as peer:
        peer.sendall(b'POST /act HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')
        try:
            for _ in range(100):
                peer.sendall(b'100000\r\n' + b' ' * (1 << 20) + b'\r\n')
        except OSError:
            pass  # it may hang up
        assert peer.recv(4000).startswith(b'HTTP/1.1 413')
    assert memory_bytes() - before < 60 << 20
    does_work(server)


def test_connections_beyond_the_limit_of_http_are_told_so(serve, does_work):
    server = serve(connections=3, patience_s=30.0)
    peers = [http_socket(server) for _ in range(3)]
    for peer in peers:
        peer.sendall(b'GET /health HTTP/1.1\r\nHost: x\r\n\r\n')
        assert peer.recv(4000).startswith(b'HTTP/1.1 200')
    with http_socket(server) as peer:
        assert peer.recv(4000).startswith(b'HTTP/1.1 503')
    for peer in peers:
        peer.close()
    does_work(server)


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


def test_nothing_is_held_when_all_is_answered(server, connect, observation, raw, wait_for):
    connect(server).get_action(observation)
    peer = raw(server)
    peer.send_frame(MORE, b'')
    peer.send_frame(0, b'x' * 100_000, claimed=200_000)
    peer.socket.close()
    url = http.client.HTTPConnection('127.0.0.1', server.http_port, timeout=10)

    def held():
        url.request('GET', '/metrics')
        page = url.getresponse().read().decode()
        return 'chefmate_held_bytes 0\n' not in page

    wait_for(lambda: not held(), 'all bytes are given back')
