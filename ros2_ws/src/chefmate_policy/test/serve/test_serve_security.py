"""Who may ask, who may end the server, and where it may listen."""

import http.client
import json
import socket

import pytest

from chefmate_core.errors import ConfigurationError
from chefmate_core.policy.wire.token import read_token, same_token
from chefmate_policy.serve.config import ServeConfig
from chefmate_policy.serve.server import PolicyServer

TOKEN = 'correct horse'


def get(server, path, **headers):
    connection = http.client.HTTPConnection('127.0.0.1', server.http_port, timeout=10)
    connection.request('GET', path, headers=headers)
    response = connection.getresponse()
    return response.status, response.read()


@pytest.mark.parametrize(
    'given', [{}, {'api_token': 'wrong'}, {'api_token': ''}, {'api_token': 7}, {'api_token': None}]
)
@pytest.mark.parametrize('endpoint', ['ping', 'get_action', 'get_modality_config', 'kill', 'no'])
def test_without_the_token_nothing_is_answered(serve, connect, observation, given, endpoint):
    server = serve(token=TOKEN)
    answer = connect(server).ask({'endpoint': endpoint, **given})
    assert set(answer) == {'error', 'code'}
    assert answer['code'] == 'unauthorised'
    assert not server.engine.requests


def test_with_the_token_all_is_answered(serve, connect, observation):
    client = connect(serve(token=TOKEN))
    assert client.ask({'endpoint': 'ping', 'api_token': TOKEN})['status'] == 'ok'
    assert 'error' not in client.get_action(observation, api_token=TOKEN)


@pytest.mark.parametrize('path', ['/modality', '/metrics', '/nothing'])
def test_http_wants_the_token_too(serve, path):
    server = serve(token=TOKEN)
    for header in ({}, {'Authorization': 'Bearer wrong'}, {'Authorization': TOKEN}):
        status, body = get(server, path, **header)
        assert status in (401, 404)
        assert json.loads(body)['code'] == 'unauthorised'
    assert get(server, '/metrics', Authorization=f'Bearer {TOKEN}')[0] == 200
    assert get(server, '/health')[0] == 200  # whoever watches over it need not know


def test_a_body_is_not_read_before_the_token_is_known(serve):
    server = serve(token=TOKEN)
    with socket.create_connection(('127.0.0.1', server.http_port), 10) as peer:
        peer.sendall(b'POST /act HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n')
        assert peer.recv(4000).startswith(b'HTTP/1.1 401')


def test_kill_is_off_unless_it_was_allowed(server, connect, does_work):
    answer = connect(server).ask({'endpoint': 'kill'})
    assert answer['code'] == 'unauthorised'
    assert '--allow-kill' in answer['error']
    does_work(server)
    assert server.is_running()


def test_kill_ends_the_server_where_it_is_allowed(serve, connect):
    server = serve(allow_kill=True)
    assert connect(server).ask({'endpoint': 'kill'})['status'] == 'ok'
    server.join()
    assert server.engine.is_closed


@pytest.mark.parametrize('host', ['0.0.0.0', '192.168.1.5', '::', 'gpu-host', ''])
def test_other_hosts_are_let_in_only_with_a_token_or_on_purpose(host):
    with pytest.raises(ConfigurationError, match=r'--token-file.*--insecure'):
        ServeConfig(host=host)
    ServeConfig(host=host, token=TOKEN)
    ServeConfig(host=host, insecure=True)


@pytest.mark.parametrize('host', ['127.0.0.1', '127.1.2.3', '::1', 'localhost'])
def test_this_machine_needs_no_token(host):
    assert ServeConfig(host=host).token is None


@pytest.mark.parametrize(
    ('settings', 'message'),
    [
        ({'zmq_port': None, 'http_port': None}, 'both protocols are off'),
        ({'zmq_port': 70_000}, 'zmq_port: expected 0 to 65535'),
        ({'zmq_port': 8000}, 'both protocols are to listen on port 8000'),
        ({'waiting': -1}, 'waiting: expected at least 0'),
        ({'timeout_s': float('nan')}, 'timeout_s'),
        ({'connections': 0}, 'connections'),
    ],
)
def test_a_wrong_setting_is_refused(settings, message):
    with pytest.raises(ConfigurationError, match=message):
        ServeConfig(**settings)


@pytest.mark.parametrize('option', ['zmq_port', 'http_port'])
def test_a_port_that_is_taken_is_said_with_what_to_do(engine, option):
    with socket.create_server(('127.0.0.1', 0)) as other:
        port = other.getsockname()[1]
        ports = {'zmq_port': 0, 'http_port': 0, option: port}
        name = option.replace('_', '-')
        with pytest.raises(ConfigurationError, match=f'--{name} {port}: another program listens'):
            PolicyServer(lambda: engine, ServeConfig(**ports))


def test_an_address_of_another_machine_is_said(engine):
    with pytest.raises(ConfigurationError, match=r'192\.0\.2\.1'):
        PolicyServer(lambda: engine, ServeConfig(host='192.0.2.1', token=TOKEN))


def test_one_protocol_may_be_off(serve, does_work):
    server = serve(http_port=None)
    assert list(server.server.addresses) == ['zmq']
    does_work(server)


def test_it_listens_on_ipv6_too(serve):
    server = serve(host='::1')
    with socket.create_connection(('::1', server.http_port), 10) as peer:
        peer.sendall(b'GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
        assert peer.recv(4000).startswith(b'HTTP/1.1 200')


def test_a_token_is_read_without_white_space_around_it(tmp_path):
    file = tmp_path / 'token'
    file.write_text(f'  {TOKEN}\n')
    file.chmod(0o600)
    assert read_token(file) == TOKEN


@pytest.mark.parametrize('content', [None, b'', b' \n', b'\xff\xfe\x00'])
def test_a_token_file_without_a_token_is_refused(tmp_path, content):
    file = tmp_path / 'token'
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ConfigurationError, match=f'token file {file}'):
        read_token(file)


def test_a_token_that_everybody_can_read_is_said(tmp_path, caplog):
    file = tmp_path / 'token'
    file.write_text(TOKEN)
    file.chmod(0o644)
    assert read_token(file) == TOKEN
    assert 'chmod 600' in caplog.text


def test_tokens_are_compared_whole():
    assert same_token(TOKEN, TOKEN)
    for other in (
        '',
        TOKEN[:-1],
        TOKEN + 'x',
        TOKEN.upper(),
        None,
        7,
        TOKEN.encode(),
        'é',
        '\ud800',
    ):
        assert not same_token(TOKEN, other)
