"""Reads a bag for the plots, without ROS and without decoding an image."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from rosbags.highlevel import AnyReader
from rosbags.interfaces import Connection
from rosbags.typesys import Stores, get_typestore

from chefmate.bag_plot.collecting import ArrivalCollector, HealthCollector, JointCollector
from chefmate.bag_plot.finding import mending
from chefmate.bag_plot.series import Recording
from chefmate_core.dataset.errors import DatasetError, DatasetRequestError
from chefmate_core.recording.cdr import read_header
from chefmate_core.recording.errors import MessageBytesError

JOINTS, STAMPED, INSTRUCTION, DIAGNOSTICS = 'joints', 'stamped', 'instruction', 'diagnostics'
# What can be drawn: the type, and how its messages are read.
_KINDS = {
    'sensor_msgs/msg/JointState': JOINTS,
    'sensor_msgs/msg/CompressedImage': STAMPED,
    'sensor_msgs/msg/Image': STAMPED,
    'diagnostic_msgs/msg/DiagnosticArray': DIAGNOSTICS,
}
_INSTRUCTION_TOPIC = 'policy/instruction'
_DRIVER = 'follower'  # the beginning of its status' name
_STEPS = 100  # of the progress
_NO_STEP = 1 << 62

Progress = Callable[[str], None]


def read_recording(
    folder: Path,
    topics: Sequence[str] = (),
    from_s: float | None = None,
    to_s: float | None = None,
    progress: Progress = lambda what: None,
) -> Recording:
    """Read a rosbag2 folder.

    Args:
        folder: holds metadata.yaml.
        topics: only these; `*` stands for anything. Empty: all that can be drawn.
        from_s: where to begin, from the beginning of the bag; None: there.
        to_s: where to end; None: at its end.
        progress: called about a hundred times, with what is done.

    Raises:
        DatasetRequestError: nothing of what was asked for is in the bag.
        DatasetError: the bag is damaged.
    """
    with _opened(folder) as reader:
        drawn = _drawn(reader.connections, topics, folder)
        other = sorted(
            {connection.topic for connection in reader.connections}
            - {connection.topic for connection in drawn}
        )
        begin_ns = reader.start_time
        start_ns = begin_ns + round((from_s or 0.0) * 1e9)
        stop_ns = reader.end_time if to_s is None else begin_ns + round(to_s * 1e9)
        if not start_ns < stop_ns or start_ns >= reader.end_time:
            length_s = (reader.end_time - begin_ns) * 1e-9
            raise DatasetRequestError(
                f'{folder}: nothing to draw from {from_s or 0.0:g} s to '
                f'{"its end" if to_s is None else f"{to_s:g} s"}: the bag is {length_s:.1f} s long'
            )
        collected = _Collected(reader, begin_ns)
        collected.add_what_was_in_force(drawn, start_ns)
        total = sum(connection.msgcount for connection in drawn)
        step = max(total // _STEPS, 1) if total > _STEPS else _NO_STEP
        reached_s = 0.0
        try:
            for place, (connection, received_ns, raw) in enumerate(
                reader.messages(drawn, start_ns, stop_ns)
            ):
                reached_s = (received_ns - begin_ns) * 1e-9
                collected.add(connection, received_ns, raw)
                if place % step == 0:
                    progress(f'reading, {reached_s:.0f} s')
        except Exception as error:  # whatever the library makes of damaged bytes
            what = f'the bag is readable up to {reached_s:.1f} s only'
            raise _damaged(folder, what, error) from error
        if from_s is None and to_s is None:
            collected.count_lost(drawn)
        stretch_s = (
            (start_ns - begin_ns) * 1e-9,
            (min(stop_ns, reader.end_time) - begin_ns) * 1e-9,
        )
        return collected.finish(stretch_s, tuple(other))


class _Collected:
    """What the messages have said so far."""

    def __init__(self, reader: AnyReader, begin_ns: int) -> None:
        self._reader, self._begin_ns = reader, begin_ns
        self._arrivals: dict[str, ArrivalCollector] = {}
        self._joints: dict[str, JointCollector] = {}
        self._health = HealthCollector()
        self._instructions: list[tuple[float, str]] = []
        self._messages: Counter[str] = Counter()
        self._unreadable: Counter[str] = Counter()

    def add_what_was_in_force(self, connections: Sequence[Connection], start_ns: int) -> None:
        """Take the instruction that was given before the stretch that is drawn."""
        before = [connection for connection in connections if _kind(connection) == INSTRUCTION]
        if before and start_ns > self._begin_ns:
            for connection, received_ns, raw in self._reader.messages(before, None, start_ns):
                self.add(connection, received_ns, raw)

    def add(self, connection: Connection, received_ns: int, raw: bytes) -> None:
        topic = connection.topic.lstrip('/')
        self._messages[topic] += 1
        received_s = (received_ns - self._begin_ns) * 1e-9
        try:
            self._take(_kind(connection), topic, connection.msgtype, received_s, raw)
        except MessageBytesError:
            self._unreadable[topic] += 1

    def count_lost(self, connections: Sequence[Connection]) -> None:
        """Count as unreadable what the bag's index names, and its reader passed over."""
        expected: Counter[str] = Counter()
        for connection in connections:
            expected[connection.topic.lstrip('/')] += connection.msgcount
        self._unreadable += expected - self._messages

    def _take(self, kind: str, topic: str, msgtype: str, received_s: float, raw: bytes) -> None:
        if kind == STAMPED:
            self._at(topic, read_header(raw).stamp_ns, received_s)
            return
        message = self._message(raw, msgtype)
        if kind == INSTRUCTION:
            if not self._instructions or self._instructions[-1][1] != message.data:
                self._instructions.append((received_s, message.data))
            return
        stamp = message.header.stamp
        time_s = self._at(topic, stamp.sec * 1_000_000_000 + stamp.nanosec, received_s)
        if kind == DIAGNOSTICS:
            for status in message.status:
                if status.name.startswith(_DRIVER):
                    values = {entry.key: entry.value for entry in status.values}
                    self._health.add(time_s, values)
            return
        taken = self._joints.setdefault(topic, JointCollector()).add(
            time_s, message.header.frame_id, message.name, message.position, message.velocity
        )
        self._unreadable[topic] += not taken

    def _message(self, raw: bytes, msgtype: str) -> Any:
        try:
            return self._reader.deserialize(raw, msgtype)
        except Exception as error:  # whatever the library makes of damaged bytes
            raise MessageBytesError(f'no {msgtype}: {error}') from error

    def _at(self, topic: str, stamp_ns: int, received_s: float) -> float:
        collector = self._arrivals.setdefault(topic, ArrivalCollector())
        return collector.add((stamp_ns - self._begin_ns) * 1e-9, received_s)

    def finish(self, stretch_s: tuple[float, float], other: tuple[str, ...]) -> Recording:
        arrivals = {
            topic: collector.finish()
            for topic, collector in self._arrivals.items()
            if self._messages[topic] and not topic.endswith('diagnostics')
        }
        return Recording(
            begin_ns=self._begin_ns,
            start_s=stretch_s[0],
            end_s=stretch_s[1],
            joints={topic: collector.finish() for topic, collector in self._joints.items()},
            arrivals=arrivals,
            health=self._health.finish(),
            instructions=tuple(self._instructions),
            messages=dict(self._messages),
            unreadable={topic: count for topic, count in self._unreadable.items() if count},
            other_topics=other,
        )


@contextmanager
def _opened(folder: Path) -> Iterator[AnyReader]:
    reader = None
    try:
        reader = AnyReader([folder], default_typestore=get_typestore(Stores.ROS2_JAZZY))
        reader.open()
    except Exception as error:  # whatever the library makes of damaged bytes
        raise _damaged(folder, 'no readable rosbag2 folder', error) from error
    try:
        yield reader
    except (DatasetError, DatasetRequestError):
        raise
    except Exception as error:
        raise _damaged(folder, 'the bag cannot be read', error) from error
    finally:
        reader.close()


def _damaged(folder: Path, what: str, error: Exception) -> DatasetError:
    return DatasetError(
        f'{folder}: {what}: {type(error).__name__}: {error}. Next: {mending(folder)}'
    )


def _drawn(
    connections: Sequence[Connection], patterns: Sequence[str], folder: Path
) -> list[Connection]:
    """Return the connections that can be drawn and were asked for."""
    able = [connection for connection in connections if _kind(connection) and connection.msgcount]
    names = sorted({connection.topic for connection in able})
    if not names:
        held = ', '.join(sorted({connection.topic for connection in connections})) or 'no topic'
        raise DatasetRequestError(
            f'{folder}: nothing in this bag can be drawn: expected joints '
            '(sensor_msgs/JointState), images, diagnostics or policy/instruction with at least '
            f'one message; found {held}'
        )
    for pattern in patterns:
        if not any(_matches(name, pattern) for name in names):
            raise DatasetRequestError(
                f'{folder}: --topics {pattern}: no such topic that can be drawn; found '
                f'{", ".join(names)}'
            )
    return [
        connection
        for connection in able
        if not patterns or any(_matches(connection.topic, pattern) for pattern in patterns)
    ]


def _matches(topic: str, pattern: str) -> bool:
    return fnmatchcase(topic.lstrip('/'), pattern.lstrip('/'))


def _kind(connection: Connection) -> str:
    """Return how a topic's messages are read; empty for one that is not drawn."""
    if connection.topic.lstrip('/') == _INSTRUCTION_TOPIC:
        return INSTRUCTION if connection.msgtype == 'std_msgs/msg/String' else ''
    return _KINDS.get(connection.msgtype, '')
