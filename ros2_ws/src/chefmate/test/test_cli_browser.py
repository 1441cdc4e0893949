import os
import subprocess
import sys
import time

import pytest

from chefmate.cli.browser import PageOpener, has_screen


@pytest.mark.parametrize(
    ('environment', 'platform', 'expected'),
    [
        ({}, 'linux', False),
        ({'DISPLAY': ':0'}, 'linux', True),
        ({'WAYLAND_DISPLAY': 'wayland-0'}, 'linux', True),
        ({'DISPLAY': ''}, 'linux', False),
        ({'DISPLAY': 'localhost:10.0', 'SSH_CONNECTION': 'a 1 b 22'}, 'linux', False),
        ({}, 'darwin', True),
        ({'SSH_CONNECTION': 'a 1 b 22'}, 'darwin', False),
    ],
)
def test_a_browser_is_opened_only_where_the_user_would_see_it(environment, platform, expected):
    assert has_screen(environment, platform) is expected


def test_a_browser_for_terminals_does_not_get_this_one(tmp_path):
    """In a process of its own: Python looks for browsers once."""
    for name in ('w3m', 'lynx'):
        program = tmp_path / name
        program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/opened\n')
        program.chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if name != 'BROWSER'}
    subprocess.run(
        [sys.executable, '-c', OPEN],
        env={**environment, 'PATH': str(tmp_path), 'DISPLAY': ':9'},
        check=True,
    )
    assert not (tmp_path / 'opened').exists()


OPEN = 'from chefmate.cli.browser import open_in_a_window; open_in_a_window("http://localhost:1")'


def opened_after(opener, opened, *addresses, wanted=0):
    """Return what was opened: as many as wanted, and what else comes in half a second."""
    for address in addresses:
        opener.see(address)
    end_s = time.monotonic() + 20.0
    while len(opened) < wanted and time.monotonic() < end_s:
        time.sleep(0.01)
    time.sleep(0.5)
    return opened


def test_the_page_is_opened_once_when_its_address_is_known():
    opened = []
    opener = PageOpener(is_wanted=True, open_page=opened.append)
    page = 'http://localhost:8080'
    assert opened_after(opener, opened, '', '', page, page, wanted=1) == [page]
    assert opened_after(opener, opened, page) == [page]


def test_nothing_is_opened_where_nobody_looks():
    opened = []
    opener = PageOpener(is_wanted=False, open_page=opened.append)
    assert opened_after(opener, opened, 'http://localhost:8080') == []
