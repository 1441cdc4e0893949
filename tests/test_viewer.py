"""The page as people use it: a real arm driver, the page's own process, and Chromium."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time

import pytest
from browser import DESKTOP, PHONE, Browser
from deployment import free_port
from page_watcher import PageWatcher
from viewer_stage import (
    ARTIFACTS,
    SMALL,
    address_in,
    changed_pixels,
    needs_browser,
    picture,
    until_drawn,
    until_it_looks,
)

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]
pytest_plugins = ['viewer_fixtures']

TOKEN = 'a-token_of.enough~length'


def covered(tab):
    """Return whether something lies over the stop's middle, or it is out of the window."""
    return not tab.page.evaluate(
        """() => {
        const bar = document.getElementById('chefmate-stop'), box = bar.getBoundingClientRect();
        const inside = box.left >= 0 && box.top >= 0 && box.right <= innerWidth
          && box.bottom <= innerHeight && box.height >= 40 && box.width >= 150;
        const top = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
        return inside && bar.contains(top);
        }"""
    )


def get(address, target='/'):
    host = address.removeprefix('http://').rstrip('/')
    connection = http.client.HTTPConnection(host, timeout=30.0)
    try:
        connection.request('GET', target)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@needs_browser
@pytest.mark.parametrize('size', [DESKTOP, PHONE], ids=['desktop', 'phone'])
def test_the_page_is_drawn_and_the_robot_in_it_moves(arm, hand, serve, chromium, size):
    tab = chromium.open(serve(), size)
    until_drawn(tab)
    name = f'{size[0]}x{size[1]}'
    tab.screenshot(ARTIFACTS / f'{name}.png')
    before = picture(tab)
    hand.move_to(arm, 0.5)
    end_s = time.monotonic() + 30.0
    while changed_pixels(before, picture(tab)) < before.shape[0] * before.shape[1] / 100:
        assert time.monotonic() < end_s, 'the arm moved, the picture of it did not'
    tab.screenshot(ARTIFACTS / f'{name}_moved.png')
    assert not covered(tab), 'the emergency stop must be in sight'
    assert tab.page.evaluate('document.documentElement.scrollWidth <= innerWidth')
    assert tab.page.title().startswith('ChefMate · ')
    assert not tab.complaints


@needs_browser
def test_a_newcomer_starts_a_task_sees_the_kitchen_and_stops_it(hand, serve, chefmate, chromium):
    deploy = chefmate('launch', 'deploy', 'instruction:=none', 'view:=false')
    deploy.wait_for('torque is on')
    tab = chromium.open(serve('control:=true'))
    tab.page.get_by_role('button', name='Start', exact=True).click(timeout=60_000)
    hand.wait_until_moving()
    tab.page.get_by_role('button', name='Stop the task', exact=True).and_(
        tab.page.locator(':enabled')
    ).wait_for(timeout=60_000)
    tab.close_notice()
    tab.screenshot(ARTIFACTS / 'working.png')
    cameras = tab.page.get_by_role('img', name='Camera')
    assert cameras.count() == 2
    assert all(image.evaluate('image => image.naturalWidth') == 640 for image in cameras.all())
    tab.page.keyboard.press('Escape')
    hand.until(lambda: hand.estop_active, what='the stop')
    hand.wait_until_standing()
    until_it_looks(tab, 'stopped')
    tab.screenshot(ARTIFACTS / 'working_stopped.png')
    assert not tab.complaints


@needs_browser
def test_a_browser_that_is_killed_while_the_arm_moves_changes_nothing(arm, hand, serve):
    address = serve()
    with subprocess.Popen(
        [sys.executable, __file__, address],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as visitor:
        assert visitor.stdout.readline() == 'watching\n'
        hand.until_watched_by(1)
        hand.move_to(arm, 0.3)
        os.killpg(visitor.pid, signal.SIGKILL)
    hand.move_to(arm, 0.5)
    assert not hand.estop_active
    hand.until_watched_by(0)
    with PageWatcher(address):
        hand.until_watched_by(1)


def test_ten_viewers_at_once_all_see_the_arm_and_it_does_not_notice(arm, hand, serve):
    address = serve()
    viewers = [PageWatcher(address) for _ in range(10)]
    try:
        hand.until_watched_by(10)
        seen = [viewer.frames for viewer in viewers]
        hand.move_to(arm, 0.5)
        hand.until(
            lambda: all(v.frames > n + 5 for v, n in zip(viewers, seen, strict=True)),
            what='frames for everybody',
        )
        assert not any(viewer.gone for viewer in viewers)
        assert hand.estop_active is not True
    finally:
        for viewer in viewers:
            viewer.__exit__()
    hand.until_watched_by(0)


def test_a_taken_port_is_passed_over_and_the_address_says_so(serve, chefmate):
    with socket.create_server(('127.0.0.1', 0)) as taken:
        port = taken.getsockname()[1]
        command = chefmate('launch', 'viewer', f'view_port:={port}')
        address = address_in(command)
        assert f':{port}/' not in address
        assert get(address)[0] == 200


def test_other_machines_are_let_in_with_the_token_only(serve, hand, tmp_path):
    file = tmp_path / 'token'
    file.write_text(TOKEN)
    address = serve('view_host:=0.0.0.0', f'view_token_file:={file}')
    address = re.sub(r'//[^:]+:', '//127.0.0.1:', address)
    for target in ('/', '/?token=garbage', f'/?token={TOKEN[:-1]}', '/index.html?token=%ff'):
        status, body = get(address, target)
        assert status == 403 and b'<script' not in body and len(body) < 3000
    hand.until(lambda: hand.page.get('refused') == '4', what='a count of the refused')
    assert get(address, f'/?token={TOKEN}')[0] == 303


def test_without_a_token_the_page_is_not_served_to_other_machines(chefmate):
    command = chefmate('launch', 'viewer', 'view_host:=0.0.0.0', f'view_port:={free_port()}')
    assert command.wait(60.0) != 0
    assert 'a token is needed' in ' '.join(command.output.split())


@needs_browser
def test_no_link_makes_the_page_listen_to_somebody_else(serve, chromium):
    """viser's client would connect to ?websocket=, and do what it is told from there."""
    address = serve()
    with socket.create_server(('127.0.0.1', 0)) as elsewhere:
        port = elsewhere.getsockname()[1]
        tab = chromium.open(f'{address}?websocket=ws://127.0.0.1:{port}/')
        assert str(port) in tab.page.url
        elsewhere.settimeout(5.0)  # the client tries every second
        with pytest.raises(TimeoutError):
            elsewhere.accept()


def visit(address):
    """Open the page in a browser and leave it open, until killed."""
    with Browser() as opened:
        opened.open(address, SMALL)
        print('watching', flush=True)
        time.sleep(120.0)


if __name__ == '__main__':
    visit(sys.argv[1])
