"""Puts the streams of sensors together into one observation of one instant."""

import threading
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from chefmate_core.geometry import Pose
from chefmate_core.policy.protocol import Observation, PolicySpec

JOINTS = 'joint_states'
OBJECTS = 'objects'


@dataclass(frozen=True)
class Unobservable:
    """Why there is no observation now."""

    reason: str


class _Stream:
    """The newest samples of one sensor, in order of their stamps."""

    def __init__(self, kept: int) -> None:
        self._samples: deque[tuple[float, Any]] = deque(maxlen=kept)

    def add(self, stamp_s: float, value: Any) -> None:
        if self._samples and stamp_s <= self._samples[-1][0]:
            if self._samples[-1][0] - stamp_s < 1.0:
                return  # late or repeated
            self._samples.clear()  # the clock was set back
        self._samples.append((stamp_s, value))

    @property
    def newest_s(self) -> float:
        return self._samples[-1][0] if self._samples else -np.inf

    def nearest(self, stamp_s: float) -> tuple[float, Any]:
        stamps = [sample[0] for sample in self._samples]
        index = bisect_left(stamps, stamp_s)
        around = self._samples[max(0, index - 1)], self._samples[min(index, len(stamps) - 1)]
        return min(around, key=lambda sample: abs(sample[0] - stamp_s))


class ObservationBuffer:
    """Collects stamped samples and returns the newest instant that all needed sensors saw.

    Threads add while another observes. Stamps are seconds of the node's clock at acquisition.
    """

    def __init__(
        self, cameras: Iterable[str], max_age_s: float, max_image_skew_s: float = 0.1
    ) -> None:
        """Refuse observations whose stalest sensor was seen more than `max_age_s` ago.

        Also those where an image that the policy needs was taken more than `max_image_skew_s`
        before or after the instant.
        """
        self._max_age_s, self._max_image_skew_s = max_age_s, max_image_skew_s
        self._lock = threading.Lock()
        # One second of joints at 100 Hz; a few frames: they are large.
        self._joints = _Stream(100)
        self._objects = _Stream(30)
        self._images = {camera: _Stream(4) for camera in cameras}
        self._speed = 1.0

    def add_joints(
        self, stamp_s: float, position_rad: np.ndarray, velocity_rad_s: np.ndarray
    ) -> None:
        """Add measured joints, shape (6,) each."""
        with self._lock:
            self._joints.add(stamp_s, (position_rad, velocity_rad_s))

    def add_objects(self, stamp_s: float, poses: Mapping[str, Pose]) -> None:
        """Add the privileged poses of a simulation."""
        with self._lock:
            self._objects.add(stamp_s, poses)

    def set_speed(self, speed: float) -> None:
        """Take the speed that the arm's driver allows, 0..1."""
        with self._lock:
            self._speed = speed

    def add_image(self, camera: str, stamp_s: float, image: np.ndarray) -> None:
        """Add a frame, uint8 rgb (H, W, 3), of a camera named at construction."""
        with self._lock:
            self._images[camera].add(stamp_s, image)

    def observe(
        self, now_s: float, instruction: str, spec: PolicySpec
    ) -> Observation | Unobservable:
        """Return the newest observation that has what `spec` needs, or why there is none."""
        with self._lock:
            needed = {JOINTS: self._joints}
            if spec.needs_objects:
                needed[OBJECTS] = self._objects
            for camera in spec.cameras:
                if camera not in self._images:
                    known = ', '.join(self._images) or 'none'
                    return Unobservable(f'the policy needs camera {camera!r}; there is: {known}')
                needed[f'camera {camera}'] = self._images[camera]
            for name, stream in needed.items():
                age_s = now_s - stream.newest_s
                if not age_s <= self._max_age_s:
                    seen = 'never seen' if np.isinf(age_s) else f'{age_s:.2f} s old'
                    return Unobservable(f'{name}: {seen}, allowed {self._max_age_s:g} s')
            # The newest instant that every needed sensor has reached.
            stamp_s = min(stream.newest_s for stream in needed.values())
            joints_s, (position_rad, velocity_rad_s) = self._joints.nearest(stamp_s)
            images = {
                camera: stream.nearest(stamp_s)
                for camera, stream in self._images.items()
                if np.isfinite(stream.newest_s)
            }
            objects = self._objects.nearest(stamp_s)[1] if spec.needs_objects else {}
        for camera in spec.cameras:
            skew_s = abs(images[camera][0] - joints_s)
            if not skew_s <= self._max_image_skew_s:
                return Unobservable(
                    f'camera {camera}: its image nearest to the other sensors is {skew_s:.2f} s '
                    f'away, allowed {self._max_image_skew_s:g} s'
                )
        return Observation(
            stamp_s=joints_s,
            instruction=instruction,
            joint_position_rad=position_rad,
            joint_velocity_rad_s=velocity_rad_s,
            images={camera: image for camera, (_, image) in images.items()},
            image_stamps_s={camera: stamp for camera, (stamp, _) in images.items()},
            objects=objects,
            speed=self._speed,
        )
