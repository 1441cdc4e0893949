"""What a crash, a full disk, a power cut or a failing disk left of a session, made whole again."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chefmate_core.recording.damage import damage_of
from chefmate_core.recording.errors import SessionError
from chefmate_core.recording.files import write_json
from chefmate_core.recording.rewriting import Attempt, put_in_place, write_salvaged
from chefmate_core.recording.session import (
    EPISODE_FILE,
    SessionFolder,
    episode_name,
    open_name,
)
from chefmate_core.recording.session_info import read_session
from chefmate_core.recording.topics import RecordedTopic, recorded_topics

STATE_RATE_HZ = 100.0
# A bag that was opened and got no message has its header, the message definitions and no more.
EMPTY_BYTES = 64 * 1024


@dataclass
class RepairReport:
    """What was done with a session.

    Attributes:
        finished: indices of the episodes that were whole and were not touched.
        repaired: index -> how many messages it has now.
        discarded: indices of open episodes that were removed, and why.
        kept: indices of open episodes that could not be read and are left as they are, and why.
        set_aside: indices of finished ones that could not be read: out of the session, all there.
    """

    path: Path
    finished: list[int] = field(default_factory=list)
    repaired: dict[int, int] = field(default_factory=dict)
    discarded: dict[int, str] = field(default_factory=dict)
    kept: dict[int, str] = field(default_factory=dict)
    set_aside: dict[int, str] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """Return what to tell a person."""
        lines = [f'{self.path}: {len(self.finished)} finished episodes, left as they are']
        lines += [
            f'{episode_name(index)}: repaired, {count} messages'
            for index, count in self.repaired.items()
        ]
        for left in (self.discarded, self.kept):
            lines += [f'{open_name(index)}: {why}' for index, why in left.items()]
        lines += [f'{episode_name(index)}: {why}' for index, why in self.set_aside.items()]
        return lines


def repair_session(path: str | Path, discard: bool = False) -> RepairReport:
    """Make episodes of what was left open in a session; with `discard`, remove it instead.

    An open episode that holds nothing is removed in either case; one that holds what cannot be
    read is kept unless `discard`. Whole episodes are never touched. A finished one that can no
    longer be read is written anew from what can be; its old bag stays beside the new one, as
    `*.mcap.damaged`. One of which nothing can be read is never removed: it is set aside, as
    `.damaged_episode_...`.

    Raises:
        SessionError: this is no session, or its recorder is still running.
        RecordingError: the disk refuses; what was there is kept.
    """
    path = Path(path)
    content = read_session(path)
    folder = SessionFolder(path)  # refuses while a recorder has it
    try:
        report = RepairReport(path, finished=folder.finished())
        if discard:
            for index in folder.left_open():
                folder.discard_open(index)
                report.discarded[index] = 'discarded, as asked'
            return report
        topics = _topics(content)
        for index in folder.left_open():
            _mend_open(folder, topics, index, report)
        for index in tuple(report.finished):
            if damage_of(path, index):
                report.finished.remove(index)
                _mend_finished(folder, topics, index, report)
        return report
    finally:
        folder.close()


def _mend_open(
    session: SessionFolder, topics: Sequence[RecordedTopic], index: int, report: RepairReport
) -> None:
    folder = session.open_episode(index)
    count = 0
    with Attempt(folder) as attempt:
        count, record = write_salvaged(folder, topics, index, _said(folder / EPISODE_FILE))
        if count:
            put_in_place(folder, index)
            session.save(index, record)
    if count and not attempt.failure:
        report.repaired[index] = count
    elif attempt.failure or _holds_data(folder):
        report.kept[index] = (
            'left as it is: it holds data, and nothing in it can be read as our recording'
            f'{attempt.failure}. Next: look at it, or remove it with --discard'
        )
    else:
        session.discard_open(index)
        report.discarded[index] = 'discarded: there was no message in it'


def _mend_finished(
    session: SessionFolder, topics: Sequence[RecordedTopic], index: int, report: RepairReport
) -> None:
    """Replace its bag by a whole one. Wherever that is cut off, it counts as damaged still."""
    folder = session.path / episode_name(index)
    file = folder.with_name(f'{folder.name}.json')
    count = 0
    with Attempt(folder) as attempt:
        count, record = write_salvaged(folder, topics, index, _said(file))
        if count:
            write_json(file, record)
            put_in_place(folder, index, keep=True)
    if count and not attempt.failure:
        report.repaired[index] = count
        return
    aside = session.set_aside(index)
    report.set_aside[index] = (
        f'nothing in it can be read as our recording{attempt.failure}: it is kept as '
        f'{aside.name}, out of the session. Next: restore it from a copy, or delete that folder'
    )


def _holds_data(folder: Path) -> bool:
    entries = list(folder.rglob('*'))
    size = sum(entry.stat().st_size for entry in entries if entry.is_file())
    return size > EMPTY_BYTES or any(entry.is_dir() for entry in entries)  # a folder is not ours


def _topics(content: Mapping[str, Any]) -> tuple[RecordedTopic, ...]:
    cameras, fps = content.get('cameras'), content.get('fps')
    if not isinstance(cameras, Mapping) or not cameras:
        raise SessionError('session.json names no cameras')
    if not isinstance(fps, int | float) or not fps > 0:
        raise SessionError(f'session.json: fps is {fps!r}; expected a number above 0')
    return recorded_topics(
        list(cameras),
        float(fps),
        STATE_RATE_HZ,
        leader=content.get('leader_calibration') is not None,
    )


def _said(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return {}  # cut off before it was written: the bag itself tells the rest
    return content if isinstance(content, dict) else {}
