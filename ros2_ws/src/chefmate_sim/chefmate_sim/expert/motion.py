"""Motions of the arm: straight lines of the TCP, and moves through joint space that stay clear."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np

from chefmate_core.joints import GRIPPER
from chefmate_sim.expert.config import ExpertConfig
from chefmate_sim.expert.kinematics import ArmKinematics, TcpPose, UnreachableError
from chefmate_sim.expert.trajectory import Segment, chebyshev_fractions, segment_through

_LINE_POINTS = 7  # of a straight line, solved by inverse kinematics
_CLEARANCE_SAMPLES = 25  # of a move through joint space
_COLUMN_RAD = 0.10  # of pan: so near to an end of the move, the end's own height is allowed
_BEND_M = 0.05  # by which a bent way aims higher than it must pass: it cuts its corners
_SINK_M = 0.006  # a move may dip by this much below its lower end

PAN = 0


class Motions:
    """Makes segments from joint positions and TCP poses; all positions have shape (6,)."""

    def __init__(self, arm: ArmKinematics, config: ExpertConfig) -> None:
        self.arm = arm
        self.config = config

    def posture(self, tcp: TcpPose, guess_rad: np.ndarray, jaw_rad: float) -> np.ndarray:
        """Return the joint positions for a TCP pose and a jaw angle; raise UnreachableError."""
        return np.append(self.arm.inverse(tcp, guess_rad), jaw_rad)

    def line(
        self,
        phase: str,
        start_rad: np.ndarray,
        tcp_at: Callable[[float], TcpPose],
        jaw_rad: float | None = None,
        speed: float | None = None,
    ) -> Segment:
        """Return the motion of the TCP through `tcp_at(fraction)`, fraction 0 to 1.

        Args:
            phase: what happens, for people.
            start_rad: joint positions at the start; their TCP is `tcp_at(0)`.
            tcp_at: TCP pose at a fraction of the way.
            jaw_rad: the jaw's angle at the end; None leaves it as it is.
            speed: fraction of the caps; None means contact speed.

        Raises:
            UnreachableError: part of the line is out of reach.
        """
        end_jaw_rad = start_rad[GRIPPER] if jaw_rad is None else jaw_rad
        points = [np.asarray(start_rad, float)]
        for fraction in chebyshev_fractions(_LINE_POINTS)[1:]:
            jaw = start_rad[GRIPPER] + fraction * (end_jaw_rad - start_rad[GRIPPER])
            points.append(self.posture(tcp_at(fraction), points[-1], jaw))
        speed = self.config.contact_speed if speed is None else speed
        return segment_through(phase, np.array(points), self.config.caps, speed)

    def jaw(
        self, phase: str, start_rad: np.ndarray, jaw_rad: float, speed: float = 1.0
    ) -> Segment:
        """Return the motion of the jaw alone, at a fraction of its caps."""
        end = np.array(start_rad, float)
        end[GRIPPER] = jaw_rad
        return segment_through(phase, np.array([start_rad, end]), self.config.caps, speed)

    def rise(
        self, phase: str, start_rad: np.ndarray, height_m: float, speed: float | None = None
    ) -> Segment | None:
        """Return the motion straight up until the TCP is `height_m` above the table, or nearly so.

        None if the TCP is there already, or cannot rise from where it is.
        """
        start = self.arm.forward(start_rad)
        missing_m = height_m - start.position_m[2]
        for share in (1.0, 0.75, 0.5, 0.25):
            if missing_m * share <= 0.002:
                return None
            try:
                return self.line(
                    phase, start_rad, self._column(start, missing_m * share), speed=speed
                )
            except UnreachableError:
                continue
        return None

    def move(
        self, phase: str, start_rad: np.ndarray, end_rad: np.ndarray, height_m: float
    ) -> list[Segment]:
        """Return the motion through joint space whose TCP passes at least `height_m` up.

        Near its ends, within their vertical columns, it may be as low as they are. Ways are tried
        from the fastest on: straight; bent upwards without a stop; straight up, over, down.
        """
        for controls in self._ways(start_rad, end_rad, height_m + _BEND_M):
            points = _bezier(np.array(controls), chebyshev_fractions(len(controls)))
            segment = self._through(phase, points)
            if self._is_clear(segment, height_m):
                return [segment]
        corners = [
            start_rad,
            *(self._raised(end, height_m) for end in (start_rad, end_rad)),
            end_rad,
        ]
        return [
            self._through(phase, np.array(pair))
            for pair in pairwise(corners)
            if np.max(np.abs(pair[1] - pair[0])) > 1e-3
        ]

    def _ways(
        self, start_rad: np.ndarray, end_rad: np.ndarray, height_m: float
    ) -> Iterator[list[np.ndarray]]:
        """Yield the control points of ways from start to end, the fastest first."""
        yield [start_rad, end_rad]
        over_start, over_end = (self._raised(end, height_m) for end in (start_rad, end_rad))
        yield [start_rad, (over_start + over_end) / 2, end_rad]
        yield [start_rad, over_start, end_rad]
        yield [start_rad, over_end, end_rad]
        yield [start_rad, over_start, over_end, end_rad]

    def _through(self, phase: str, points_rad: np.ndarray) -> Segment:
        return segment_through(phase, points_rad, self.config.caps, self.config.travel_speed)

    def _raised(self, position_rad: np.ndarray, height_m: float) -> np.ndarray:
        """Return the posture straight above `position_rad`, as high as the arm gets there."""
        rise = self.rise('', position_rad, height_m + 0.01)
        return np.array(position_rad if rise is None else rise.end_rad)

    def _is_clear(self, segment: Segment, height_m: float) -> bool:
        samples = segment.at_fraction(np.linspace(0.0, 1.0, _CLEARANCE_SAMPLES))
        lowest = min(self._height(samples[0]), self._height(samples[-1])) - _SINK_M
        for sample in samples:
            height = self._height(sample)
            from_ends = np.abs(samples[[0, -1], PAN] - sample[PAN])
            if height < lowest or (height < height_m and from_ends.min() > _COLUMN_RAD):
                return False
        return True

    def _height(self, position_rad: np.ndarray) -> float:
        return float(self.arm.forward(position_rad).position_m[2])

    @staticmethod
    def _column(start: TcpPose, height_m: float) -> Callable[[float], TcpPose]:
        return lambda fraction: TcpPose(
            start.position_m + np.array([0.0, 0.0, fraction * height_m]), start.rotation
        )


def _bezier(controls: np.ndarray, fractions: np.ndarray) -> np.ndarray:
    """Return points of the Bezier curve of `controls`, (N, 6), at fractions (M,): shape (M, 6)."""
    points = np.repeat(controls[None], len(fractions), axis=0)
    while points.shape[1] > 1:
        t = fractions[:, None, None]
        points = (1.0 - t) * points[:, :-1] + t * points[:, 1:]
    return points[:, 0]
