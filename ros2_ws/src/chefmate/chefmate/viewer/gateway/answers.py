"""What the gateway answers by itself, and the headers that every answer bears."""

import html
from collections.abc import Iterable
from http import HTTPStatus

from websockets.datastructures import Headers
from websockets.http11 import Response

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><link rel="icon" href="data:,">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>ChefMate</title><style>
:root {{ color-scheme: light dark }}
body {{ font: 1.1rem/1.5 system-ui, sans-serif }}
body {{ max-width: 34rem; margin: 15vh auto; padding: 0 1.5rem }}
h1 {{ font-size: 1.4rem }}
</style></head><body><h1>{title}</h1><p>{message}</p><p>{hint}</p></body></html>
"""
_TITLES = {
    HTTPStatus.FORBIDDEN: 'This page is closed to you',
    HTTPStatus.SERVICE_UNAVAILABLE: 'Not now',
}
_HINT = 'Whoever started the page knows its address, and its token: ADDRESS/?token=TOKEN.'


def security_headers(authority: str | None = None) -> list[tuple[str, str]]:
    """Return the headers that keep a page to itself; `authority` is what the page is opened as.

    viser's client connects to whatever `?websocket=` names, and does what it is told from there:
    the policy lets it connect here only. No other page may show this one in a frame and have the
    user press a button unseen.
    """
    sockets = f' ws://{authority} wss://{authority}' if authority else ''
    policy = (
        "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; "
        f"connect-src 'self'{sockets} data: blob:; frame-ancestors 'none'; "
        "form-action 'none'; base-uri 'none'; object-src 'none'"
    )
    return [
        ('Content-Security-Policy', policy),
        ('X-Frame-Options', 'DENY'),
        ('X-Content-Type-Options', 'nosniff'),
        ('Referrer-Policy', 'no-referrer'),
        ('Cross-Origin-Resource-Policy', 'same-origin'),
        ('Cross-Origin-Opener-Policy', 'same-origin'),
        ('Cache-Control', 'no-store'),
    ]


def answer(status: HTTPStatus, headers: Iterable[tuple[str, str]], body: bytes = b'') -> Response:
    """Return a whole response."""
    fields = Headers(headers)
    fields['Content-Length'] = str(len(body))
    fields['Connection'] = 'close'
    return Response(status.value, status.phrase, fields, body)


def message_page(status: HTTPStatus, message: str) -> Response:
    """Return a page that says why there is nothing to see."""
    title = _TITLES.get(status, status.phrase)
    text = _PAGE.format(
        title=html.escape(title), message=html.escape(message), hint=html.escape(_HINT)
    )
    headers = [('Content-Type', 'text/html; charset=utf-8'), *security_headers()]
    return answer(status, headers, text.encode())


def redirect(location: str, cookie: str) -> Response:
    """Send the browser on, with the cookie that lets it in."""
    headers = [('Location', location), ('Set-Cookie', cookie), *security_headers()]
    return answer(HTTPStatus.SEE_OTHER, headers)
