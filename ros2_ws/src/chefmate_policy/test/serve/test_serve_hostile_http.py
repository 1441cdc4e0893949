"""Bytes on the HTTP port that no client sends on purpose: an answer, or the end of the line."""

import socket

import pytest


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
