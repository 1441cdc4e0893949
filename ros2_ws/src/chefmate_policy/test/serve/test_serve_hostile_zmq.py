"""Bytes on the ZeroMQ port that no client sends on purpose: an answer, or the end of the line."""

import contextlib
import http.client
import socket
import struct

import msgpack
import pytest

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
