"""Writes a whole bag of what can still be read of a broken one, beside it, and swaps the two."""

import contextlib
import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from chefmate_core.recording.bag_writer import BagWriter
from chefmate_core.recording.cdr import read_string
from chefmate_core.recording.definitions import MessageType
from chefmate_core.recording.episode import episode_record
from chefmate_core.recording.errors import RecordingError
from chefmate_core.recording.report import EpisodeMonitor, ReportLimits
from chefmate_core.recording.salvage import BROKEN, salvage
from chefmate_core.recording.session import bag_file_name
from chefmate_core.recording.session_info import chefmate_version
from chefmate_core.recording.topics import RecordedTopic

INSTRUCTION_TOPIC = 'policy/instruction'
SALVAGED_SUFFIX = '.salvaged'
DAMAGED_SUFFIX = '.damaged'


class Attempt:
    """What is half written goes; damage of a kind that nobody foresaw ends one episode's repair.

    Attributes:
        failure: what went wrong, in brackets; empty if nothing did.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.failure = ''

    def __enter__(self) -> 'Attempt':
        _remove(self._folder / SALVAGED_SUFFIX)  # of a repair that was itself cut off
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> bool:
        _remove(self._folder / SALVAGED_SUFFIX)
        if isinstance(error, BROKEN) and not isinstance(error, RecordingError):
            self.failure = f' ({type(error).__name__}: {error})'
            return True
        return False


def write_salvaged(
    folder: Path, topics: Sequence[RecordedTopic], index: int, known: Mapping[str, Any]
) -> tuple[int, dict[str, Any]]:
    """Write a new bag of what can be read to a folder within; return its size and its record."""
    source = folder / bag_file_name(index)
    if not source.exists():
        source = damaged_name(source)  # a repair was cut off before the new one was in its place
    monitor = EpisodeMonitor(topics, ReportLimits())
    instruction = str(known.get('instruction', ''))
    bag = BagWriter(folder / SALVAGED_SUFFIX, bag_file_name(index))
    seen = 0
    for item in salvage(source):
        topic, message = item.channel.topic, item.message
        bag.add_topic(
            topic,
            MessageType(
                item.schema.name,
                item.schema.data.decode(errors='replace'),
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
        return 0, {}
    extent = bag.extent
    bag.finish({'instruction': instruction, 'chefmate_version': chefmate_version()})
    monitor.note('repaired: the recorder or its disk failed, the end may be missing')
    started_ns = _nanoseconds(known.get('started')) or extent.start_ns
    record = episode_record(
        index,
        instruction,
        started_ns,
        extent.end_ns,
        monitor.report((extent.end_ns - started_ns) * 1e-9),
    )
    record['ended_by'] = 'repaired'
    return extent.message_count, record


def put_in_place(folder: Path, index: int, keep: bool = False) -> None:
    """Let the salvaged bag be the folder's; with `keep` the broken one stays, as `*.damaged`.

    The bag comes last: until it is there, the folder counts as damaged.
    """
    bag = folder / bag_file_name(index)
    if keep:
        with contextlib.suppress(FileNotFoundError):
            bag.replace(damaged_name(bag))
    for name in ('metadata.yaml', bag.name):
        (folder / SALVAGED_SUFFIX / name).replace(folder / name)


def damaged_name(bag: Path) -> Path:
    """Return where a broken bag is kept."""
    return bag.with_name(bag.name + DAMAGED_SUFFIX)


def _nanoseconds(seconds: Any) -> int:
    """Return a time of a JSON file, which may hold anything, ns; 0 for what is none."""
    is_time = isinstance(seconds, int | float) and math.isfinite(seconds)
    return round(float(seconds) * 1e9) if is_time else 0


def _relative(topic: str) -> str:
    return topic if topic == '/diagnostics' else topic.removeprefix('/')


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    elif path.exists():
        path.unlink()
