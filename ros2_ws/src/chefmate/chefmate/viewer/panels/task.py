"""Giving a task, and the buttons; what cannot be pressed says why."""

import threading
from collections.abc import Sequence
from functools import partial
from html import escape
from typing import Literal

import viser

from chefmate.viewer.deeds import READ_ONLY, Actions, Deed, Situation, why_not
from chefmate.viewer.emergency_stop import EmergencyStop
from chefmate.viewer.panels.release import ReleaseQuestions

SOMETHING_ELSE = 'Something else …'
LONGEST = 400  # characters of an instruction
LABELS = {
    Deed.START: ('Start', viser.Icon.PLAYER_PLAY),
    Deed.END: ('Stop the task', viser.Icon.PLAYER_STOP),
    Deed.RESET: ('Fresh kitchen', viser.Icon.REFRESH),
    Deed.RECORD: ('Record', viser.Icon.PLAYER_RECORD),
    Deed.SAVE: ('Save recording', viser.Icon.DEVICE_FLOPPY),
    Deed.DISCARD: ('Discard recording', viser.Icon.TRASH),
}
# One or the others are shown, as an episode is being recorded or not.
RECORDING = (Deed.RECORD, Deed.SAVE, Deed.DISCARD)
RELEASE_LABEL = 'Let the arm move again …'


class TaskPanel:
    """Instruction, start and stop, kitchen, recording, and the way out of the emergency stop."""

    def __init__(
        self,
        gui: viser.GuiApi,
        actions: Actions,
        stop: EmergencyStop,
        known_tasks: Sequence[str],
        control: bool,
    ) -> None:
        self._actions = actions
        self._questions = ReleaseQuestions(stop, partial(actions.do, Deed.END))
        self._lock = threading.Lock()
        self._known = tuple(known_tasks)
        self._situation: Situation | None = None  # before the first drawing, nothing can be done
        self._release = gui.add_button(
            RELEASE_LABEL, color='orange', icon=viser.Icon.LOCK_OPEN, visible=False
        )
        self._release.on_click(self._ask_before_release)
        self._choice = gui.add_dropdown('Task', (*self._known, SOMETHING_ELSE), visible=control)
        self._text = gui.add_text('Words', '', visible=False)
        self._choice.on_update(lambda _: self._show_text())
        if not self._known:
            self._show_text()
        self._buttons = {}
        for deed, (label, icon) in LABELS.items():
            colour: Literal['green', 'gray'] = 'green' if deed is Deed.START else 'gray'
            button = gui.add_button(label, color=colour, icon=icon, disabled=True, visible=control)
            button.on_click(partial(self._do, deed))
            self._buttons[deed] = button
        self._why = gui.add_html('')

    def know(self, tasks: Sequence[str]) -> None:
        """Offer the tasks that the policy says it knows."""
        with self._lock:
            if tasks and tuple(tasks) != self._known:
                self._known = tuple(tasks)
                self._choice.options = (*self._known, SOMETHING_ELSE)

    def draw(self, situation: Situation) -> None:
        """Enable what can be pressed, and say why the rest cannot."""
        self._situation = situation
        self._questions.withdraw()
        if self._release.visible != self._may(Deed.RELEASE):
            self._release.visible = self._may(Deed.RELEASE)
        reasons: dict[str, list[str]] = {}
        recording = not why_not(Deed.SAVE, situation)
        for deed, button in self._buttons.items():
            reason = why_not(deed, situation)
            visible = deed not in RECORDING or (deed is Deed.RECORD) is not recording
            if button.visible != (visible and situation.control):
                button.visible = visible and situation.control
            if not visible:
                continue
            if button.disabled != bool(reason):
                button.disabled = bool(reason)
            if reason:
                reasons.setdefault(reason, []).append(LABELS[deed][0])
        content = _reasons_html(reasons, bool(situation.stopped))
        if self._why.content != content:
            self._why.content = content

    @property
    def instruction(self) -> str:
        """The task that START would give."""
        chosen = self._choice.value
        return chosen if chosen in self._known else self._text.value.strip()[:LONGEST]

    def _show_text(self) -> None:
        self._text.visible = self._choice.value == SOMETHING_ELSE

    def _do(self, deed: Deed, event: object) -> None:
        del event
        if self._may(deed):
            self._actions.do(deed, self.instruction if deed is Deed.START else '')

    def _may(self, deed: Deed) -> bool:
        """A browser can press what it was shown as disabled or not at all: asked here again."""
        return self._situation is not None and not why_not(deed, self._situation)

    def _ask_before_release(self, event: viser.GuiEvent) -> None:
        """The second act."""
        situation = self._situation
        if situation is not None and self._may(Deed.RELEASE) and event.client is not None:
            self._questions.ask(event.client, situation.working)


def _reasons_html(reasons: dict[str, list[str]], stopped: bool) -> str:
    if list(reasons) == [READ_ONLY]:
        lines = [
            'This page only watches. Everybody who sees it may press the emergency stop; '
            'for the rest start it with <code>control:=true</code>.'
        ]
        if stopped:
            lines.append(
                'To let the arm move again: <code>chefmate estop --release</code>, in a terminal '
                "of the robot's computer."
            )
    else:
        lines = [
            f'<b>{escape(", ".join(labels))}</b>: {escape(reason)}.'
            for reason, labels in reasons.items()
        ]
    body = ''.join(f'<div style="margin-top:3px">{line}</div>' for line in lines)
    return f'<div style="padding:0 12px 10px;font-size:12px;opacity:.7">{body}</div>'
