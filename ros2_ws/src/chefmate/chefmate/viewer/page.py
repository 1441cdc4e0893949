"""The page: picture and panels, and how often each is drawn."""

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import viser

from chefmate.viewer.deeds import Actions, Situation
from chefmate.viewer.emergency_stop import EmergencyStop
from chefmate.viewer.feeds import Feeds
from chefmate.viewer.panels.cameras import CamerasPanel
from chefmate.viewer.panels.parts import PartsPanel
from chefmate.viewer.panels.plots import SAMPLES_PER_S, PlotsPanel
from chefmate.viewer.panels.status import StatusPanel
from chefmate.viewer.panels.task import TaskPanel
from chefmate.viewer.scene.arm_model import ArmModel
from chefmate.viewer.scene.scene import Scene, aim
from chefmate.viewer.story import Story, Tone
from chefmate_core.joints import JOINT_NAMES

JOINT_WORDS = tuple(name.replace('_', ' ') for name in JOINT_NAMES)
PANEL_WIDTH_PX = 360.0
JOINTS_PATIENCE_S, THINGS_PATIENCE_S, TWIN_PATIENCE_S = 1.0, 2.0, 1.0
ANSWER_SHOWN_S = 12.0
# How often each part is drawn at most, seconds; the picture is drawn whenever `draw` is called.
IMAGES_S, PLOTS_S, WORDS_S = 0.125, 0.2, 0.3


@dataclass(frozen=True)
class Moment:
    """All that the page shows of one moment."""

    feeds: Feeds
    situation: Situation
    story: Story
    known_tasks: Sequence[str] = ()


class Page:
    """What every browser sees. `draw` is called by one thread; viser's threads call `Actions`."""

    def __init__(
        self,
        server: viser.ViserServer,
        robot: str,
        model: ArmModel,
        actions: Actions,
        stop: EmergencyStop,
        known_tasks: Sequence[str] = (),
        control: bool = False,
        dark_mode: bool = False,
    ) -> None:
        self.changed = threading.Event()  # somebody came, or the last one went
        self._answer: tuple[str, Tone, float] = ('', Tone.QUIET, 0.0)
        self._drawn_s: dict[str, float] = {}
        self._server = server
        gui = server.gui
        gui.configure_theme(
            dark_mode=dark_mode, show_logo=False, show_share_button=False,
            control_width='large',
        )  # fmt: skip
        gui.set_panel_label('ChefMate')
        gui.main_panel.dock_right()
        gui.main_panel.set_width(PANEL_WIDTH_PX)
        self._scene = Scene(server.scene, model)
        self._status = StatusPanel(gui, robot, control)
        tabs = gui.add_tab_group()
        with tabs.add_tab('Cook', viser.Icon.CHEF_HAT):
            if control:
                self._task = TaskPanel(gui, actions, stop, known_tasks, control)
                self._cameras = CamerasPanel(gui)
            else:
                self._cameras = CamerasPanel(gui)
                self._task = TaskPanel(gui, actions, stop, known_tasks, control)
        with tabs.add_tab('Motion', viser.Icon.CHART_LINE):
            self._plots = PlotsPanel(gui)
        with tabs.add_tab('Parts', viser.Icon.HEARTBEAT):
            self._parts = PartsPanel(gui)
        server.on_client_connect(self._came)
        server.on_client_disconnect(self._went)

    @property
    def watchers(self) -> int:
        """How many browsers are looking."""
        return len(self._server.get_clients())

    def say(self, text: str, tone: Tone, now_s: float) -> None:
        """Show what came of a button, for a while; may be called by any thread."""
        self._answer = (text[:1].upper() + text[1:], tone, now_s + ANSWER_SHOWN_S)

    def rest(self) -> None:
        """Nobody is looking: what was shown is old when somebody does again."""
        self._plots.clear()
        self._drawn_s.clear()

    def draw(self, moment: Moment) -> None:
        """Show a moment; each part no more often than it should be."""
        now_s, feeds = moment.situation.now_s, moment.feeds
        with self._server.atomic():
            self._draw_picture(feeds, now_s)
        if self._due('sample', 1.0 / SAMPLES_PER_S, now_s):
            self._plots.sample(feeds, now_s)
        if self._due('images', IMAGES_S, now_s):
            self._cameras.draw(feeds.images, now_s)
        if self._due('plots', PLOTS_S, now_s):
            self._plots.draw(now_s)
        if self._due('words', WORDS_S, now_s):
            self._draw_words(moment)

    def _draw_picture(self, feeds: Feeds, now_s: float) -> None:
        scene = self._scene
        if feeds.joints.value is not None:
            scene.arm.move(feeds.joints.value)
        scene.show_twin(feeds.twin.fresh(now_s, TWIN_PATIENCE_S), feeds.joints.value)
        things = feeds.things.fresh(now_s, THINGS_PATIENCE_S)
        if things is None:
            scene.clear()
        else:
            scene.place(things)
        path = feeds.path.value
        if path is not None and now_s - feeds.path.received_s > path.shown_s:
            path = None
        scene.show_path(path)

    def _draw_words(self, moment: Moment) -> None:
        feeds, now_s = moment.feeds, moment.situation.now_s
        text, tone, until_s = self._answer
        answer = (text, tone) if now_s < until_s else ('', Tone.QUIET)
        self._status.draw(moment.story, answer, _notes(feeds, now_s))
        self._task.know(moment.known_tasks)
        self._task.draw(moment.situation)
        self._parts.draw(feeds, moment.situation.health, now_s)

    def _due(self, what: str, period_s: float, now_s: float) -> bool:
        if now_s - self._drawn_s.get(what, -1e9) < period_s:
            return False
        self._drawn_s[what] = now_s
        return True

    def _came(self, client: viser.ClientHandle) -> None:
        aim(client)
        self.changed.set()

    def _went(self, client: viser.ClientHandle) -> None:
        del client
        self.changed.set()


def _notes(feeds: Feeds, now_s: float) -> tuple[str, ...]:
    """Return what is missing from the picture, for people who wonder."""
    notes = []
    if feeds.joints.value is not None and feeds.things.value is None:
        notes.append('Where the food lies is not known here: only the arm is drawn.')
    if feeds.twin.value is not None:
        notes.append(_twin_note(feeds, now_s))
    return tuple(notes)


def _twin_note(feeds: Feeds, now_s: float) -> str:
    silent_s = now_s - feeds.twin.received_s
    if silent_s >= TWIN_PATIENCE_S:
        return f'The twin has been silent for {silent_s:.0f} s.'
    error_rad = feeds.twin_error.fresh(now_s, TWIN_PATIENCE_S)
    if error_rad is None:
        return 'Blue, where it is not in the same place: the twin.'
    worst = int(np.argmax(np.abs(error_rad)))
    degrees = abs(math.degrees(error_rad[worst]))
    return f'The twin (blue) is off by {degrees:.1f}° at most ({JOINT_WORDS[worst]}).'
