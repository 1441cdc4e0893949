"""What one topic of an episode delivered, message by message."""

import zlib

import numpy as np

from chefmate_core.camera.delivery import DeliveryMeter
from chefmate_core.recording.cdr import read_header, read_image, read_joints
from chefmate_core.recording.jpeg import jpeg_size
from chefmate_core.recording.topics import RecordedTopic

# A stream without a rate of its own is measured against this: gaps in it mean nothing.
UNRATED_PERIOD_S = 1.0


class Stream:
    """Stamps of one stamped topic. One thread at a time."""

    def __init__(self, topic: RecordedTopic, late_after_s: float) -> None:
        self.topic = topic
        self.message_count = 0
        self.late = 0
        self.lost_in_transport = 0  # as the middleware says
        self._late_after_s = late_after_s
        self._meter = DeliveryMeter(1.0 / topic.rate_hz if topic.rate_hz else UNRATED_PERIOD_S)
        self._stamps_ns: list[int] = []

    def observe(self, log_ns: int, data: bytes) -> None:
        """Take one message.

        Raises:
            MessageBytesError: it is not what it should be.
        """
        self.take_stamp(read_header(data).stamp_ns, log_ns)

    def take_stamp(self, stamp_ns: int, log_ns: int) -> None:
        """Take one message's stamp and the time it was received."""
        self.message_count += 1
        self._stamps_ns.append(stamp_ns)
        self._meter.add(stamp_ns * 1e-9, log_ns * 1e-9)
        if (log_ns - stamp_ns) * 1e-9 > self._late_after_s:
            self.late += 1

    @property
    def missing(self) -> int:
        """How many more there should be between the first stamp and the newest, at the rate.

        Over the whole episode, not gap by gap: a writer that was held up and then catches up has
        dropped nothing (the longest gap tells of it).
        """
        if not self.topic.rate_hz or not self._stamps_ns:
            return 0
        span_s = (self._stamps_ns[-1] - self._stamps_ns[0]) * 1e-9
        return max(0, round(span_s * self.topic.rate_hz) + 1 - self.message_count)

    @property
    def stamps_s(self) -> np.ndarray:
        """Stamps in order of arrival, s, shape (n,)."""
        return np.array(self._stamps_ns, dtype=np.int64) * 1e-9

    def values(self) -> dict[str, object]:
        """What the report says; counts, and times that are known."""
        report = self._meter.report()
        values: dict[str, object] = {
            'messages': self.message_count,
            'rate_hz': finite(report.rate_hz),
            'max_gap_s': finite(report.max_gap_s),
            'age_p50_ms': finite(report.latency_p50_s * 1e3),
            'age_p99_ms': finite(report.latency_p99_s * 1e3),
            'late': self.late,
            'out_of_order': report.out_of_order,
            'lost_in_transport': self.lost_in_transport,
        }
        if self.topic.rate_hz:
            values |= {'expected_rate_hz': self.topic.rate_hz, 'missing': self.missing}
        return values


class JointStream(Stream):
    """Joint states: positions too."""

    def __init__(self, topic: RecordedTopic, late_after_s: float) -> None:
        super().__init__(topic, late_after_s)
        self.modes: dict[str, int] = {}  # of the gate, as the applied commands' frame_id tells
        self._positions: list[np.ndarray] = []
        self._names: tuple[str, ...] = ()

    def observe(self, log_ns: int, data: bytes) -> None:
        """Take one message."""
        joints = read_joints(data)
        self._names = self._names or joints.names
        if joints.names != self._names or len(joints.position_rad) != len(self._names):
            joints_rad = np.full(len(self._names), np.nan)  # counted, and in nobody's way
        else:
            joints_rad = joints.position_rad
        self._positions.append(joints_rad)
        mode = joints.header.frame_id
        self.modes[mode] = self.modes.get(mode, 0) + 1
        self.take_stamp(joints.header.stamp_ns, log_ns)

    @property
    def positions_rad(self) -> np.ndarray:
        """Positions in order of arrival, rad, shape (n, joints); NaN for a malformed message."""
        return np.array(self._positions).reshape(len(self._positions), -1)

    def idle_head_s(self, moved_rad: float) -> float | None:
        """Return how long after the first message the first joint had moved; None: never."""
        positions_rad = self.positions_rad
        if not len(positions_rad):
            return None
        moved = np.nonzero(np.any(np.abs(positions_rad - positions_rad[0]) > moved_rad, axis=1))[0]
        return float(self.stamps_s[moved[0]] - self.stamps_s[0]) if len(moved) else None

    def travel_rad(self, from_s: float, to_s: float) -> float:
        """Return how far the joint that moved most went between two instants, rad."""
        stamps_s = self.stamps_s
        inside = self.positions_rad[(stamps_s >= from_s) & (stamps_s <= to_s)]
        if len(inside) < 2:
            return 0.0
        travel = np.nanmax(inside, axis=0) - np.nanmin(inside, axis=0)
        return float(np.nanmax(travel, initial=0.0))


class ImageStream(Stream):
    """Compressed images: which ones repeat the one before, byte for byte."""

    def __init__(self, topic: RecordedTopic, late_after_s: float) -> None:
        super().__init__(topic, late_after_s)
        self.frozen = 0
        self.size_px: tuple[int, int] | None = None  # width, height of the first
        self.wrong_size = 0
        self.freezes: list[tuple[int, int]] = []  # indices of first and last of equal images
        self._checksum = -1

    def observe(self, log_ns: int, data: bytes) -> None:
        """Take one message."""
        header, picture = read_image(data)
        size_px = jpeg_size(picture)
        self.size_px = self.size_px or size_px
        self.wrong_size += size_px != self.size_px
        checksum = zlib.crc32(picture)
        index = self.message_count
        if checksum == self._checksum:
            self.frozen += 1
            if self.freezes and self.freezes[-1][1] == index - 1:
                self.freezes[-1] = (self.freezes[-1][0], index)
            else:
                self.freezes.append((index - 1, index))
        self._checksum = checksum
        self.take_stamp(header.stamp_ns, log_ns)

    def values(self) -> dict[str, object]:
        """What the report says."""
        longest = max((last - first + 1 for first, last in self.freezes), default=0)
        return {
            **super().values(),
            'frozen': self.frozen,
            'longest_freeze_frames': longest,
            'wrong_size': self.wrong_size,
            'size_px': list(self.size_px) if self.size_px else None,
        }


def finite(value: float) -> float | None:
    """Return a number rounded for people, None where there is none."""
    return round(float(value), 6) if np.isfinite(value) else None
