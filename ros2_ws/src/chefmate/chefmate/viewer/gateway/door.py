"""Who may enter: decided from a request's line and headers alone, without any network."""

import hashlib
import hmac
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urlencode, urlsplit

from chefmate_core.errors import ConfigurationError

TOKEN_PARAMETER = 'token'
MIN_TOKEN_LENGTH = 16
_TOKEN = re.compile(r'[A-Za-z0-9._~-]+')  # what an address holds unescaped (RFC 3986, 2.3)
_AUTHORITY = re.compile(r'(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?')
_LOOPBACK_NAME = re.compile(r'localhost|[a-z0-9-]+\.localhost|127\.\d+\.\d+\.\d+|::1')


@dataclass(frozen=True)
class Entrance:
    """The request may go on."""


@dataclass(frozen=True)
class Welcome:
    """The token in the address was right: hand out the cookie, and go on without the token."""

    location: str
    cookie: str


@dataclass(frozen=True)
class Refusal:
    """The request gets nothing.

    Attributes:
        reason: what it is counted as.
        message: what its sender reads.
    """

    reason: str
    message: str


def is_loopback(host: str) -> bool:
    """Return whether a host name or address can only mean this machine."""
    return _LOOPBACK_NAME.fullmatch(host.lower().strip('[]')) is not None


def checked_token(token: str | None) -> str | None:
    """Return the token.

    Raises:
        ConfigurationError: it is too short to keep anybody out, or does not fit into an address.
    """
    if token is None:
        return None
    if len(token) < MIN_TOKEN_LENGTH or not _TOKEN.fullmatch(token):
        raise ConfigurationError(
            f'the token of the viewer page must have {MIN_TOKEN_LENGTH} characters or more, of '
            f'letters, digits and . _ ~ - alone; found {len(token)} characters. Next: let '
            f'python3 -c "import secrets; print(secrets.token_urlsafe())" make one'
        )
    return token


class Door:
    """Decides about requests.

    Without a token only pages opened under a name of this machine get in: another name that leads
    here is a foreign page's doing (DNS rebinding). With a token the name does not matter, because
    a browser hands the cookie only to the name that it got it from.

    Args:
        token: what the address must hold once; None: nothing.
        cookie_name: differs between two pages on one host, which share their cookies.
        allowed_hosts: names besides those of this machine, such as a reverse proxy's.
    """

    def __init__(
        self, token: str | None, cookie_name: str, allowed_hosts: Collection[str] = ()
    ) -> None:
        self._token = checked_token(token)
        self._cookie_name = cookie_name
        self._allowed_hosts = frozenset(host.lower() for host in allowed_hosts)

    def decide(
        self, target: str, headers: Mapping[str, list[str]], websocket: bool
    ) -> Entrance | Welcome | Refusal:
        """Decide about one request.

        Args:
            target: path and query as in the request line.
            headers: by name in lower case, all values of each.
            websocket: whether it asks for a websocket, which has to tell whose page it serves.
        """
        authorities = headers.get('host', [])
        host = _host_of(authorities[0]) if len(authorities) == 1 else None
        if host is None:
            return Refusal('foreign host', 'The request does not say which host it is for.')
        if self._token is None and not (is_loopback(host) or host in self._allowed_hosts):
            return Refusal(
                'foreign host',
                'This page is for its own machine only. Open it as http://localhost there, or '
                'start it with a token.',
            )
        origins = headers.get('origin', [])
        if websocket and any(not _same_origin(origin, authorities[0]) for origin in origins):
            return Refusal('foreign origin', 'Another web page tried to reach the robot.')
        return self._decide_by_token(target, headers, websocket)

    def _decide_by_token(
        self, target: str, headers: Mapping[str, list[str]], websocket: bool
    ) -> Entrance | Welcome | Refusal:
        if self._token is None:
            return Entrance()
        path, _, query_text = target.partition('?')
        query = parse_qs(query_text, keep_blank_values=True)
        offered = query.pop(TOKEN_PARAMETER, [])
        if offered:
            if len(offered) != 1 or not _equal(offered[0], self._token):
                return Refusal('wrong token', 'The token in this address is not the right one.')
            if websocket:
                return Entrance()
            rest = urlencode(query, doseq=True)
            # A path of two slashes would name another host.
            location = '/' + path.lstrip('/\\') + (f'?{rest}' if rest else '')
            return Welcome(location, self._set_cookie())
        cookies = _cookies(headers.get('cookie', []), self._cookie_name)
        if any(_equal(cookie, self._cookie_value()) for cookie in cookies):
            return Entrance()
        if cookies:
            return Refusal('wrong token', 'The token has changed since this page was opened.')
        return Refusal('no token', 'This page can be seen with its token only.')

    def _cookie_value(self) -> str:
        # Not the token itself: who reads the cookie cannot make an address of it. The same after
        # a restart, so that an open page comes back by itself.
        token = (self._token or '').encode()
        return hmac.new(token, self._cookie_name.encode(), hashlib.sha256).hexdigest()

    def _set_cookie(self) -> str:
        # Lax, not Strict: the page may be opened from a link in a message.
        return f'{self._cookie_name}={self._cookie_value()}; Path=/; HttpOnly; SameSite=Lax'


def _equal(offered: str, expected: str) -> bool:
    """Compare in constant time, whatever characters were offered."""
    return hmac.compare_digest(
        offered.encode('utf-8', 'surrogatepass'), expected.encode('utf-8', 'surrogatepass')
    )


def _host_of(authority: str) -> str | None:
    """Return the host's name in a Host header, in lower case without port; None: it has none."""
    if not _AUTHORITY.fullmatch(authority):
        return None
    try:
        return urlsplit(f'//{authority}').hostname
    except ValueError:
        return None


def _same_origin(origin: str, authority: str) -> bool:
    scheme, separator, rest = origin.partition('://')
    return scheme in ('http', 'https') and bool(separator) and rest.lower() == authority.lower()


def _cookies(headers: list[str], name: str) -> list[str]:
    """Return the values of all cookies of that name."""
    pairs = (pair.strip().partition('=') for header in headers for pair in header.split(';'))
    return [value for key, _, value in pairs if key == name]
