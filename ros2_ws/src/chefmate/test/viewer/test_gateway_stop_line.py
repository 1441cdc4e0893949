"""The emergency stop's own way through the gateway, over real sockets; viser need not be there."""

import os
import resource
import socket
import time

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from chefmate.viewer.gateway import StopLine, serve, stop_line

NOBODY = 9  # the port where viser would be
TOKEN = 'a-token_of.enough~length'
PATIENCE_S = 20.0


@pytest.fixture
def presses():
    return []


@pytest.fixture
def open_gateway(presses):
    """Open a gateway with a stop line; it is closed after the test."""
    opened = []

    def open_one(**options):
        line = StopLine(lambda: presses.append(time.monotonic()), 'kitchen-pc')
        opened.append(serve(NOBODY, host='127.0.0.1', port=0, stop_line=line, **options))
        return opened[-1]

    yield open_one
    for gateway in opened:
        gateway.close()


def dial(gateway, query='', **options):
    address = gateway.address.partition('?')[0].replace('http', 'ws', 1)
    return connect(f'{address}{stop_line.PATH[1:]}{query}', **options)


def until(condition):
    end_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end_s, 'it did not happen'
        time.sleep(0.01)


def test_a_press_arrives_although_viser_is_gone(open_gateway, presses):
    with dial(open_gateway()) as bar:
        bar.send('stop')
        until(lambda: len(presses) == 1)


def test_all_browsers_are_told_how_the_stop_is(open_gateway):
    gateway = open_gateway()
    with dial(gateway) as one, dial(gateway) as other:
        until(lambda: len(gateway._stop_line._browsers) == 2)
        gateway.tell_stop('stopped')
        gateway.tell_stop('free')
        for bar in (one, other):
            words = [bar.recv(timeout=PATIENCE_S) for _ in range(3)]
            assert words == ['robot kitchen-pc', 'stopped', 'free']


def test_a_page_that_ends_says_so(open_gateway):
    gateway = open_gateway()
    with dial(gateway) as bar:
        assert bar.recv(timeout=PATIENCE_S) == 'robot kitchen-pc'
        gateway.close()
        assert bar.recv(timeout=PATIENCE_S) == 'ended'


def test_what_is_no_press_does_nothing_and_is_counted(open_gateway, presses):
    gateway = open_gateway()
    with dial(gateway) as bar:
        for message in ('', 'STOP', 'release', b'stop', b'\xff' * 100):
            bar.send(message)
        bar.send('stop')
        until(lambda: presses)
    assert len(presses) == 1 and gateway.refusals == {'message': 5}


def test_the_stop_has_the_door_of_the_page(open_gateway, presses):
    gateway = open_gateway(token=TOKEN)
    for query in ('', '?token=garbage'):
        with pytest.raises(InvalidStatus), dial(gateway, query):
            pass
    with pytest.raises(InvalidStatus), dial(open_gateway(), origin='http://evil.example'):
        pass
    with dial(gateway, f'?token={TOKEN}') as bar:
        bar.send('stop')
        until(lambda: presses)


def test_a_press_that_fails_ends_no_other_browsers_line(open_gateway, presses, monkeypatch):
    gateway = open_gateway()

    def fail():
        raise RuntimeError('the middleware is going down')

    with dial(gateway) as one, dial(gateway) as other:
        with monkeypatch.context() as failing:
            failing.setattr(gateway._stop_line, '_press', fail)
            one.send('stop')
            until(lambda: len(gateway._stop_line._browsers) == 1)
        other.send('stop')
        until(lambda: presses)


def test_who_comes_too_late_to_watch_can_still_stop(open_gateway, presses, monkeypatch):
    monkeypatch.setattr('chefmate.viewer.gateway.gateway.MAX_CLIENTS', 0)
    monkeypatch.setattr(stop_line, 'MAX_LINES', 1)
    gateway = open_gateway()
    with dial(gateway) as bar:
        bar.send('stop')
        until(lambda: presses)
        with pytest.raises(InvalidStatus), dial(gateway):
            pass
    assert gateway.refusals == {'too many viewers': 1}


def test_a_flood_of_connections_is_counted_not_logged(open_gateway, presses, caplog):
    gateway = open_gateway()
    address = ('127.0.0.1', int(gateway.address.rpartition(':')[2].strip('/')))
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    idle = []
    with dial(gateway) as bar:
        bar.ping().wait(PATIENCE_S)
        idle += [socket.socket() for _ in range(20)]
        spare = os.dup(0)
        os.close(spare)
        resource.setrlimit(resource.RLIMIT_NOFILE, (spare, hard))
        try:
            for connection in idle:
                connection.connect(address)
            until(lambda: gateway.refusals.get('too many connections'))
            bar.send('stop')
            until(lambda: presses)
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            for connection in idle:
                connection.close()
    assert 'out of system resource' not in caplog.text


def test_without_a_stop_line_there_is_no_such_path():
    gateway = serve(NOBODY, host='127.0.0.1', port=0)
    try:
        with dial(gateway) as bar, pytest.raises(Exception, match='not being served'):
            bar.recv(timeout=PATIENCE_S)
        gateway.tell_stop('free')  # nobody to tell
    finally:
        gateway.close()
