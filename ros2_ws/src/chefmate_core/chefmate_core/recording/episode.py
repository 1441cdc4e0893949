"""One episode that is being written: its bag, its report, what it is about."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from chefmate_core.recording.bag_metadata import qos_profiles
from chefmate_core.recording.bag_writer import BagWriter
from chefmate_core.recording.cdr import string_message
from chefmate_core.recording.definitions import MessageTypes
from chefmate_core.recording.files import write_json
from chefmate_core.recording.report import EpisodeMonitor, ReportLimits
from chefmate_core.recording.session import (
    EPISODE_FILE,
    SAVED,
    SessionFolder,
    bag_file_name,
)
from chefmate_core.recording.session_info import chefmate_version
from chefmate_core.recording.topics import RecordedTopic, Role


class OpenEpisode:
    """Writes messages, and looks at each of them. One thread at a time.

    Args:
        full_names: relative topic name -> the name in the bag, `/follower/joint_states`.

    Raises:
        RecordingError: the disk refuses; every method too.
    """

    def __init__(
        self,
        session: SessionFolder,
        index: int,
        instruction: str,
        started_ns: int,
        topics: Sequence[RecordedTopic],
        full_names: dict[str, str],
        types: MessageTypes,
        limits: ReportLimits,
    ) -> None:
        self.index = index
        self.instruction = instruction
        self.started_ns = started_ns
        self.monitor = EpisodeMonitor(topics, limits)
        self.findings: tuple[str, ...] = ()  # of the finished episode
        self._session = session
        self._full_names = full_names
        self._bag = BagWriter(session.open_episode(index), bag_file_name(index))
        for topic in topics:
            self._bag.add_topic(
                full_names[topic.name], types.find(topic.type_name), qos_profiles(topic.offered)
            )
        write_json(
            session.open_episode(index) / EPISODE_FILE,
            {'index': index, 'instruction': instruction, 'started': started_ns * 1e-9},
        )
        for topic in topics:
            if topic.role is Role.INSTRUCTION:  # latched: said before the episode began
                self.write(topic.name, started_ns, started_ns, string_message(instruction))

    @property
    def size_bytes(self) -> int:
        """Size of the messages so far."""
        return self._bag.size_bytes

    def write(self, name: str, log_ns: int, publish_ns: int, data: bytes) -> None:
        """Write a message of the topic `name`."""
        self._bag.write(self._full_names[name], log_ns, publish_ns, data)
        self.monitor.observe(name, log_ns, data)

    def flush(self, to_disk: bool) -> None:
        """Hand what there is to the system, or all the way to the disk."""
        self._bag.flush()
        if to_disk:
            self._bag.sync()

    def finish(self, ended_ns: int, reason: str) -> Path:
        """End the bag and make it an episode of the session; return its folder."""
        self._bag.finish({'instruction': self.instruction, 'chefmate_version': chefmate_version()})
        report = self.monitor.report((ended_ns - self.started_ns) * 1e-9)
        self.findings = tuple(report['findings'])
        record = episode_record(self.index, self.instruction, self.started_ns, ended_ns, report)
        record['ended_by'] = reason
        return self._session.save(self.index, record)

    def abandon(self) -> None:
        """Close the file as it is."""
        self._bag.abandon()

    def discard(self) -> None:
        """Remove what was written."""
        self._bag.abandon()
        self._session.discard_open(self.index)


def episode_record(
    index: int, instruction: str, started_ns: int, ended_ns: int, report: dict[str, Any]
) -> dict[str, Any]:
    """Return `episode_NNNNNN.json`."""
    return {
        'index': index,
        'instruction': instruction,
        'started': started_ns * 1e-9,
        'ended': ended_ns * 1e-9,
        'outcome': SAVED,
        'report': report,
    }
