"""The newcomer's page, done as it says: from two new arms to a checked data set.

Real commands at real terminals; only the person is missing: her words and keys come from here.
"""

import json
import re
import shlex
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from deployment import ROOT
from terminal import ESCAPE, LEFT, RIGHT, Terminal

from chefmate_core.calibration import ArmCalibration
from chefmate_core.dataset.reading import open_dataset
from chefmate_sim.practice.arm import as_built

PAGE = (ROOT / 'docs' / 'first-data-set.md').read_text()

pytestmark = [pytest.mark.system, pytest.mark.timeout(600)]


def commands():
    """Return every command of the page, in order."""
    blocks = re.findall(r'((?:^    \S.*\n)+)', PAGE, re.MULTILINE)
    lines = [line.split('#')[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line.startswith('chefmate ')]


def command(beginning):
    """Return the words of the page's command that begins so, without `chefmate`."""
    (found,) = {line for line in commands() if line.startswith(beginning)}
    return shlex.split(found)[1:]


@pytest.fixture
def at_terminal(environment, tmp_path):
    opened = []

    def start(words):
        opened.append(Terminal(*words, environment=environment, cwd=tmp_path))
        return opened[-1]

    yield start
    for one in opened:
        one.close()


def run(words, environment, folder):
    done = subprocess.run(
        ['chefmate', *words], cwd=folder, env=environment, capture_output=True, text=True,
        timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def calibrate(arm, at_terminal):
    practice = at_terminal(command(f'chefmate sim practice-arm {arm}'))
    practice.see('hand>')
    wizard = at_terminal(command(f'chefmate calibrate {arm}'))
    for title, word in (
        ('Move every joint to the middle', 'middle'),
        ('Move every joint to both of its stops', 'range'),
        ('Close the gripper', 'close'),
    ):
        wizard.see(title)
        practice.press(f'{word}\n')
        practice.see('done:')
        wizard.press('\n')
    wizard.see('Look at the result')
    wizard.press('\n')
    assert wizard.end() == 0, wizard.text
    practice.press('leave\n')
    assert practice.end() == 0


def watch_the_hand(desk):
    """Return whether the hand has done the task; it may lose a slice on a busy machine."""
    return desk.see_one_of('the hand: done', 'the hand: given up', timeout_s=90.0) == 0


def head(desk):
    """Return the newest state of the recorder on the screen: `ready`, `episode`, or another."""
    words = re.findall(r'● (\w+) ', desk.text)
    return words[-1] if words else ''


def wait_for_head(desk, word, timeout_s=60.0):
    end_s = time.monotonic() + timeout_s
    while head(desk) != word:
        assert time.monotonic() < end_s, f'the recorder never was {word}:\n{desk.text[-3000:]}'
        time.sleep(0.02)


def try_once(desk):
    """Begin an episode of a fresh kitchen; return whether the task was done while it was open.

    Else nothing of it is kept.
    """
    desk.ask('r', 'the hand: bread_slice_1')  # a fresh kitchen, and the hand begins
    wait_for_head(desk, 'ready')  # only there does the next key begin an episode
    desk.ask(RIGHT, '● episode')
    done = watch_the_hand(desk)
    if head(desk) != 'episode':  # on a busy machine a camera fell silent: it is saved as it is
        wait_for_head(desk, 'ready')
        desk.ask(LEFT, ': discarded')
        return False
    if not done:
        desk.ask(LEFT, '● ready')
    return done


def record(at_terminal):
    desk = at_terminal(command('chefmate record'))
    desk.see('ready', 90.0)
    watch_the_hand(desk)  # it has rehearsed
    tries = 0
    for key in (RIGHT, LEFT, ESCAPE):  # saved, discarded, saved
        while not try_once(desk):
            tries += 1
            assert tries <= 6, 'no whole episode again and again'
        if key is not ESCAPE:
            desk.ask(key, '● ready')
    desk.press(ESCAPE)
    assert desk.end() == 0, desk.text


def test_the_page_leads_from_two_new_arms_to_a_checked_data_set(
    at_terminal, environment, tmp_path
):
    arms = ('follower', 'leader')
    with ThreadPoolExecutor() as two_persons:  # the page takes one after the other
        list(two_persons.map(calibrate, arms, [at_terminal] * 2))
    for arm in arms:
        found = ArmCalibration.load(tmp_path / 'practice' / f'{arm}.json')
        true = as_built(arms.index(arm))
        for mine, built in zip(found.joints[:4], true.joints[:4], strict=True):
            assert mine.homing_offset + mine.range_min == pytest.approx(
                built.homing_offset + built.range_min, abs=20
            )
    record(at_terminal)
    session = tmp_path / 'recordings' / 'bread'
    assert len(list(session.glob('episode_*/metadata.yaml'))) == 2
    kept = json.loads((session / 'session.json').read_text())
    assert kept['follower_calibration'] == json.loads(
        (tmp_path / 'practice/follower.json').read_text()
    )
    run(command('chefmate dataset convert'), environment, tmp_path)
    said = run(command('chefmate dataset check'), environment, tmp_path)
    assert 'error' not in said.lower() or '0 errors' in said
    run(command('chefmate dataset report'), environment, tmp_path)
    page = (tmp_path / 'bread.html').read_text()
    assert page.count('data:image') >= 4  # filmstrips of two cameras in two episodes
    made = open_dataset(tmp_path / 'bread')
    assert len(made.episodes) == 2
    assert (tmp_path / 'bread/meta/modality.json').exists()


def test_every_command_of_the_page_is_one_that_the_test_runs():
    beginnings = ('sim practice-arm', 'calibrate', 'record', 'dataset')
    assert all(line.removeprefix('chefmate ').startswith(beginnings) for line in commands())
    assert len(commands()) == 8
