"""The page as people use it: a real arm driver, the page's own process, and Chromium."""

import http.client
import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import time

import browser
import numpy as np
import pytest
from browser import DESKTOP, PHONE, Browser
from deployment import ROOT
from diagnostic_msgs.msg import DiagnosticArray
from page_watcher import PageWatcher
from probe import Probe

from chefmate_core.calibration import ArmCalibration
from chefmate_sim.virtual_bus.bus import VirtualServoBus
from chefmate_sim.virtual_bus.model import FirstOrderArm

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]
needs_browser = pytest.mark.skipif(browser.missing() is not None, reason=str(browser.missing()))

ARTIFACTS = ROOT / 'out' / 'viewer'
FOLLOWER = ROOT / 'calibration' / 'follower.json'
TOKEN = 'a-token_of.enough~length'
PRESSES = 5
SMALL = (800, 600)
STOP_WITHIN_MS = 200.0
# Remembers when the browser itself saw the button or the key go down, in ms of the wall clock.
NOTE_PRESSES = """
for (const kind of ['pointerdown', 'keydown']) addEventListener(kind, (event) => {
  if (event.isTrusted) window.pressed_ms = performance.timeOrigin + event.timeStamp;
}, true);
"""


class Kitchenhand(Probe):
    """Watches the arm, and when the stop arrived."""

    def __init__(self, domain):
        super().__init__(domain)
        self.stopped_at_s = None  # wall clock, as in the browser
        self.page = {}
        self.node.create_subscription(DiagnosticArray, '/diagnostics', self._on_diagnostics, 10)

    def _on_estop(self, message):
        if message.data and not self.estop_active:
            self.stopped_at_s = time.time()
        super()._on_estop(message)

    def _on_diagnostics(self, message):
        for status in message.status:
            if status.name == 'viewer: page':
                self.page = {entry.key: entry.value for entry in status.values}

    def until_watched_by(self, count):
        self.until(lambda: self.page.get('viewers') == str(count), what=f'{count} viewers')

    def move_to(self, model, goal_rad):
        """Command until the arm is there."""

        def arrived():
            self.command([goal_rad] * 6)
            return np.allclose(model.position_rad(), goal_rad, atol=0.02)

        self.until(arrived, what='the arm at its goal')


@pytest.fixture
def arm(tmp_path, chefmate):
    """A driver with virtual servos at 0.2 rad; its model."""
    model = FirstOrderArm(np.full(6, 0.2))
    with VirtualServoBus(model, ArmCalibration.load(FOLLOWER), tmp_path / 'port') as bus:
        command = chefmate('launch', 'arm', f'port:={bus.port}', f'calibration:={FOLLOWER}')
        command.wait_for('torque is on')
        yield model


@pytest.fixture
def hand(domain):
    with Kitchenhand(domain) as probe:
        yield probe


@pytest.fixture
def serve(chefmate):
    """Start the page; return its address."""

    def start(*arguments):
        command = chefmate('launch', 'viewer', f'view_port:={free_port()}', *arguments)
        return address_in(command)

    return start


@pytest.fixture
def chromium():
    with Browser() as opened:
        yield opened


def address_in(command):
    """Return the address that the page says, without the token."""
    command.wait_for('the page: ')
    return re.search(r'the page: (http://[^\s?]+)', command.output)[1]


def free_port():
    with socket.create_server(('127.0.0.1', 0)) as listener:
        return listener.getsockname()[1]


def look(tab):
    """Return what the stop's bar looks like."""
    return tab.page.locator('#chefmate-stop').get_attribute('data-look')


def until_it_looks(tab, wanted):
    tab.page.wait_for_function(
        f"document.getElementById('chefmate-stop').dataset.look === '{wanted}'", timeout=60_000
    )


def until_drawn(tab):
    """Wait until the page is connected and its picture stands still."""
    tab.close_notice()
    tab.page.locator('#chefmate-stop:is([data-look=free], [data-look=stopped])').wait_for(
        timeout=60_000
    )
    before = picture(tab)
    for _ in range(30):
        now = picture(tab)
        if changed_pixels(before, now) < 20 and now.std() > 5.0:
            return
        before = now
        time.sleep(0.5)
    pytest.fail('the picture never stood still, or nothing was drawn')


def picture(tab):
    """Return the middle of the scene: no bar above, no panel beside or below."""
    shot = tab.screenshot()
    height, width = shot.shape[:2]
    if width < 600:
        return shot[height // 8 : height // 2]
    return shot[height // 6 :, : width // 2]


def changed_pixels(before, after):
    return int(np.count_nonzero(np.abs(before.astype(int) - after).max(axis=2) > 40))


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
    assert tab.page.title() == 'ChefMate'
    assert not tab.complaints


@needs_browser
def test_a_press_of_the_emergency_stop_reaches_the_driver_at_once(arm, hand, serve, chromium):
    tab = chromium.open(serve())
    until_drawn(tab)
    tab.page.evaluate(NOTE_PRESSES)
    services_ms, presses_ms = [], []
    for number in range(2 * PRESSES):
        began_s = time.time()
        if number % 2:  # what the machine itself takes at the moment
            hand.emergency_stop(True)
        elif number % 4:
            tab.page.keyboard.press('Escape')
        else:
            tab.page.locator('#chefmate-stop').click()
        hand.until(lambda: hand.estop_active, what='the stop')
        if number % 2:
            services_ms.append(1e3 * (hand.stopped_at_s - began_s))
        else:
            presses_ms.append(1e3 * hand.stopped_at_s - tab.page.evaluate('window.pressed_ms'))
        until_it_looks(tab, 'stopped')
        hand.emergency_stop(False)
        hand.until(lambda: not hand.estop_active, what='the release')
        until_it_looks(tab, 'free')
    measured = {'press_ms': presses_ms, 'service_ms': services_ms}
    (ARTIFACTS / 'emergency_stop.json').write_text(json.dumps(measured, indent=2))
    median_ms, machine_ms = statistics.median(presses_ms), statistics.median(services_ms)
    print(f'a press: {median_ms:.0f} ms, a service call: {machine_ms:.0f} ms')
    assert median_ms <= max(STOP_WITHIN_MS, 4.0 * machine_ms), measured


@needs_browser
def test_a_page_with_control_releases_the_stop_after_a_second_question(arm, hand, serve, chromium):
    tab = chromium.open(serve('control:=true'))
    until_drawn(tab)
    tab.page.locator('#chefmate-stop').click()
    until_it_looks(tab, 'stopped')
    tab.screenshot(ARTIFACTS / 'stopped.png')
    release = tab.page.get_by_role('button', name='Let the arm move again')
    release.click()
    refuse = tab.page.get_by_role('button', name='No, keep it stopped')
    refuse.click()
    refuse.wait_for(state='hidden')
    assert hand.estop_active
    release.click()
    tab.page.get_by_role('button', name='Yes, let it move').click()
    hand.until(lambda: hand.estop_active is False, what='the release')
    until_it_looks(tab, 'free')


@needs_browser
def test_a_page_without_control_stops_the_arm_and_cannot_release_it(arm, hand, serve, chromium):
    tab = chromium.open(serve(), SMALL)
    until_drawn(tab)
    tab.page.keyboard.press('Escape')
    hand.until(lambda: hand.estop_active, what='the stop')
    until_it_looks(tab, 'stopped')
    tab.screenshot(ARTIFACTS / 'read_only.png')
    assert not tab.page.get_by_role('button', name='Let the arm move again').is_visible()
    assert not tab.page.get_by_role('button', name='Start', exact=True).is_visible()
    hand.until_watched_by(1)
    tab.close()
    hand.until_watched_by(0)
    assert hand.estop_active, 'what stopped the arm has gone; the stop stays'
    hand.assert_stands()


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
