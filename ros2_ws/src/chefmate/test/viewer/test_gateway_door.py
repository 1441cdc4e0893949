"""Who may enter, decided without a network."""

import pytest

from chefmate.viewer.gateway.door import Door, Entrance, Refusal, Welcome
from chefmate_core.errors import ConfigurationError

TOKEN = 'a-token_of.enough~length'
COOKIE = 'chefmate_viewer_8080'


def decide(door, target='/', websocket=False, **headers):
    """Decide about a request with these headers; a list is a header that comes twice."""
    given = {
        name: value if isinstance(value, list) else [value] for name, value in headers.items()
    }
    return door.decide(target, {'host': ['localhost:8080'], **given}, websocket)


def reason(decision):
    assert isinstance(decision, Refusal), decision
    return decision.reason


@pytest.fixture
def open_door():
    return Door(None, COOKIE)


@pytest.fixture
def closed_door():
    return Door(TOKEN, COOKIE)


@pytest.mark.parametrize(
    'host', ['localhost', 'localhost:8080', 'LocalHost:9000', '127.0.0.1:8080', '[::1]:8080']
)
def test_this_machine_enters_without_a_token_through_any_port(open_door, host):
    assert isinstance(decide(open_door, host=host), Entrance)


@pytest.mark.parametrize(
    'host',
    [
        'evil.example:8080',
        'localhost.evil.example',
        '127.0.0.1.evil.example',
        '192.168.1.5:8080',
        'user@localhost',
        'localhost/..',
        'localhost;script-src *',
        'localhost:port',
        '',
        ' localhost',
        '[::1',
        'löcalhost',
    ],
)
def test_a_name_that_is_not_this_machine_is_refused_without_a_token(open_door, host):
    """A foreign name that leads to 127.0.0.1 is a web page's doing (DNS rebinding)."""
    assert reason(decide(open_door, host=host)) == 'foreign host'


def test_no_host_or_two_are_refused(open_door):
    assert reason(open_door.decide('/', {}, websocket=False)) == 'foreign host'
    assert reason(decide(open_door, host=['localhost', 'evil.example'])) == 'foreign host'


def test_a_host_that_was_allowed_enters():
    door = Door(None, COOKIE, ['robot.example'])
    assert isinstance(decide(door, host='Robot.example:443'), Entrance)
    assert reason(decide(door, host='robot.example.evil')) == 'foreign host'


@pytest.mark.parametrize(
    'origin',
    [
        'http://evil.example',
        'http://localhost:9999',
        'http://localhost',
        'null',
        'file://',
        '',
        'localhost:8080',
        'http://localhost:8080.evil.example',
        'chrome-extension://localhost:8080',
        ['http://localhost:8080', 'http://evil.example'],
    ],
)
def test_a_websocket_of_another_page_is_refused(open_door, origin):
    assert reason(decide(open_door, websocket=True, origin=origin)) == 'foreign origin'


def test_the_websocket_of_the_page_itself_enters(open_door):
    assert isinstance(decide(open_door, websocket=True, origin='http://LOCALHOST:8080'), Entrance)
    proxied = decide(
        Door(None, COOKIE, ['robot.example']),
        websocket=True,
        host='robot.example',
        origin='https://robot.example',
    )
    assert isinstance(proxied, Entrance)


def test_a_program_that_has_no_origin_enters(open_door):
    assert isinstance(decide(open_door, websocket=True), Entrance)


def test_the_right_token_is_taken_out_of_the_address_and_becomes_a_cookie(closed_door):
    welcome = decide(closed_door, f'/?a=1&token={TOKEN}&b=2')
    assert isinstance(welcome, Welcome)
    assert welcome.location == '/?a=1&b=2'
    cookie, *attributes = welcome.cookie.split('; ')
    assert {'HttpOnly', 'SameSite=Lax', 'Path=/'} <= set(attributes)
    assert TOKEN not in cookie
    assert isinstance(decide(closed_door, cookie=f'other=1; {cookie}'), Entrance)
    assert isinstance(decide(closed_door, cookie=cookie, websocket=True), Entrance)


def test_the_cookie_holds_after_a_restart_and_only_for_its_own_token(closed_door):
    cookie = decide(closed_door, f'/?token={TOKEN}').cookie.partition(';')[0]
    assert isinstance(decide(Door(TOKEN, COOKIE), cookie=cookie), Entrance)
    assert reason(decide(Door(TOKEN + 'x', COOKIE), cookie=cookie)) == 'wrong token'


def test_a_welcome_never_leads_to_another_host(closed_door):
    for target in (f'//evil.example/?token={TOKEN}', f'/\\evil.example?token={TOKEN}'):
        location = decide(closed_door, target).location
        assert location.startswith('/') and not location.startswith(('//', '/\\'))


@pytest.mark.parametrize(
    'garbage',
    [
        'x',
        '',
        TOKEN[:-1],
        TOKEN + 'x',
        TOKEN.upper(),
        '%00%ff',
        '%F0%9F%8D%9E',
        'a' * 100_000,
        f'{TOKEN}&token=x',
        f'x&token={TOKEN}',
        '%25s%25n',
    ],
)
def test_a_garbage_token_is_refused(closed_door, garbage):
    assert reason(decide(closed_door, f'/?token={garbage}')) == 'wrong token'
    assert reason(decide(closed_door, f'/?token={garbage}', websocket=True)) == 'wrong token'


def test_a_right_cookie_does_not_make_up_for_a_wrong_token(closed_door):
    cookie = decide(closed_door, f'/?token={TOKEN}').cookie.partition(';')[0]
    assert reason(decide(closed_door, '/?token=other', cookie=cookie)) == 'wrong token'


@pytest.mark.parametrize('cookie', [f'{COOKIE}=', f'{COOKIE}={TOKEN}', f'{COOKIE}=\udcff', ''])
def test_a_garbage_cookie_is_refused(closed_door, cookie):
    assert reason(decide(closed_door, cookie=cookie)) in ('wrong token', 'no token')


def test_without_a_token_nothing_is_to_be_had(closed_door):
    assert reason(decide(closed_door)) == 'no token'
    assert reason(decide(closed_door, '/any/path?tok=1')) == 'no token'
    assert reason(decide(closed_door, websocket=True)) == 'no token'


def test_with_a_token_the_page_may_be_opened_by_any_name_but_not_from_another_page(closed_door):
    headers = {'host': 'kitchen.local:8080'}
    welcome = decide(closed_door, f'/?token={TOKEN}', **headers)
    assert isinstance(welcome, Welcome)
    cookie = welcome.cookie.partition(';')[0]
    assert isinstance(decide(closed_door, cookie=cookie, **headers), Entrance)
    from_elsewhere = decide(
        closed_door, websocket=True, cookie=cookie, origin='http://evil.example', **headers
    )
    assert reason(from_elsewhere) == 'foreign origin'


@pytest.mark.parametrize('token', ['', 'short', 'has a space in its middle', 'é' * 20, '&' * 20])
def test_a_token_that_keeps_nobody_out_is_refused(token):
    with pytest.raises(ConfigurationError, match='16 characters'):
        Door(token, COOKIE)
