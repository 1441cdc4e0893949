"""The report on one episode: what arrived, how regularly, and what a person should look at."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from chefmate_core.errors import ConfigurationError
from chefmate_core.recording.cdr import StatusBytes, read_diagnostics
from chefmate_core.recording.errors import MessageBytesError
from chefmate_core.recording.streams import ImageStream, JointStream, Stream, finite
from chefmate_core.recording.topics import RecordedTopic, Role

GATE_PREFIX = 'gate_'  # of the counters in the driver's diagnostics
FOLLOWER = 'follower'
FREEZE_TRAVEL_RAD = 0.05  # an arm that moved so far cannot have looked the same


@dataclass(frozen=True)
class ReportLimits:
    """From where on something is a finding.

    Attributes:
        late_after_s: age at which a message is late.
        missing_ratio: share of a topic's messages that may be missing.
        frozen_frames: equal images in a row, while the arm moved, that mean a frozen camera.
        sync_error_s: distance of the two cameras, or of camera and joints, that may be.
        idle_head_s: how long the arm may stand before it first moves.
        moved_rad: how far a joint must go to have moved.
    """

    late_after_s: float = 0.1
    missing_ratio: float = 0.01
    frozen_frames: int = 5
    sync_error_s: float = 0.05
    idle_head_s: float = 2.0
    moved_rad: float = 0.02

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not value >= 0:  # NaN fails this too
                raise ConfigurationError(f'report limit {name} is {value}; 0 or more')


class EpisodeMonitor:
    """Looks at every message of an episode. One thread at a time."""

    def __init__(self, topics: Sequence[RecordedTopic], limits: ReportLimits) -> None:
        self._limits = limits
        self._streams = {
            topic.name: _stream(topic, limits.late_after_s)
            for topic in topics
            if topic.role is not Role.INSTRUCTION
        }
        self._unreadable: dict[str, int] = {}
        self._gate: list[dict[str, int]] = []  # counters, first and newest
        self._notes: list[str] = []

    def observe(self, name: str, log_ns: int, data: bytes) -> None:
        """Take a message of the topic `name`; one that cannot be read is counted."""
        stream = self._streams.get(name)
        if stream is None:
            return
        try:
            if stream.topic.role is Role.DIAGNOSTICS:
                header, statuses = read_diagnostics(data)
                stream.take_stamp(header.stamp_ns, log_ns)
                self._observe_gate(statuses)
            else:
                stream.observe(log_ns, data)
        except MessageBytesError:
            self._unreadable[name] = self._unreadable.get(name, 0) + 1

    def lost_in_transport(self, name: str, count: int) -> None:
        """Count messages that the middleware says it has lost."""
        if name in self._streams:
            self._streams[name].lost_in_transport += count

    def note(self, finding: str) -> None:
        """Add a finding of whoever watches from outside."""
        self._notes.append(finding)

    def count(self, name: str) -> int:
        """Return how many messages of a topic there are so far."""
        return self._streams[name].message_count if name in self._streams else 0

    def missing(self) -> dict[str, int]:
        """Return how many messages of each topic that has a rate are missing, by stamps."""
        return {
            name: stream.missing for name, stream in self._streams.items() if stream.topic.rate_hz
        }

    def report(self, duration_s: float) -> dict[str, Any]:
        """Return the report, ready for JSON."""
        state = self._first(Role.STATE)
        applied = self._first(Role.APPLIED)
        idle_s = state.idle_head_s(self._limits.moved_rad) if state else None
        return {
            'duration_s': finite(duration_s),
            'topics': {name: stream.values() for name, stream in self._streams.items()},
            'unreadable': dict(self._unreadable),
            'sync': self._sync(state),
            'idle_head_s': None if idle_s is None else finite(idle_s),
            'gate': {
                'counters': self._gate_changes(),
                'modes': dict(applied.modes) if applied else {},
            },
            'findings': [*self._notes, *self._findings(duration_s, state, idle_s)],
        }

    def _first(self, role: Role) -> JointStream | None:
        for stream in self._streams.values():
            if stream.topic.role is role and isinstance(stream, JointStream):
                return stream
        return None

    def _images(self) -> list[ImageStream]:
        return [stream for stream in self._streams.values() if isinstance(stream, ImageStream)]

    def _observe_gate(self, statuses: Sequence[StatusBytes]) -> None:
        for status in statuses:
            if not status.name.startswith(FOLLOWER):
                continue
            counters = {
                key.removeprefix(GATE_PREFIX): int(value)
                for key, value in status.values.items()
                if key.startswith(GATE_PREFIX) and value.isdigit()
            }
            if counters:
                self._gate[1:] = [counters]
                if len(self._gate) == 1:
                    self._gate.append(counters)

    def _gate_changes(self) -> dict[str, int]:
        if not self._gate:
            return {}
        first, last = self._gate
        changes = {key: last[key] - first.get(key, 0) for key in sorted(last)}
        return {key: change for key, change in changes.items() if change}

    def _sync(self, state: JointStream | None) -> dict[str, dict[str, float | None]]:
        """Return distances: each camera to the joints before it, each to the first camera."""
        images = self._images()
        found = {}
        for stream in images:
            if state is not None:
                gaps_s = before(state.stamps_s, stream.stamps_s)
                found[f'{stream.topic.camera}-joints'] = _summary(gaps_s)
        for stream in images[1:]:
            gaps_s = nearest(images[0].stamps_s, stream.stamps_s)
            found[f'{stream.topic.camera}-{images[0].topic.camera}'] = _summary(gaps_s)
        return found

    def _findings(
        self, duration_s: float, state: JointStream | None, idle_s: float | None
    ) -> list[str]:
        limits, findings = self._limits, []
        for name, stream in self._streams.items():
            values = stream.values()
            if stream.topic.required and not stream.message_count:
                findings.append(f'{name}: not one message')
                continue
            missing = stream.missing
            if missing > limits.missing_ratio * (stream.message_count + missing):
                findings.append(
                    f'{name}: {missing} of {stream.message_count + missing} messages are missing '
                    f'at {stream.topic.rate_hz:g} Hz; the longest gap is '
                    f'{values["max_gap_s"]:.2f} s'
                )
            if stream.lost_in_transport:
                findings.append(f'{name}: {stream.lost_in_transport} messages lost in transport')
            if stream.topic.required and stream.late > limits.missing_ratio * stream.message_count:
                findings.append(
                    f'{name}: {stream.late} messages came more than {limits.late_after_s:g} s late'
                )
        findings += [f'{name}: {count} unreadable' for name, count in self._unreadable.items()]
        findings += [
            text for image in self._images() for text in self._image_findings(image, state)
        ]
        for pair, gaps in self._sync(state).items():
            p99_ms = gaps['p99_ms']
            if p99_ms is not None and p99_ms > limits.sync_error_s * 1e3:
                findings.append(f'{pair}: apart by {p99_ms:.0f} ms (p99)')
        if state is not None and state.message_count and idle_s is None:
            findings.append(f'the arm did not move in {duration_s:.1f} s')
        elif idle_s is not None and idle_s > limits.idle_head_s:
            findings.append(f'idle head: the arm first moved after {idle_s:.1f} s')
        return findings

    def _image_findings(self, image: ImageStream, state: JointStream | None) -> list[str]:
        findings = []
        if image.wrong_size:
            findings.append(f'{image.topic.camera}: {image.wrong_size} images of another size')
        stamps_s = image.stamps_s
        for first, last in image.freezes:
            frames = last - first + 1
            travel_rad = state.travel_rad(stamps_s[first], stamps_s[last]) if state else 0.0
            if frames >= self._limits.frozen_frames and travel_rad > FREEZE_TRAVEL_RAD:
                findings.append(
                    f'{image.topic.camera}: frozen, {frames} equal images from second '
                    f'{stamps_s[first] - stamps_s[0]:.1f} on, while the arm moved '
                    f'{travel_rad:.2f} rad'
                )
        return findings


def before(reference_s: np.ndarray, stamps_s: np.ndarray) -> np.ndarray:
    """Return how old the newest of `reference_s` is at each of `stamps_s`, s.

    Instants before the first reference are left out.
    """
    if not len(reference_s):
        return np.zeros(0)
    ordered = np.sort(reference_s)
    places = np.searchsorted(ordered, stamps_s, side='right') - 1
    known = places >= 0
    return stamps_s[known] - ordered[places[known]]


def nearest(reference_s: np.ndarray, stamps_s: np.ndarray) -> np.ndarray:
    """Return how far the nearest of `reference_s` is from each of `stamps_s`, s."""
    if not len(reference_s):
        return np.zeros(0)
    ordered = np.sort(reference_s)
    right = np.clip(np.searchsorted(ordered, stamps_s), 0, len(ordered) - 1)
    left = np.clip(right - 1, 0, None)
    return np.minimum(np.abs(ordered[right] - stamps_s), np.abs(stamps_s - ordered[left]))


def _summary(gaps_s: np.ndarray) -> dict[str, float | None]:
    if not len(gaps_s):
        return {'p50_ms': None, 'p99_ms': None, 'max_ms': None}
    p50, p99, most = np.quantile(gaps_s, [0.5, 0.99, 1.0]) * 1e3
    return {'p50_ms': finite(p50), 'p99_ms': finite(p99), 'max_ms': finite(most)}


def _stream(topic: RecordedTopic, late_after_s: float) -> Stream:
    if topic.role in (Role.STATE, Role.APPLIED):
        return JointStream(topic, late_after_s)
    kind = ImageStream if topic.role is Role.IMAGE else Stream
    return kind(topic, late_after_s)
