"""What the tests of the page share: who watches the arm, and what a browser shows."""

import re
import time

import browser
import numpy as np
import pytest
from deployment import ROOT
from diagnostic_msgs.msg import DiagnosticArray
from probe import Probe

needs_browser = pytest.mark.skipif(browser.missing() is not None, reason=str(browser.missing()))

ARTIFACTS = ROOT / 'out' / 'viewer'
SMALL = (800, 600)


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


def address_in(command):
    """Return the address that the page says, without the token."""
    command.wait_for('the page: ')
    return re.search(r'the page: (http://[^\s?]+)', command.output)[1]


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
