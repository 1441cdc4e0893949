"""A headless Chromium for the tests and pictures of the viewer page.

Debian's package `chromium` (role dev) brings the browser; `playwright` drives it. The scene is
drawn by software (SwiftShader), which keeps two cores busy: open it for as long as needed only.
"""

import contextlib
import importlib.util
import os
import shutil
from pathlib import Path

DESKTOP = (1280, 800)
PHONE = (390, 844)
NAMES = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable')
ARGUMENTS = (
    '--use-angle=swiftshader',
    '--enable-unsafe-swiftshader',
    '--no-sandbox',  # tests may run as root, which Chromium's sandbox refuses
    '--mute-audio',
)
WITHOUT_WEBGL = ('--disable-3d-apis', '--no-sandbox', '--mute-audio')
LOADING_MS = 60_000
NOTICE = 'Software WebGL rendering detected'  # true of this browser, and of no user's


def chromium():
    """Return where Chromium is, or None; the environment's CHROMIUM comes first."""
    names = filter(None, (os.environ.get('CHROMIUM'), *NAMES))
    return next(filter(None, map(shutil.which, names)), None)


def missing():
    """Return why there can be no browser, or None."""
    if importlib.util.find_spec('playwright') is None:
        return 'needs the Python package playwright (make setup)'
    if chromium() is None:
        return 'needs a Chromium (Debian: apt install chromium), or CHROMIUM=its path'
    return None


class Tab:
    """One open page.

    Attributes:
        page: playwright's own, for whatever is not here.
        complaints: what the browser's console called an error.
    """

    def __init__(self, page):
        self.page = page
        self.complaints = []
        page.on('console', self._on_console)
        page.on('pageerror', lambda error: self.complaints.append(str(error)))

    def _on_console(self, message):
        if message.type == 'error':
            self.complaints.append(message.text)

    def screenshot(self, path=None):
        """Return what is to be seen, rgb, uint8, shape (height, width, 3); keep it at `path`."""
        import cv2
        import numpy as np

        if path is not None:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        image = self.page.screenshot(path=path, timeout=LOADING_MS)
        return cv2.cvtColor(cv2.imdecode(np.frombuffer(image, np.uint8), 1), cv2.COLOR_BGR2RGB)

    def close_notice(self):
        """Close viser's notice that this browser draws by software, once it has come."""
        notice = self.page.get_by_role('alert').filter(has_text=NOTICE)
        notice.get_by_role('button').click(timeout=LOADING_MS)

    def close(self):
        """Close it as a user does."""
        self.page.context.close()


class Browser:
    """A running Chromium; a context manager."""

    def __init__(self, arguments=ARGUMENTS):
        reason = missing()
        if reason:
            raise RuntimeError(f'no browser: {reason}')
        from playwright.sync_api import sync_playwright

        with contextlib.ExitStack() as opened:
            driver = opened.enter_context(sync_playwright())
            self._browser = driver.chromium.launch(
                executable_path=chromium(), args=list(arguments), timeout=LOADING_MS
            )
            opened.callback(self._browser.close)
            self._opened = opened.pop_all()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._opened.close()

    def open(self, url, size=DESKTOP, **options):
        """Open a page in a window of (width, height) pixels, as a new visitor.

        Options are those of playwright's contexts: `color_scheme='dark'`, `has_touch=True`.
        """
        context = self._browser.new_context(
            viewport={'width': size[0], 'height': size[1]}, **options
        )
        tab = Tab(context.new_page())
        tab.page.goto(url, timeout=LOADING_MS)
        return tab
