"""Smooth joint trajectories: a path through joint space, run by minimum jerk within given caps.

A path is a polynomial in its fraction s from 0 to 1. Straight Cartesian lines are sampled by
inverse kinematics at Chebyshev points, where interpolation by a polynomial converges fast: 8
points hold a 100 mm line to a few micrometres. s(t) is the minimum-jerk blend, so that every
segment starts and ends at rest and velocity and acceleration scale exactly with its duration.
"""

from dataclasses import dataclass, field, replace

import numpy as np
from numpy.polynomial import chebyshev

from chefmate_core.errors import ConfigurationError
from chefmate_core.joints import GRIPPER, JOINT_COUNT

_SAMPLES = 65  # of a segment, when its peak velocity and acceleration are measured


def _per_joint(arm: float, gripper: float) -> np.ndarray:
    values = np.full(JOINT_COUNT, arm)
    values[GRIPPER] = gripper
    values.setflags(write=False)
    return values


@dataclass(frozen=True)
class MotionCaps:
    """Largest velocity and acceleration of a plan, per joint, shape (6,).

    The safety gate downstream allows 2.0 rad/s and 12 rad/s^2 (gripper 3.0 and 30): plans stay
    below with a margin, so that the gate never has to change what the expert asks for.
    """

    velocity_rad_s: np.ndarray = field(default_factory=lambda: _per_joint(1.7, 2.6))
    acceleration_rad_s2: np.ndarray = field(default_factory=lambda: _per_joint(9.5, 25.0))

    def __post_init__(self) -> None:
        for name in ('velocity_rad_s', 'acceleration_rad_s2'):
            value = np.asarray(getattr(self, name), float)
            if value.shape != (JOINT_COUNT,) or not np.all(value > 0):
                raise ConfigurationError(
                    f'{name} needs {JOINT_COUNT} values above 0, one per joint; found {value}'
                )


def chebyshev_fractions(count: int) -> np.ndarray:
    """Return `count` fractions from 0 to 1, ends included, where a path is best sampled."""
    return (1.0 - np.cos(np.pi * np.arange(count) / (count - 1))) / 2.0


def minimum_jerk(fraction: np.ndarray) -> np.ndarray:
    """Return the minimum-jerk blend of `fraction`; both run from 0 to 1."""
    t = np.clip(fraction, 0.0, 1.0)
    return t**3 * (10.0 - 15.0 * t + 6.0 * t**2)


@dataclass(frozen=True)
class Segment:
    """A motion from rest to rest along one path."""

    phase: str  # what happens, for people
    coefficients: np.ndarray  # (degree + 1, 6) Chebyshev series over s in [0, 1]
    duration_s: float
    start_fraction: float = 0.0  # where on the path the motion begins

    @property
    def stands(self) -> bool:
        """Whether the segment is a stand of some duration, not a motion."""
        return len(self.coefficients) == 1

    @property
    def start_rad(self) -> np.ndarray:
        """Joint positions at the beginning, shape (6,)."""
        return self.at_fraction(np.array([self.start_fraction]))[0]

    @property
    def end_rad(self) -> np.ndarray:
        """Joint positions at the end, shape (6,)."""
        return self.at_fraction(np.array([1.0]))[0]

    def at_fraction(self, fraction: np.ndarray) -> np.ndarray:
        """Return joint positions, shape (T, 6), at path fractions of shape (T,)."""
        return chebyshev.chebval(2.0 * fraction - 1.0, self.coefficients).T

    def fraction_at(self, time_s: np.ndarray) -> np.ndarray:
        """Return path fractions, shape (T,), at times of shape (T,) since the segment began."""
        if self.duration_s <= 0.0:
            return np.where(np.asarray(time_s) < 0.0, self.start_fraction, 1.0)
        blend = minimum_jerk(np.asarray(time_s) / self.duration_s)
        return self.start_fraction + (1.0 - self.start_fraction) * blend

    def sample(self, time_s: np.ndarray) -> np.ndarray:
        """Return joint positions, shape (T, 6), at times of shape (T,); the ends hold outside."""
        return self.at_fraction(self.fraction_at(time_s))

    def lasting(self, duration_s: float) -> 'Segment':
        """Return the same motion in at least `duration_s`, or the same stand in just that."""
        if not self.stands:
            duration_s = max(duration_s, self.duration_s)
        return replace(self, duration_s=duration_s)

    def tail(self, fraction: float, caps: MotionCaps, speed: float = 1.0) -> 'Segment':
        """Return the rest of the path from `fraction` on, begun at rest."""
        cut = replace(self, start_fraction=float(np.clip(fraction, 0.0, 1.0)))
        return replace(cut, duration_s=_duration_s(cut, caps, speed))


def segment_through(
    phase: str, points_rad: np.ndarray, caps: MotionCaps, speed: float = 1.0
) -> Segment:
    """Return the motion through `points_rad`, shape (N, 6), lying at `chebyshev_fractions(N)`.

    Args:
        phase: what happens, for people.
        points_rad: joint positions, N >= 2; two of them make a straight line in joint space.
        caps: velocity and acceleration that no joint exceeds.
        speed: fraction of the caps to use, above 0, at most 1.
    """
    points_rad = np.asarray(points_rad, float)
    nodes = 2.0 * chebyshev_fractions(len(points_rad)) - 1.0
    coefficients = chebyshev.chebfit(nodes, points_rad, len(points_rad) - 1)
    segment = Segment(phase, coefficients, 0.0)
    return replace(segment, duration_s=_duration_s(segment, caps, speed))


def hold(phase: str, position_rad: np.ndarray, duration_s: float) -> Segment:
    """Return a segment that stays at `position_rad`, shape (6,), for `duration_s`."""
    return Segment(phase, np.asarray(position_rad, float)[None, :], duration_s)


def _duration_s(segment: Segment, caps: MotionCaps, speed: float) -> float:
    """Return the shortest duration that keeps the caps.

    Velocity falls with the duration T as 1/T and acceleration as 1/T^2, exactly, so the peaks
    of the same motion run in one second tell T.
    """
    time = np.linspace(0.0, 1.0, _SAMPLES)
    positions = replace(segment, duration_s=1.0).sample(time)
    velocity = np.gradient(positions, time, axis=0, edge_order=2)
    acceleration = np.gradient(velocity, time, axis=0, edge_order=2)
    by_velocity = np.max(np.abs(velocity) / (caps.velocity_rad_s * speed))
    by_acceleration = np.max(np.abs(acceleration) / (caps.acceleration_rad_s2 * speed))
    return float(max(by_velocity, np.sqrt(by_acceleration)))
