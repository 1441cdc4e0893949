"""What the page's buttons do, and why one of them cannot be pressed at the moment."""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from chefmate.viewer.health import POLICY, RECORDER, TASK, Health


class Deed(Enum):
    """A button."""

    STOP = 'emergency_stop'
    RELEASE = 'release'
    START = 'start'
    END = 'end'
    RESET = 'reset'
    RECORD = 'record'
    SAVE = 'save'
    DISCARD = 'discard'


# What anybody may do who sees the page.
FOR_ALL = frozenset({Deed.STOP})


class Actions(Protocol):
    """Whoever carries a deed out; called from many threads, and never waits."""

    def do(self, deed: Deed, text: str = '') -> None:
        """Ask for it; `text` is the instruction of START. Answers come by `Page.say`."""


# What has to be offered by somebody for a deed, and what to say if nobody does.
NEEDS: dict[Deed, tuple[str, str]] = {
    Deed.STOP: ('emergency_stop', 'no arm is running'),
    Deed.RELEASE: ('emergency_stop', 'no arm is running'),
    Deed.START: ('execute_task', 'nothing that takes tasks is running'),
    Deed.END: ('cancel_task', 'nothing that takes tasks is running'),
    Deed.RESET: ('kitchen/reset', 'this is no simulated kitchen: lay the things by hand'),
    Deed.RECORD: ('recorder/start_recording', 'no recorder is running (record:=true)'),
    Deed.SAVE: ('recorder/stop_recording', 'no recorder is running (record:=true)'),
    Deed.DISCARD: ('recorder/discard_episode', 'no recorder is running (record:=true)'),
}
READ_ONLY = 'this page only watches (control:=true lets it act)'


@dataclass(frozen=True)
class Situation:
    """What decides on what may be pressed."""

    control: bool
    offered: frozenset[str]  # services and actions that somebody offers
    stopped: bool | None  # the emergency stop; None: no driver has said
    working: bool  # a task is running
    health: Health
    now_s: float


def why_not(deed: Deed, situation: Situation) -> str:
    """Return why a deed cannot be done now, a clause for people; empty: it can."""
    needed, nobody = NEEDS[deed]
    if deed not in FOR_ALL and not situation.control:
        return READ_ONLY
    if needed not in situation.offered:
        return nobody
    return _RULES[deed](situation) if deed in _RULES else ''


def _start(situation: Situation) -> str:
    if situation.stopped:
        return 'let the arm move again first'
    if situation.health.of(TASK, situation.now_s) is not None:
        return 'this launch does one task and ends with it; instruction:=none waits for yours'
    if situation.working:
        return 'a task is running; stop it, or wait until it is done'
    policy = situation.health.of(POLICY, situation.now_s)
    if policy is None:
        return 'the policy is not up yet'
    return '' if policy.sentence == 'ready' else f'the policy is not ready: {policy.sentence}'


def _end(situation: Situation) -> str:
    return '' if situation.working else 'no task is running'


def _release(situation: Situation) -> str:
    return '' if situation.stopped else 'the arm is not stopped'


def _reset(situation: Situation) -> str:
    return 'wait until the task is over' if situation.working else ''


def _recorder_state(situation: Situation) -> str:
    return situation.health.value(RECORDER, 'state', situation.now_s)


def _record(situation: Situation) -> str:
    return 'an episode is being recorded' if _recorder_state(situation) == 'recording' else ''


def _recorded(situation: Situation) -> str:
    return '' if _recorder_state(situation) == 'recording' else 'nothing is being recorded'


_RULES = {
    Deed.START: _start,
    Deed.END: _end,
    Deed.RELEASE: _release,
    Deed.RESET: _reset,
    Deed.RECORD: _record,
    Deed.SAVE: _recorded,
    Deed.DISCARD: _recorded,
}
