"""The page over a real viser, seen as a browser sees it: by the messages that reach it."""

import struct
import threading
import time

import numpy as np
import pytest

viser = pytest.importorskip('viser')
import msgspec  # noqa: E402
import zstandard  # noqa: E402
from page_watcher import CAMERA  # noqa: E402
from websockets.exceptions import ConnectionClosed  # noqa: E402
from websockets.sync.client import connect  # noqa: E402

from chefmate.viewer.deeds import Deed, Situation  # noqa: E402
from chefmate.viewer.emergency_stop import EmergencyStop  # noqa: E402
from chefmate.viewer.feeds import Feeds  # noqa: E402
from chefmate.viewer.gateway import private_host  # noqa: E402
from chefmate.viewer.health import POLICY, Health, Report  # noqa: E402
from chefmate.viewer.page import Moment, Page  # noqa: E402
from chefmate.viewer.scene.arm_model import read_arm_model  # noqa: E402
from chefmate.viewer.story import Tone, tell  # noqa: E402
from chefmate_core.geometry import Pose  # noqa: E402

PATIENCE_S = 20.0
ROBOT = 'kitchen-pc, domain 7'
JPEG = b'\xff\xd8 a picture \xff\xd9'
TASKS = ('pick up the bread', 'make a sandwich')
OFFERED = frozenset({'emergency_stop', 'execute_task', 'cancel_task', 'kitchen/reset'})


class Watcher:
    """What a browser knows: the parts of the panels by id, and all else that it was told."""

    def __init__(self, server):
        self._connection = connect(
            f'ws://{server.get_host()}:{server.get_port()}',
            subprotocols=[f'viser-v{viser.__version__}'],
            max_size=None,
        )
        self.parts, self.told = {}, []
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()
        self.send(CAMERA)

    def send(self, message):
        self._connection.send(msgspec.msgpack.encode(message))

    def press(self, label):
        """Press a button as a browser does, shown or not."""
        uuid = self.uuid(label)
        self.send({'type': 'GuiUpdateMessage', 'uuid': uuid, 'updates': {'value': True}})

    def choose(self, label, value):
        """Choose as a browser does, among what was offered or not."""
        uuid = self.uuid(label)
        self.send({'type': 'GuiUpdateMessage', 'uuid': uuid, 'updates': {'value': value}})

    def uuid(self, label):
        return next(
            uuid for uuid, props in list(self.parts.items()) if props.get('label') == label
        )

    def part(self, label):
        """Return what is known of a part; nothing, before it has come."""
        parts = list(self.parts.values())
        return next((props for props in parts if props.get('label') == label), {})

    def text(self):
        """Return all HTML of the panels."""
        return '\n'.join(str(props.get('content', '')) for props in list(self.parts.values()))

    def close(self):
        self._connection.close()
        self._thread.join(5.0)

    def _listen(self):
        try:
            for raw in self._connection:
                size, packed = struct.unpack('<QQ', raw[:16])
                inner = zstandard.ZstdDecompressor().decompress(raw[16 : 16 + packed], size)
                for message in msgspec.msgpack.decode(inner)['messages']:
                    self._take(message)
        except ConnectionClosed:
            pass

    def _take(self, message):
        self.told.append(message['type'])
        uuid = message.get('uuid')
        if message['type'] == 'GuiUpdateMessage':
            self.parts[uuid].update(message['updates'])
        elif uuid is not None and 'props' in message:
            self.parts[uuid] = dict(message['props'])


class Deeds:
    """Remembers what was asked for; the page knows nobody else."""

    def __init__(self):
        self.done = []
        self.page = None

    def do(self, deed, text=''):
        self.done.append((deed, text))
        self.page.say(f'asked for {deed.value}', Tone.QUIET, time.monotonic())


@pytest.fixture(scope='module')
def model():
    return read_arm_model()


@pytest.fixture
def make_page(model):
    """Make a page that draws at 30 Hz what its moment says; yields (page, deeds, watch)."""
    ends = []

    def make(control=True, **changes):
        server = viser.ViserServer(host=private_host(), port=0, verbose=False)
        deeds = Deeds()
        stop = EmergencyStop(lambda stop: deeds.do(Deed.STOP if stop else Deed.RELEASE))
        stop.heard(changes.get('stopped'))
        deeds.page = page = Page(server, ROBOT, model, deeds, stop, TASKS, control)
        deeds.stop = stop
        feeds, end = Feeds(), threading.Event()

        def draw():
            while not end.wait(1 / 30):
                page.draw(moment(feeds, control, **changes))

        drawing = threading.Thread(target=draw, daemon=True)
        drawing.start()
        ends.append((end, drawing, server))
        return page, deeds, feeds, lambda: Watcher(server)

    yield make
    for end, drawing, server in ends:
        end.set()
        drawing.join(5.0)
        server.stop()


def moment(feeds, control, offered=OFFERED, stopped=False, policy='ready', busy=False):
    now_s = time.monotonic()
    health = Health()
    health.update(POLICY, Report(0, policy, {'busy': str(busy)}, now_s))
    story = tell(feeds, health, stopped, '', None, now_s)
    situation = Situation(control, offered, stopped, story.working, health, now_s)
    return Moment(feeds, situation, story)


def eventually(condition):
    """Wait until it is so; fail with what it is otherwise."""
    end_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end_s, 'it never came to be'
        time.sleep(0.02)
    return True


def test_a_browser_sees_arm_pictures_and_words(make_page):
    _, _, feeds, watch = make_page()
    feeds.joints.take(np.zeros(6), time.monotonic() + 60.0)
    for feed in feeds.images.values():
        feed.take(JPEG, time.monotonic())
    watcher = watch()
    assert eventually(lambda: 'Ready for a task' in watcher.text())
    assert ROBOT in watcher.text()
    assert eventually(lambda: watcher.text().count('data:image/jpeg;base64,/9gg') == 2)
    watcher.told.clear()
    feeds.joints.take(np.full(6, 0.5), time.monotonic() + 60.0)
    assert eventually(lambda: 'SetOrientationMessage' in watcher.told)
    watcher.close()


def test_a_task_is_started_with_the_chosen_words(make_page):
    _, deeds, _, watch = make_page()
    watcher = watch()
    eventually(lambda: watcher.part('Start').get('disabled') is False)
    watcher.press('Start')
    assert eventually(lambda: (Deed.START, TASKS[0]) in deeds.done)
    assert eventually(lambda: 'Asked for start' in watcher.text())
    watcher.close()


def test_a_browser_cannot_press_what_it_was_not_offered(make_page):
    page, deeds, _, watch = make_page(control=False)
    watcher = watch()
    eventually(lambda: 'Start' in str(watcher.parts))
    for label in ('Start', 'Stop the task', 'Fresh kitchen', 'Let the arm move again …'):
        assert watcher.part(label)['visible'] is False
        watcher.press(label)
    watcher.choose('Joint', 'Gripper')  # the last of them: the others were handled before
    eventually(lambda: page._plots._joint == 5)
    time.sleep(0.3)
    assert deeds.done == []
    watcher.close()


def test_a_browser_that_chooses_what_was_never_offered_does_not_end_the_page(make_page):
    _, deeds, feeds, watch = make_page()
    watcher = watch()
    eventually(lambda: watcher.part('Start').get('disabled') is False)
    watcher.choose('Joint', 'nonsense')
    watcher.choose('Task', 'nonsense')
    watcher.press('Start')
    assert eventually(lambda: deeds.done)
    assert deeds.done == [(Deed.START, '')]
    feeds.joints.take(np.zeros(6), time.monotonic() + 60.0)  # still drawn
    assert eventually(lambda: 'food lies is not known' in watcher.text())
    watcher.close()


def test_releasing_the_stop_takes_two_acts(make_page):
    _, deeds, _, watch = make_page(stopped=True)
    watcher = watch()
    eventually(lambda: watcher.part('Let the arm move again …').get('visible'))
    watcher.press('Let the arm move again …')
    eventually(lambda: 'GuiModalMessage' in watcher.told)
    assert deeds.done == []
    eventually(lambda: 'Yes, let it move' in str(watcher.parts))
    watcher.press('Yes, let it move')
    assert eventually(lambda: deeds.done == [(Deed.RELEASE, '')])
    watcher.close()


def test_who_releases_the_stop_is_told_that_the_task_goes_on_and_may_end_it_first(make_page):
    _, deeds, _, watch = make_page(stopped=True, busy=True)
    watcher = watch()
    eventually(lambda: watcher.part('Let the arm move again …').get('visible'))
    watcher.press('Let the arm move again …')
    eventually(lambda: watcher.part('Stop the task first').get('visible'))
    assert 'The task goes on' in str(watcher.parts)
    watcher.press('Stop the task first')
    assert eventually(lambda: deeds.done == [(Deed.END, '')])
    assert eventually(lambda: 'GuiCloseModalMessage' in watcher.told)
    watcher.close()


def test_a_question_about_one_stop_does_not_release_the_next(make_page):
    _, deeds, _, watch = make_page(stopped=True)
    watcher = watch()
    eventually(lambda: watcher.part('Let the arm move again …').get('visible'))
    watcher.press('Let the arm move again …')
    eventually(lambda: 'Yes, let it move' in str(watcher.parts))
    deeds.stop.heard(False)  # somebody else released it
    deeds.stop.heard(True)  # and another stopped it anew
    watcher.press('Yes, let it move')
    assert eventually(lambda: 'GuiCloseModalMessage' in watcher.told)
    time.sleep(0.3)
    assert deeds.done == []
    watcher.close()


def test_who_asks_many_times_has_one_question(make_page):
    _, _, _, watch = make_page(stopped=True)
    watcher = watch()
    eventually(lambda: watcher.part('Let the arm move again …').get('visible'))
    for count in range(3):
        watcher.press('Let the arm move again …')
        eventually(lambda asked=count + 1: watcher.told.count('GuiModalMessage') == asked)
        eventually(lambda closed=count: watcher.told.count('GuiCloseModalMessage') == closed)
    watcher.close()


def test_what_cannot_be_pressed_says_why(make_page):
    _, _, _, watch = make_page(policy='loading weights')
    watcher = watch()
    assert eventually(lambda: 'loading weights' in watcher.text())
    assert watcher.part('Start')['disabled']
    watcher.close()


def test_a_page_that_only_watches_says_how_a_stopped_arm_is_released(make_page):
    _, _, _, watch = make_page(control=False, stopped=True)
    watcher = watch()
    assert eventually(lambda: 'chefmate estop --release' in watcher.text())
    watcher.close()


def test_words_of_others_are_not_html(make_page):
    page, _, _, watch = make_page(policy='<img src=x onerror=alert(1)>')
    page.say('<b>bold</b>', Tone.BAD, time.monotonic())
    watcher = watch()
    assert eventually(lambda: '&lt;b&gt;bold' in watcher.text())
    assert '<img src=x' not in watcher.text()
    watcher.close()


def test_without_a_kitchen_the_arm_is_shown_alone_and_the_page_says_so(make_page):
    _, _, feeds, watch = make_page()
    feeds.joints.take(np.zeros(6), time.monotonic() + 60.0)
    watcher = watch()
    assert eventually(lambda: 'food lies is not known' in watcher.text())
    plate = Pose(np.zeros(3), np.array([1.0, 0.0, 0.0, 0.0]))
    feeds.things.take({'plate': plate}, time.monotonic() + 60.0)
    assert eventually(lambda: 'food lies is not known' not in watcher.text())
    watcher.close()


def test_a_curve_that_begins_with_a_gap_is_drawn(make_page):
    _, _, feeds, watch = make_page()
    later_s = time.monotonic() + 60.0  # nobody commands: 'asked for' is a gap throughout
    feeds.joints.take(np.radians([0.0, 0.0, 0.0, 0.0, 0.0, 72.0]), later_s)
    watcher = watch()

    def plots():
        return [part for part in list(watcher.parts.values()) if 'scales' in part]

    assert eventually(
        lambda: [0.0, 80.0] in [list(plot['scales']['y']['range']) for plot in plots()]
    )
    assert len(plots()) == 3
    assert all(np.all(np.isfinite(plot['scales']['y']['range'])) for plot in plots())
    watcher.close()


def test_a_silent_camera_and_a_silent_twin_are_said(make_page):
    _, _, feeds, watch = make_page()
    now_s = time.monotonic()
    feeds.twin.take(np.zeros(6), now_s - 7.0)
    feeds.images['wrist'].take(JPEG, now_s - 7.0)
    watcher = watch()
    assert eventually(lambda: 'twin has been silent' in watcher.text())
    assert 'silent for' in watcher.text() and 'no picture yet' in watcher.text()
    watcher.close()


def test_how_far_the_twin_is_off_is_on_the_page(make_page):
    _, _, feeds, watch = make_page()
    later_s = time.monotonic() + 60.0
    feeds.joints.take(np.zeros(6), later_s)
    feeds.twin.take(np.zeros(6), later_s)
    feeds.twin_error.take(np.radians([0.0, 1.0, -2.5, 0.0, 0.0, 0.0]), later_s)
    watcher = watch()
    assert eventually(lambda: 'off by 2.5° at most (elbow flex)' in watcher.text())
    watcher.close()


def test_who_comes_is_counted_and_who_goes_without_a_word_too(make_page):
    page, _, _, watch = make_page()
    assert page.watchers == 0
    watchers = [watch() for _ in range(3)]
    assert eventually(lambda: page.watchers == 3)
    watchers[0]._connection.socket.close()  # as when a phone loses its network
    assert eventually(lambda: page.watchers == 2)
    for watcher in watchers[1:]:
        watcher.close()
    assert eventually(lambda: page.watchers == 0)
    assert page.changed.is_set()


def test_a_browser_that_reads_nothing_holds_up_nobody(make_page):
    page, _, feeds, watch = make_page()
    lazy, eager = watch(), watch()
    eventually(lambda: page.watchers == 2)
    lazy._take = lambda message: time.sleep(0.05)
    picture = JPEG + bytes(200_000)
    for index in range(40):
        for feed in feeds.images.values():
            feed.take(picture + bytes([index]), time.monotonic())
        time.sleep(0.02)
    feeds.joints.take(np.zeros(6), time.monotonic() + 60.0)
    assert eventually(lambda: 'Ready for a task' in eager.text())
    eager.close()
    lazy.close()
