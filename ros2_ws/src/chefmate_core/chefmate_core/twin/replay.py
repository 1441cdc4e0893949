"""Where a recorded arm was: a session, one of its episodes, or any rosbag2 folder."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from chefmate_core.errors import ConfigurationError


@dataclass(frozen=True)
class Recording:
    """One motion: `times_s`, shape (n,), from 0 on, and positions, shape (n, 6), rad.

    Attributes:
        left_out: why messages are not in it -> how many.
    """

    name: str
    times_s: np.ndarray
    positions_rad: np.ndarray
    left_out: Mapping[str, int] = field(default_factory=dict)

    @property
    def duration_s(self) -> float:
        """Time of the last position."""
        return float(self.times_s[-1])

    def line(self) -> str:
        """Return one line for people."""
        return f'{self.name}: {self.duration_s:.0f} s{_said(self.left_out)}'

    def at(self, time_s: float) -> np.ndarray:
        """Return the position at a time, shape (6,), interpolated."""
        return np.array([np.interp(time_s, self.times_s, one) for one in self.positions_rad.T])


def load_recordings(path: str | Path) -> Iterator[Recording]:
    """Yield the measured motion (`follower/joint_states`) of a session or of one bag.

    A session's episodes come in their order, each as a recording of its own.

    Raises:
        ConfigurationError: nothing there, or no motion of a follower in it.
        DatasetError: the bag is damaged; the message says what repairs it.
    """
    # Here, because rosbags belongs to the role `data`, which a mirror does not need.
    from chefmate_core.session_reader.manifest import episode_folders

    folder = Path(path)
    if not folder.is_dir():
        raise ConfigurationError(f'{folder}: no such folder; give a session or a rosbag2 folder')
    is_bag = (folder / 'metadata.yaml').exists()
    found, left_out = 0, Counter[str]()
    for bag_folder in [folder] if is_bag else episode_folders(folder):
        recording = _recording(bag_folder)
        left_out.update(recording.left_out)
        if len(recording.times_s) > 1:
            found += 1
            yield recording
    if not found:
        raise ConfigurationError(
            f'{folder}: no motion in it: expected a rosbag2 folder (metadata.yaml), or a session '
            f'of such, with messages on follower/joint_states{_said(left_out)}'
        )


def _recording(folder: Path) -> Recording:
    from chefmate_core.session_reader.samples import STATE, StreamCounts, open_bag

    counts, samples = StreamCounts(), []
    with open_bag(folder, {}) as bag:
        samples = [sample for sample in bag.samples(counts) if sample.stream == STATE]
    times = np.array([sample.stamp_s for sample in samples])
    left_out = {
        'without six finite positions': counts.malformed[STATE],
        'stamped more than 5 s off the time of recording, as in simulation time': (
            counts.bad_stamps[STATE]
        ),
        'with the stamp of another': counts.repeated[STATE],
    }
    return Recording(
        folder.name,
        times - times[0] if samples else times,
        np.array([sample.value[0] for sample in samples]),
        {why: count for why, count in left_out.items() if count},
    )


def _said(left_out: Mapping[str, int]) -> str:
    """Return what was left out, to go on in a sentence; empty for nothing."""
    parts = ', '.join(f'{count} {why}' for why, count in left_out.items())
    return f'; left out were {parts}' if parts else ''


class Playback:
    """Plays recordings one after the other, at a speed. Times are of the steady clock."""

    def __init__(self, recordings: list[Recording], speed: float, pause_s: float = 1.0) -> None:
        if not 0.0 < speed <= 100.0:
            raise ConfigurationError(f'speed is {speed}; expected above 0, at most 100')
        self._recordings, self._speed, self._pause_s = recordings, speed, pause_s
        self._begun_s: float | None = None
        self.index = 0
        self.is_done = False

    @property
    def recording(self) -> Recording:
        """The one that is played."""
        return self._recordings[self.index]

    def position_rad(self, now_s: float) -> np.ndarray:
        """Return where the arm is now, shape (6,); at the end of each it stays for the pause."""
        if self._begun_s is None:
            self._begun_s = now_s
        time_s = (now_s - self._begun_s) * self._speed
        if time_s - self.recording.duration_s > self._pause_s * self._speed:
            if self.index + 1 == len(self._recordings):
                self.is_done = True
            else:
                self.index += 1
                self._begun_s, time_s = now_s, 0.0
        return self.recording.at(time_s)
