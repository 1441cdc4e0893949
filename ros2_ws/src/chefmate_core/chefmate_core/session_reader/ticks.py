"""An episode at the data set's rate: at each tick, what a policy running then would have seen.

The live policy's own `ObservationBuffer` chooses: it gets the samples that had been taken by the
tick, and returns the newest instant that all sensors had reached, with the image of each camera
and the joints nearest to it. docs/decisions/0019-one-decoding.md tells why.
"""

import math
from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from chefmate_core.dataset.errors import DatasetError
from chefmate_core.policy.observations import ObservationBuffer, Unobservable
from chefmate_core.policy.protocol import Observation, PolicySpec
from chefmate_core.session_reader.samples import (
    ACTION,
    INSTRUCTION,
    STATE,
    EpisodeBag,
    Sample,
    StreamCounts,
)

# What the policy node's parameters max_observation_age and max_image_skew are by default.
MAX_OBSERVATION_AGE_S = 0.5
MAX_IMAGE_SKEW_S = 0.1
_KEPT_ACTIONS = 400  # of 100 a second: more than an observation can be old
_ROUNDING_SLACK = 1e-6  # of a tick


@dataclass(frozen=True, eq=False)
class Tick:
    """What was known at one tick. Images are JPEG bytes as they were recorded, shape (n,)."""

    index: int
    time_s: float  # the tick, on the clock of the stamps
    stamp_s: float  # the instant that was observed, before the tick
    state_rad: np.ndarray  # (6,) measured, nearest to the instant
    action_rad: np.ndarray  # (6,) the newest that was applied at the instant
    jpegs: Mapping[str, np.ndarray]
    image_stamps_s: Mapping[str, float]
    refused: str = ''  # why a live policy would not have acted on it


@dataclass
class EpisodeCounts:
    """How an episode's ticks were filled."""

    streams: StreamCounts = field(default_factory=StreamCounts)
    ticks: int = 0
    refused: list[int] = field(default_factory=list)  # ticks a live policy would not act on
    refusals: Counter[str] = field(default_factory=Counter)  # by reason, without its numbers
    held_images: Counter[str] = field(default_factory=Counter)  # ticks with the last one's image
    unreadable_images: Counter[str] = field(default_factory=Counter)
    instructions: set[str] = field(default_factory=set)  # what was in force, by the topic


@dataclass(frozen=True)
class Schedule:
    """When the ticks of an episode are."""

    first_s: float
    fps: int
    count: int

    def time_s(self, index: int) -> float:
        """Return the instant of a tick."""
        return self.first_s + index / self.fps


def schedule(bag: EpisodeBag, cameras: Sequence[str], fps: int, name: str) -> Schedule:
    """Lay the ticks: from when every stream has begun until joints, commands or all images end.

    A camera that falls silent does not end the episode: its last image is repeated and counted.

    Raises:
        DatasetError: a stream is missing, or there is no time that all of them share.
    """
    first, last = ({}, {}) if bag.missing else bag.edges()
    missing = bag.missing or sorted({STATE, ACTION, *cameras} - set(first))
    if missing:
        raise DatasetError(
            f'{name}: no usable messages of {", ".join(missing)}: expected state, action and the '
            'cameras of session.json, with stamps near the time of recording. Record the episode '
            'again, or delete it'
        )
    start_s = max(first.values())
    start_s += (_best_phase_s([first[camera] for camera in cameras], fps) - start_s) % (1 / fps)
    images_end_s = max((last[camera] for camera in cameras), default=math.inf)
    end_s = min(last[STATE], last[ACTION], images_end_s + 1 / fps)
    if end_s < start_s:
        raise DatasetError(
            f'{name}: the streams share no time: the last begins at {start_s:.3f} s, the first '
            f'ends at {end_s:.3f} s. Delete the episode'
        )
    return Schedule(start_s, fps, math.floor((end_s - start_s) * fps + _ROUNDING_SLACK) + 1)


def ticks(
    bag: EpisodeBag, plan: Schedule, cameras: Sequence[str], counts: EpisodeCounts
) -> Iterator[Tick]:
    """Yield the ticks of `plan` in order; hold about a second of the bag at a time.

    Raises:
        DatasetError: the bag is damaged.
    """
    samples = bag.samples(counts.streams)
    known = _Known(cameras)
    waiting = next(samples, None)
    for index in range(plan.count):
        now_s = plan.time_s(index)
        while waiting is not None and waiting.stamp_s <= now_s:
            if waiting.stream == INSTRUCTION:
                counts.instructions.add(waiting.value)
            else:
                known.add(waiting)
            waiting = next(samples, None)
        tick = known.at(index, now_s)
        counts.ticks += 1
        if tick.refused:
            counts.refused.append(index)
            counts.refusals[tick.refused.split(':')[0]] += 1
        yield tick


class _Known:
    """What has been sampled so far."""

    def __init__(self, cameras: Sequence[str]) -> None:
        self._buffer = ObservationBuffer(cameras, MAX_OBSERVATION_AGE_S, MAX_IMAGE_SKEW_S)
        self._spec = PolicySpec('recording', cameras=tuple(cameras))
        self._actions: deque[tuple[float, np.ndarray]] = deque(maxlen=_KEPT_ACTIONS)
        self._newest: dict[str, Sample] = {}

    def add(self, sample: Sample) -> None:
        self._newest[sample.stream] = sample
        if sample.stream == STATE:
            self._buffer.add_joints(sample.stamp_s, *sample.value)
        elif sample.stream == ACTION:
            self._actions.append((sample.stamp_s, sample.value[0]))
        else:
            # Encoded: the buffer chooses by stamps, and few of them are wanted as pictures.
            self._buffer.add_image(
                sample.stream, sample.stamp_s, np.asarray(sample.value, dtype=np.uint8)
            )

    def at(self, index: int, now_s: float) -> Tick:
        answer = self._buffer.observe(now_s, '', self._spec)
        if isinstance(answer, Unobservable):
            observed, refused = self._newest_of_each(), answer.reason
        else:
            observed, refused = answer, ''
        return Tick(
            index=index,
            time_s=now_s,
            stamp_s=observed.stamp_s,
            state_rad=observed.joint_position_rad,
            action_rad=self._action_at(observed.stamp_s),
            jpegs=observed.images,
            image_stamps_s=observed.image_stamps_s,
            refused=refused,
        )

    def _newest_of_each(self) -> Observation:
        """What there is, however old: a data set has a row for every tick."""
        joints = self._newest[STATE]
        images = {camera: self._newest[camera] for camera in self._spec.cameras}
        return Observation(
            stamp_s=joints.stamp_s,
            instruction='',
            joint_position_rad=joints.value[0],
            joint_velocity_rad_s=joints.value[1],
            images={name: np.asarray(image.value) for name, image in images.items()},
            image_stamps_s={name: image.stamp_s for name, image in images.items()},
        )

    def _action_at(self, stamp_s: float) -> np.ndarray:
        place = bisect_right(self._actions, stamp_s, key=lambda action: action[0])
        return self._actions[max(place - 1, 0)][1]


def _best_phase_s(first_stamps_s: Sequence[float], fps: int) -> float:
    """Return a time as far as possible from when images are taken, in the cycle of a tick.

    A tick at the very time of a camera's images would by their jitter see one image twice and
    miss the next.
    """
    period_s = 1.0 / fps
    phases = sorted(stamp_s % period_s for stamp_s in first_stamps_s)
    if not phases:
        return 0.0
    gaps = np.diff([*phases, phases[0] + period_s])
    widest = int(np.argmax(gaps))
    return phases[widest] + float(gaps[widest]) / 2
