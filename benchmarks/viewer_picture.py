#!/usr/bin/env python3
"""Takes the README's picture of the page: Chromium looks on while the simulation makes a sandwich.

    python benchmarks/viewer_picture.py [--phase 'cheese slice: carrying'] [--output FILE.png]

A real run: kitchen, driver, policy and page are started as `make deploy` starts them, the task is
given on the page, and the picture is taken when the page's headline says the phase.
"""

import argparse
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import cv2

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / 'tests'))  # the harness around Chromium is the tests'

import browser  # noqa: E402

IDLE = 'Ready for a task'
ATTEMPTS, TASK_TIMEOUT_S = 3, 120.0  # a slice may slip from the gripper


def start(log: Path, *words: str) -> subprocess.Popen:
    """Start a command in a process group of its own."""
    with log.open('w') as output:
        return subprocess.Popen(
            ['chefmate', 'launch', *words],
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def end(process: subprocess.Popen) -> None:
    """End a command and all that it started."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(15.0)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def address_in(log: Path) -> str:
    """Return the address of the page, once it is served."""
    end_s = time.monotonic() + 60.0
    while not (found := re.search(r'the page: (http://[^\s?]+)', log.read_text())):
        if time.monotonic() > end_s:
            sys.exit(f'the page did not come up:\n{log.read_text()}')
        time.sleep(0.1)
    return found[1]


def text_of(tab: browser.Tab) -> str:
    """Return what is written on the page."""
    return str(tab.page.evaluate('document.body.innerText'))


def reached(tab: browser.Tab, phase: str) -> bool:
    """Wait until the headline says the phase, or that the task is over."""
    end_s = time.monotonic() + TASK_TIMEOUT_S
    began = False
    while time.monotonic() < end_s:
        text = text_of(tab)
        if re.search(phase, text, re.IGNORECASE):
            return True
        began = began or IDLE not in text
        if began and IDLE in text:
            return False
        time.sleep(0.05)
    return False


def take(address: str, instruction: str, phase: str, path: Path) -> None:
    """Give the task, wait for the phase, and take the picture."""
    with browser.Browser() as opened:
        tab = opened.open(address, browser.DESKTOP)
        tab.close_notice()
        start_button = tab.page.get_by_role('button', name='Start', exact=True)
        start_button.and_(tab.page.locator(':enabled')).wait_for(timeout=120_000)
        tab.page.locator('input[role=combobox]:visible').first.click()
        tab.page.get_by_role('option', name=instruction, exact=True).click()
        for _ in range(ATTEMPTS):
            start_button.click()
            if reached(tab, phase):
                break
            tab.page.get_by_role('button', name='Fresh kitchen', exact=True).click()
        else:
            sys.exit(f'{instruction}: {phase!r} was not reached; the page says\n{text_of(tab)}')
        picture = tab.screenshot()
    path.parent.mkdir(parents=True, exist_ok=True)
    options = [cv2.IMWRITE_PNG_COMPRESSION, 9]
    cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)


def main() -> int:
    """Take the picture that the arguments ask for; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--seed', type=int, default=0, help='which kitchen (default 0)')
    parser.add_argument('--instruction', default='make a sandwich')
    parser.add_argument('--phase', default='patty: (carrying|placing)', help='a pattern')
    parser.add_argument('--output', type=Path, default=ROOT / 'docs' / 'images' / 'viewer.png')
    arguments = parser.parse_args()
    if reason := browser.missing():
        print(f'The picture {reason}.', file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix='chefmate_picture_') as folder:
        log = Path(folder) / 'page.log'
        processes = [
            start(log, 'viewer', 'control:=true'),
            start(
                Path(folder) / 'deploy.log',
                'deploy',
                'view:=false',
                f'seed:={arguments.seed}',
                'instruction:=none',
            ),
        ]
        try:
            take(address_in(log), arguments.instruction, arguments.phase, arguments.output)
        finally:
            for process in processes:
                end(process)
    print(f'{arguments.output}: {arguments.output.stat().st_size / 1e3:.0f} kB')
    return 0


if __name__ == '__main__':
    sys.exit(main())
