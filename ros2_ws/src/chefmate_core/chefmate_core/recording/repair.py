"""What a crash, a full disk, a power cut or a failing disk left of a session, made whole again."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chefmate_core.recording.bag_writer import BagWriter
from chefmate_core.recording.cdr import read_string
from chefmate_core.recording.damage import damage_of
from chefmate_core.recording.definitions import MessageType
from chefmate_core.recording.episode import episode_record
from chefmate_core.recording.errors import RecordingError, SessionError
from chefmate_core.recording.report import EpisodeMonitor, ReportLimits
from chefmate_core.recording.salvage import salvage
from chefmate_core.recording.session import (
    EPISODE_FILE,
    SessionFolder,
    bag_file_name,
    episode_name,
    open_name,
)
from chefmate_core.recording.session_info import chefmate_version, read_session
from chefmate_core.recording.topics import RecordedTopic, recorded_topics

STATE_RATE_HZ = 100.0
INSTRUCTION_TOPIC = 'policy/instruction'
SALVAGED_SUFFIX = '.salvaged'
DAMAGED_SUFFIX = '.damaged'
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
    """

    path: Path
    finished: list[int] = field(default_factory=list)
    repaired: dict[int, int] = field(default_factory=dict)
    discarded: dict[int, str] = field(default_factory=dict)
    kept: dict[int, str] = field(default_factory=dict)

    def lines(self) -> list[str]:
        """Return what to tell a person."""
        lines = [f'{self.path}: {len(self.finished)} finished episodes, left as they are']
        lines += [
            f'{episode_name(index)}: repaired, {count} messages'
            for index, count in self.repaired.items()
        ]
        for left in (self.discarded, self.kept):
            lines += [f'{open_name(index)}: {why}' for index, why in left.items()]
        return lines


def repair_session(path: str | Path, discard: bool = False) -> RepairReport:
    """Make episodes of what was left open in a session; with `discard`, remove it instead.

    An open episode that holds nothing is removed in either case; one that holds what cannot be
    read is kept unless `discard`. Whole episodes are never touched. A finished one that can no
    longer be read is written anew from what can be; its old bag stays beside the new one, as
    `*.mcap.damaged`.

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
        damaged = [index for index in report.finished if damage_of(path, index)]
        for index in damaged:
            folder.reopen(index)
            report.finished.remove(index)
        for index in folder.left_open():
            try:
                count = _repair(folder, content, index, keep=index in damaged)
            except RecordingError:
                _remove(folder.open_episode(index) / SALVAGED_SUFFIX)  # of no use half written
                raise
            if count:
                report.repaired[index] = count
            elif _holds_data(folder.open_episode(index)):
                report.kept[index] = (
                    'left as it is: it holds data, and nothing in it can be read as our '
                    'recording. Next: look at it, or remove it with --discard'
                )
            else:
                folder.discard_open(index)
                report.discarded[index] = 'discarded: there was no message in it'
        return report
    finally:
        folder.close()


def _repair(session: SessionFolder, content: Mapping[str, Any], index: int, keep: bool) -> int:
    """Write a new bag of what can be read, and put it in the place of the old; return its size.

    With `keep` the old one stays, under another name.
    """
    left = session.open_episode(index)
    known = _said(left / EPISODE_FILE)
    salvaged_folder = left / SALVAGED_SUFFIX
    _remove(salvaged_folder)  # of a repair that was itself cut off
    monitor = EpisodeMonitor(_topics(content), ReportLimits())
    instruction = str(known.get('instruction', ''))
    bag = BagWriter(salvaged_folder, bag_file_name(index))
    seen = 0
    for item in salvage(left / bag_file_name(index)):
        topic, message = item.channel.topic, item.message
        bag.add_topic(
            topic,
            MessageType(
                item.schema.name,
                item.schema.data.decode(),
                item.channel.metadata.get('topic_type_hash', ''),
            ),
            item.channel.metadata.get('offered_qos_profiles', ''),
        )
        bag.write(topic, message.log_time, message.publish_time, message.data)
        if topic.endswith(INSTRUCTION_TOPIC):
            instruction = instruction or read_string(message.data)
        else:
            seen += 1
            monitor.observe(_relative(topic), message.log_time, message.data)
    if not seen:
        bag.abandon()
        return 0
    extent = bag.extent
    bag.finish({'instruction': instruction, 'chefmate_version': chefmate_version()})
    monitor.note('repaired: the recorder or its disk failed, the end may be missing')
    started_ns = round(float(known.get('started', 0.0)) * 1e9) or extent.start_ns
    record = episode_record(
        index,
        instruction,
        started_ns,
        extent.end_ns,
        monitor.report((extent.end_ns - started_ns) * 1e-9),
    )
    record['ended_by'] = 'repaired'
    # The whole bag takes the place of the broken one, and only then is the episode finished.
    old = left / bag_file_name(index)
    if keep:
        old.replace(old.with_name(old.name + DAMAGED_SUFFIX))
    for name in (old.name, 'metadata.yaml'):
        (salvaged_folder / name).replace(left / name)
    salvaged_folder.rmdir()
    session.save(index, record)
    return extent.message_count


def _holds_data(folder: Path) -> bool:
    sizes = (entry.stat().st_size for entry in folder.rglob('*') if entry.is_file())
    return sum(sizes) > EMPTY_BYTES


def _topics(content: Mapping[str, Any]) -> tuple[RecordedTopic, ...]:
    cameras = content.get('cameras')
    if not isinstance(cameras, Mapping) or not cameras:
        raise SessionError('session.json names no cameras')
    return recorded_topics(
        list(cameras),
        float(content['fps']),
        STATE_RATE_HZ,
        leader=content.get('leader_calibration') is not None,
    )


def _relative(topic: str) -> str:
    return topic if topic == '/diagnostics' else topic.removeprefix('/')


def _said(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding='utf-8'))
    except (OSError, ValueError):
        return {}  # cut off before it was written: the bag itself tells the rest
    return content if isinstance(content, dict) else {}


def _remove(folder: Path) -> None:
    if folder.is_dir():
        for entry in folder.iterdir():
            entry.unlink()
        folder.rmdir()
