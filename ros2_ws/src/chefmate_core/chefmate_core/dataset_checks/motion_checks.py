"""Checks of what the arm does in an episode: idle heads, and joints where they cannot be."""

from collections.abc import Iterator

import numpy as np

from chefmate_core.dataset_checks.episode_data import EpisodeData
from chefmate_core.dataset_checks.findings import Finding, Repairs, Where
from chefmate_core.joints import (
    GRIPPER,
    JOINT_COUNT,
    JOINT_NAMES,
    LOWER_LIMITS_RAD,
    UPPER_LIMITS_RAD,
)

# A policy that learns from an idle head begins by standing still, and may never stop doing so
# (NVIDIA/Isaac-GR00T, issue 137).
MOST_IDLE_S = 1.0
MOVED = 2.0  # LeRobot's units: 1 % of a joint's range, or 2 degrees
_RANGE_SLACK = 0.5  # of the ranged units, by rounding
_DEGREES_SLACK = 10.0  # calibrated middles are seldom the mechanical ones
_MOST_RAD = 3.3  # no joint of the arm goes further, in rad
_LEAST_SPAN = 0.2  # rad: an arm that moves less says nothing about its units


def first_motion_row(state: np.ndarray) -> int | None:
    """Return the first row in which a joint has moved from where it was, or None."""
    moved = np.any(np.abs(state - state[0]) > MOVED, axis=1)
    return int(np.argmax(moved)) if moved.any() else None


def check_idle_head(episode: EpisodeData, repairs: Repairs) -> Iterator[Finding]:
    """Yield an episode that begins with standing still, or is nothing else."""
    if not episode.length or not np.isfinite(episode.state).all():
        return
    where = Where(episode.file, episode.number)
    row = first_motion_row(episode.state)
    if row is None:
        yield Finding(
            'no-motion',
            where,
            f'no joint moves in {episode.duration_s:.1f} s',
            f'a joint that moves by more than {MOVED:g} units',
            repairs.delete(episode.number),
        )
    elif row / episode.fps > MOST_IDLE_S:
        yield Finding(
            'idle-head',
            Where(episode.file, episode.number, row),
            f'the arm first moves after {row / episode.fps:.1f} s',
            f'at most {MOST_IDLE_S:g} s',
            f'record the episode again, or leave it out: {repairs.delete(episode.number)}',
        )


class RangeCheck:
    """Checks the joints of all episodes against the convention that they seem to be in.

    A LeRobot data set does not say its units. Ranged values (-100..100) are clipped by whoever
    wrote them, so values beyond mean degrees, in at least a hundredth of the rows.
    """

    def __init__(self, repairs: Repairs) -> None:
        self._repairs = repairs
        self._rows: list[tuple[Where, str, np.ndarray]] = []

    def add(self, episode: EpisodeData) -> None:
        """Take an episode of the arm; others are passed over."""
        for what, values in (('state', episode.state), ('action', episode.action)):
            if values.ndim == 2 and values.shape[1] == JOINT_COUNT and len(values):
                finite = np.where(np.isfinite(values), values, 0.0)
                self._rows.append((Where(episode.file, episode.number), what, finite))

    def findings(self) -> Iterator[Finding]:
        """Yield what all episodes together show."""
        if not self._rows:
            return
        everything = np.concatenate([values for _, _, values in self._rows])
        span = np.ptp(everything, axis=0).max()
        if span > _LEAST_SPAN and np.abs(everything).max() < _MOST_RAD:
            yield Finding(
                'wrong-units',
                Where('data'),
                f'all values between {everything.min():.2f} and {everything.max():.2f}',
                "LeRobot's units: -100..100 or degrees, gripper 0..100; these look like rad",
                'convert the recording again, or scale the columns state and action',
            )
            return
        beyond = np.any(np.abs(everything[:, :GRIPPER]) > 100.0 + _RANGE_SLACK, axis=1).mean()
        in_degrees = beyond > 0.01
        low = np.full(JOINT_COUNT, -100.0 - _RANGE_SLACK)
        high = np.full(JOINT_COUNT, 100.0 + _RANGE_SLACK)
        if in_degrees:
            low = np.degrees(LOWER_LIMITS_RAD) - _DEGREES_SLACK
            high = np.degrees(UPPER_LIMITS_RAD) + _DEGREES_SLACK
        low[GRIPPER], high[GRIPPER] = -_RANGE_SLACK, 100.0 + _RANGE_SLACK
        unit = 'degrees' if in_degrees else 'of -100..100'
        for where, what, values in self._rows:
            yield from outside(where, what, values, low, high, unit, self._repairs)


def outside(
    where: Where,
    what: str,
    values: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    unit: str,
    repairs: Repairs,
) -> Iterator[Finding]:
    """Yield the joint of an episode that is furthest outside its limits, if one is."""
    excess = np.maximum(low - values, values - high)
    if not np.any(excess > 0):
        return
    row, joint = np.unravel_index(int(np.argmax(excess)), excess.shape)
    rows = int(np.any(excess > 0, axis=1).sum())
    yield Finding(
        'joint-outside-calibration',
        Where(where.file, where.episode, int(row)),
        f'{what} of {JOINT_NAMES[joint]} at {values[row, joint]:.2f} {unit} ({rows} rows)',
        f'{low[joint]:.2f} to {high[joint]:.2f}',
        'another calibration was in force, or a servo lost count: calibrate (`chefmate calibrate '
        f'follower`) and record again, or: {repairs.delete(where.episode or 0)}',
    )
