"""The gateway over real sockets, before a real viser."""

import contextlib
import http.client
import secrets
import socket
import time
from pathlib import Path

import msgspec
import pytest
from page_watcher import CAMERA
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from chefmate.viewer.gateway import private_host, serve
from chefmate_core.errors import ConfigurationError

viser = pytest.importorskip('viser')

PICTURES = 100
TOKEN = 'a-token_of.enough~length'
PROTOCOL = [f'viser-v{viser.__version__}']


@pytest.fixture(scope='module')
def page():
    """viser with a button; pressed(client_id) is remembered."""
    server = viser.ViserServer(host=private_host(), port=0, verbose=False)
    button = server.gui.add_button('Stop')
    server.presses = []
    button.on_click(lambda event: server.presses.append(event.client_id))
    server.stop_button = button
    yield server
    server.stop()


@pytest.fixture
def gateway_of(page):
    """Open gateways to the page; they are closed after the test."""
    with contextlib.ExitStack() as opened:

        def open_one(**options):
            arguments = {'port': 0, 'host': '127.0.0.1'} | options
            gateway = serve(page.get_port(), upstream_host=page.get_host(), **arguments)
            opened.callback(gateway.close)
            return gateway

        yield open_one


def port_of(gateway):
    return int(gateway.address.rpartition(':')[2].partition('/')[0])


def get(gateway, target='/', **headers):
    """Return (status, headers, body) of a GET."""
    connection = http.client.HTTPConnection('127.0.0.1', port_of(gateway), timeout=20.0)
    try:
        connection.request('GET', target, headers=headers)
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def watch(gateway, query='', **options):
    """Open the page's websocket as viser's client does."""
    url = f'ws://127.0.0.1:{port_of(gateway)}/{query}'
    return connect(url, subprotocols=PROTOCOL, compression=None, max_size=None, **options)


def say(viewer, **content):
    viewer.send(msgspec.msgpack.encode(content))


def enter(viewer):
    """Do what a page does first, which makes it a client in viser's eyes."""
    say(viewer, **CAMERA)
    viewer.recv(timeout=20.0)


def until(condition, timeout_s=20.0):
    end_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end_s, 'it did not happen'
        time.sleep(0.01)


def press(viewer, page):
    say(viewer, type='GuiUpdateMessage', uuid=page.stop_button._impl.uuid, updates={'value': True})


def test_the_page_and_its_websocket_come_through_one_port(page, gateway_of):
    gateway = gateway_of()
    status, headers, body = get(gateway)
    assert status == 200 and headers['Content-Type'].startswith('text/html')
    assert body == _index_html()
    with watch(gateway) as viewer:
        enter(viewer)
        until(lambda: page.get_clients())
        assert gateway.clients == 1
        before = len(page.presses)
        press(viewer, page)
        until(lambda: len(page.presses) == before + 1)
    until(lambda: gateway.clients == 0 and not page.get_clients())
    assert gateway.refused == 0


def _index_html():
    return (Path(viser.__file__).parent / 'client' / 'build' / 'index.html').read_bytes()


def test_a_page_may_not_connect_elsewhere_nor_be_framed(gateway_of):
    _, headers, _ = get(gateway_of())
    policy = headers['Content-Security-Policy']
    assert "frame-ancestors 'none'" in policy
    connections = policy.partition('connect-src')[2].partition(';')[0].split()
    assert all('*' not in source and source != 'ws:' for source in connections)
    assert headers['X-Frame-Options'] == 'DENY'


def test_what_is_added_to_the_head_stands_at_its_end(gateway_of):
    _, _, body = get(gateway_of(head_html='<title>Ours</title>'))
    assert body.endswith(b'<title>Ours</title></head>' + _index_html().rpartition(b'</head>')[2])


def test_no_path_leads_out_of_the_page(gateway_of):
    gateway = gateway_of()
    for target in (
        '/no-such-file',
        '/../../_viser.py',
        '/%2e%2e/%2e%2e/_viser.py',
        '//etc/passwd',
    ):
        assert get(gateway, target)[0] == 404


def test_a_path_that_no_browser_would_send_is_answered_as_any_other(gateway_of):
    with socket.create_connection(('127.0.0.1', port_of(gateway_of())), timeout=20.0) as client:
        client.sendall(b'GET /k\xc3\xbcche HTTP/1.1\r\nHost: localhost\r\n\r\n')
        answer = client.makefile('rb').read()
    assert answer.startswith(b'HTTP/1.1 404') and b'Content-Security-Policy' in answer


@pytest.mark.parametrize('query', ['', '?token=garbage', '?token=', '?token=%00%ff'])
def test_without_the_token_there_is_a_message_and_nothing_else(page, gateway_of, query):
    gateway = gateway_of(token=TOKEN)
    status, _, body = get(gateway, f'/{query}')
    assert status == 403
    assert b'token' in body and len(body) < 3000 and b'viser' not in body.lower()
    assert get(gateway, f'/index.html{query}')[0] == 403
    with pytest.raises(InvalidStatus) as refused, watch(gateway, query):
        pass
    assert refused.value.response.status_code == 403
    assert gateway.refused == 3 and gateway.clients == 0
    assert set(gateway.refusals) == ({'wrong token'} if query else {'no token'})


def test_the_printed_address_opens_the_page_once_and_the_cookie_afterwards(page, gateway_of):
    gateway = gateway_of(token=TOKEN)
    status, headers, _ = get(gateway, '/' + gateway.address.rpartition('/')[2])
    assert status == 303 and headers['Location'] == '/'
    cookie = headers['Set-Cookie'].partition(';')[0]
    assert get(gateway, '/', Cookie=cookie)[0] == 200
    with watch(gateway, additional_headers={'Cookie': cookie}) as viewer:
        enter(viewer)
    assert gateway.refused == 0


def test_another_web_page_reaches_neither_page_nor_websocket(gateway_of):
    gateway = gateway_of()
    with pytest.raises(InvalidStatus), watch(gateway, origin='http://evil.example'):
        pass
    assert get(gateway, '/', Host='evil.example')[0] == 403
    assert gateway.refusals == {'foreign origin': 1, 'foreign host': 1}


def test_viser_itself_is_not_where_a_web_page_would_look(page, gateway_of):
    gateway_of()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(('127.0.0.1', page.get_port()), timeout=5.0)


def test_a_message_that_would_disarm_the_stop_is_dropped_and_counted(page, gateway_of):
    gateway = gateway_of()
    with watch(gateway) as attacker, watch(gateway) as viewer:
        enter(attacker)
        enter(viewer)
        uuid = page.stop_button._impl.uuid
        say(attacker, type='GuiUpdateMessage', uuid=uuid, updates={'update_cb': []})
        say(attacker, type='ShareUrlRequest')
        attacker.send('text')
        attacker.send(b'\xff' * 100)
        until(lambda: gateway.refusals == {'message': 4})
        before = len(page.presses)
        press(viewer, page)
        press(attacker, page)  # it was not thrown out, either
        until(lambda: len(page.presses) == before + 2)


def test_a_message_too_long_ends_its_own_viewer_only(page, gateway_of):
    gateway = gateway_of()
    with watch(gateway) as greedy, watch(gateway) as viewer:
        enter(greedy)
        enter(viewer)
        greedy.send(b'x' * (1 << 20))
        with pytest.raises(ConnectionClosed):
            while True:
                greedy.recv(timeout=20.0)
        until(lambda: gateway.clients == 1)
        before = len(page.presses)
        press(viewer, page)
        until(lambda: len(page.presses) == before + 1)


def test_ten_viewers_at_once_all_see_and_all_can_press(page, gateway_of):
    gateway = gateway_of()
    with contextlib.ExitStack() as opened:
        viewers = [opened.enter_context(watch(gateway)) for _ in range(10)]
        for viewer in viewers:
            enter(viewer)
        until(lambda: len(page.get_clients()) == 10)
        assert gateway.clients == 10
        before = len(page.presses)
        for viewer in viewers:
            press(viewer, page)
        until(lambda: len(page.presses) == before + 10)
        assert len(set(page.presses[before:])) == 10
    until(lambda: gateway.clients == 0 and not page.get_clients())


def test_more_viewers_than_it_serves_are_told_so(gateway_of, monkeypatch):
    monkeypatch.setattr('chefmate.viewer.gateway.gateway.MAX_CLIENTS', 1)
    gateway = gateway_of()
    with watch(gateway) as viewer:
        enter(viewer)
        with pytest.raises(InvalidStatus) as refused, watch(gateway):
            pass
        assert refused.value.response.status_code == 503
    until(lambda: gateway.clients == 0)
    with watch(gateway) as viewer:
        enter(viewer)


def test_a_browser_gone_without_a_word_is_forgotten(page, gateway_of):
    gateway = gateway_of()
    viewer = watch(gateway)
    enter(viewer)
    until(lambda: page.get_clients())
    viewer.socket.shutdown(socket.SHUT_RDWR)
    until(lambda: gateway.clients == 0 and not page.get_clients())


def test_a_browser_that_hangs_is_forgotten(page, gateway_of, monkeypatch):
    monkeypatch.setattr('chefmate.viewer.gateway.gateway._PING_S', 0.2)
    gateway = gateway_of()
    with socket.create_connection(('127.0.0.1', port_of(gateway))) as plug:
        key = 'GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n'
        key += 'Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\nSec-WebSocket-Version: 13\r\n'
        plug.sendall(f'{key}Sec-WebSocket-Protocol: {PROTOCOL[0]}\r\n\r\n'.encode())
        assert b' 101 ' in plug.recv(100)
        until(lambda: gateway.clients == 1)
        until(lambda: gateway.clients == 0)


def test_a_browser_that_reads_nothing_holds_up_nobody_and_then_sees_the_newest(page, gateway_of):
    """What it has not read is replaced by what is newer, instead of waiting for it."""
    gateway = gateway_of()
    picture = page.gui.add_html('')
    plug = socket.create_connection(('127.0.0.1', port_of(gateway)))
    with watch(gateway, sock=plug, max_queue=1, ping_interval=None) as stuck, watch(gateway) as ok:
        enter(stuck)
        enter(ok)
        for number in range(PICTURES):
            picture.content = f'{number:04}-' + secrets.token_urlsafe(200_000)
            newest = f'{number:04}-'.encode()
            while newest not in _plain(ok.recv(timeout=20.0)):
                pass
        assert gateway.clients == 2
        seen = 1
        while newest not in _plain(stuck.recv(timeout=20.0)):
            seen += 1
        assert seen < PICTURES / 2
    picture.remove()


def _plain(frame):
    """Return the messages of a frame of viser's, uncompressed."""
    import zstandard

    size, length = (int.from_bytes(frame[at : at + 8], 'little') for at in (0, 8))
    return zstandard.decompress(frame[16 : 16 + length], max_output_size=size)


def test_a_taken_port_is_passed_over(gateway_of):
    first = gateway_of(port=18080)
    second = gateway_of(port=port_of(first))
    assert port_of(second) > port_of(first)
    assert get(first)[0] == get(second)[0] == 200


def test_no_free_port_is_an_error_that_says_which_were_tried(gateway_of, monkeypatch):
    monkeypatch.setattr('chefmate.viewer.gateway.listening.PORTS_TRIED', 2)
    first = port_of(gateway_of(port=18180))
    gateway_of(port=first + 1)
    with pytest.raises(ConfigurationError, match=f'{first} to {first + 1}'):
        gateway_of(port=first)


@pytest.mark.parametrize('host', ['0.0.0.0', '', '::', '192.0.2.1', 'robot.local'])
def test_other_machines_need_a_token(gateway_of, host):
    with pytest.raises(ConfigurationError, match='token'):
        gateway_of(host=host)


def test_a_host_that_is_not_here_is_refused(gateway_of):
    for host in ('192.0.2.1', 'no-such-host.invalid'):
        with pytest.raises(ConfigurationError, match='cannot be served'):
            gateway_of(host=host, token=TOKEN)


def test_with_a_token_every_interface_is_served_and_the_address_can_be_opened(gateway_of):
    gateway = gateway_of(host='0.0.0.0', token=TOKEN)
    assert '0.0.0.0' not in gateway.address and gateway.address.endswith(f'/?token={TOKEN}')
    assert get(gateway, f'/?token={TOKEN}', Host='robot.local')[0] == 303


def test_localhost_is_served_by_both_its_addresses_where_it_has_two(gateway_of):
    gateway = gateway_of(host='localhost')
    names = {entry[4][0] for entry in socket.getaddrinfo('localhost', None)}
    for name in names:
        with contextlib.suppress(OSError):
            socket.create_server((name, 0), family=_family(name)).close()
            socket.create_connection((name, port_of(gateway)), timeout=5.0).close()
    assert gateway.address == f'http://localhost:{port_of(gateway)}/'


def _family(name):
    return socket.AF_INET6 if ':' in name else socket.AF_INET


def test_a_page_that_is_not_served_says_so():
    with socket.create_server(('127.0.0.1', 0)) as taken:
        nobody = taken.getsockname()[1]
    gateway = serve(nobody, host='127.0.0.1', port=0)
    try:
        status, _, body = get(gateway)
        assert status == 503 and b'not being served' in body
        with pytest.raises(ConnectionClosed, match='not being served'), watch(gateway) as viewer:
            viewer.recv(timeout=20.0)
    finally:
        gateway.close()


def test_closing_says_good_bye_frees_the_port_and_may_happen_twice(gateway_of):
    gateway = gateway_of()
    port = port_of(gateway)
    with watch(gateway) as viewer:
        enter(viewer)
        gateway.close()
        with pytest.raises(ConnectionClosed):
            while True:
                viewer.recv(timeout=20.0)
    gateway.close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(('127.0.0.1', port), timeout=5.0)


def test_garbage_on_the_port_is_not_an_event(gateway_of, caplog):
    gateway = gateway_of()
    for garbage in (b'\x16\x03\x01\x02\x00\x01', b'\xff' * 10_000, b'GET / HTTP/9\r\n\r\n', b''):
        with socket.create_connection(('127.0.0.1', port_of(gateway)), timeout=5.0) as plug:
            plug.sendall(garbage)
            plug.shutdown(socket.SHUT_WR)
            with contextlib.suppress(OSError):
                while plug.recv(4096):
                    pass
    assert get(gateway)[0] == 200
    assert not caplog.records
