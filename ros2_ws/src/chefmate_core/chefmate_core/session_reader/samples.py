"""The messages of one bag as samples in the order of their stamps, without ROS.

A message's place in the bag is when the recorder got it; its stamp is when it was measured. The
two orders differ by the time that each message was under way, so samples wait in a heap until
nothing older can be expected.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_typestore

from chefmate_core.dataset.errors import DatasetError
from chefmate_core.observing.joint_values import joint_vectors

STATE, ACTION, INSTRUCTION = 'state', 'action', 'instruction'
_TOPICS = {
    'follower/joint_states': STATE,
    'follower/joint_commands_applied': ACTION,
    'policy/instruction': INSTRUCTION,
}
_IMAGE_TOPIC = '{camera}/image_raw/compressed'
# Longest that a message may be under way, by stamps: samples are put into order over this time.
REORDERED_S = 1.0
# A stamp further than this from the time of recording is no time of acquisition.
MOST_CLOCK_OFFSET_S = 5.0
EDGE_S = 2.0  # at each end of a bag, where its first and last samples are looked for


@dataclass(frozen=True)
class Sample:
    """One message: of STATE or ACTION (rad), of a camera (JPEG bytes), or an INSTRUCTION."""

    stream: str
    stamp_s: float
    value: Any


@dataclass
class StreamCounts:
    """What was wrong with the samples, by stream."""

    messages: Counter[str] = field(default_factory=Counter)
    repeated: Counter[str] = field(default_factory=Counter)  # the stamp of another message
    out_of_order: Counter[str] = field(default_factory=Counter)  # recorded after a newer one
    bad_stamps: Counter[str] = field(default_factory=Counter)
    malformed: Counter[str] = field(default_factory=Counter)


class EpisodeBag:
    """An opened bag."""

    def __init__(self, reader: AnyReader, cameras: tuple[str, ...], name: str) -> None:
        self._reader, self._name = reader, name
        wanted = dict(_TOPICS)
        wanted |= {_IMAGE_TOPIC.format(camera=camera): camera for camera in cameras}
        self._streams = {
            connection.id: wanted[topic]
            for connection in reader.connections
            if (topic := connection.topic.lstrip('/')) in wanted
        }
        self.missing = sorted(
            {STATE, ACTION, *cameras}
            - {
                self._streams[connection.id]
                for connection in reader.connections
                if connection.id in self._streams and connection.msgcount
            }
        )

    def samples(
        self, counts: StreamCounts, start_ns: int | None = None, stop_ns: int | None = None
    ) -> Iterator[Sample]:
        """Yield samples by stamp, each stamp of a stream once; count what is left out.

        Raises:
            DatasetError: the bag is damaged.
        """
        waiting: list[tuple[float, int, Sample]] = []
        newest: dict[str, float] = {}
        emitted: dict[str, float] = {}
        for order, sample in enumerate(self._in_order_of_recording(counts, start_ns, stop_ns)):
            counts.out_of_order[sample.stream] += sample.stamp_s < newest.get(
                sample.stream, -np.inf
            )
            newest[sample.stream] = max(newest.get(sample.stream, -np.inf), sample.stamp_s)
            heapq.heappush(waiting, (sample.stamp_s, order, sample))
            horizon_s = max(newest.values()) - REORDERED_S
            while waiting and waiting[0][0] <= horizon_s:
                yield from _once(heapq.heappop(waiting)[2], emitted, counts)
        while waiting:
            yield from _once(heapq.heappop(waiting)[2], emitted, counts)

    def edges(self) -> tuple[dict[str, float], dict[str, float]]:
        """Return the first and the last stamp of each stream, reading little of the bag."""
        edge_ns = round((EDGE_S + REORDERED_S) * 1e9)
        start_ns, end_ns = self._reader.start_time, self._reader.end_time
        first = self._extremes(None, start_ns + edge_ns, min)
        last = self._extremes(end_ns - edge_ns, None, max)
        streams = set(self._streams.values()) - {INSTRUCTION}
        if not (streams <= set(first) and streams <= set(last)):
            first = self._extremes(None, None, min)
            last = self._extremes(None, None, max)
        return first, last

    def _extremes(
        self, start_ns: int | None, stop_ns: int | None, better: Callable[..., float]
    ) -> dict[str, float]:
        stamps: dict[str, float] = {}
        for sample in self._in_order_of_recording(StreamCounts(), start_ns, stop_ns):
            if sample.stream != INSTRUCTION:
                found = stamps.get(sample.stream, sample.stamp_s)
                stamps[sample.stream] = better(found, sample.stamp_s)
        return stamps

    def _in_order_of_recording(
        self, counts: StreamCounts, start_ns: int | None, stop_ns: int | None
    ) -> Iterator[Sample]:
        connections = [c for c in self._reader.connections if c.id in self._streams]
        if not connections:
            return
        try:
            for connection, recorded_ns, raw in self._reader.messages(
                connections, start_ns, stop_ns
            ):
                stream = self._streams[connection.id]
                counts.messages[stream] += 1
                message = self._reader.deserialize(raw, connection.msgtype)
                sample = _sample(stream, message, recorded_ns * 1e-9)
                if sample is None:
                    counts.malformed[stream] += 1
                elif not abs(sample.stamp_s - recorded_ns * 1e-9) <= MOST_CLOCK_OFFSET_S:
                    counts.bad_stamps[stream] += 1
                else:
                    yield sample
        except DatasetError:
            raise
        except Exception as error:  # whatever the libraries make of damaged bytes
            raise DatasetError(
                f'{self._name}: the bag cannot be read to its end: '
                f'{type(error).__name__}: {error}. Try `chefmate dataset repair SESSION`.'
            ) from error


@contextmanager
def open_bag(folder: Path, cameras: Mapping[str, object]) -> Iterator[EpisodeBag]:
    """Open the rosbag2 folder of one episode.

    Raises:
        DatasetError: it is no bag, or damaged.
    """
    reader = None
    try:
        reader = AnyReader([folder], default_typestore=get_typestore(Stores.ROS2_JAZZY))
        reader.open()
    except Exception as error:  # whatever the libraries make of damaged bytes
        raise DatasetError(
            f'{folder}: no readable rosbag2 folder: {type(error).__name__}: {error}. '
            'Try `chefmate dataset repair SESSION`.'
        ) from error
    try:
        yield EpisodeBag(reader, tuple(cameras), folder.name)
    finally:
        reader.close()


def _once(sample: Sample, emitted: dict[str, float], counts: StreamCounts) -> Iterator[Sample]:
    if sample.stamp_s <= emitted.get(sample.stream, -np.inf):
        counts.repeated[sample.stream] += 1
        return
    emitted[sample.stream] = sample.stamp_s
    yield sample


def _sample(stream: str, message: Any, recorded_s: float) -> Sample | None:
    if stream == INSTRUCTION:
        return Sample(stream, recorded_s, message.data)
    stamp = message.header.stamp
    stamp_s = stamp.sec + stamp.nanosec * 1e-9
    if stream not in (STATE, ACTION):
        return Sample(stream, stamp_s, message.data)
    vectors = joint_vectors(message.name, message.position, message.velocity)
    if vectors is None or not np.all(np.isfinite(vectors[0])):
        return None
    return Sample(stream, stamp_s, vectors)
