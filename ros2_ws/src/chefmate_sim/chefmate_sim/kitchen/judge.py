"""Decides whether an instruction was carried out, from true poses only.

It knows neither policy nor plan: the slices of the goal lie flat on the plate, one on the other
in the order asked for, the arm has let go, and nothing else was disturbed.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from chefmate_core.errors import ConfigurationError
from chefmate_core.geometry import Pose
from chefmate_description.scene import KITCHEN, SLICE_NAMES, slice_named
from chefmate_sim.kitchen.scene_builder import PLATE

# Source of these three: ChefMate's kitchen study of 2026-11.
CENTRE_LIMIT_M = 0.025
TILT_LIMIT_RAD = math.radians(8.0)
NEIGHBOUR_LIMIT_M = 0.006
# Lying and not hanging in the air: a slice tilted by the limit, one edge on the rim, is 5.6 mm up.
HEIGHT_LIMIT_M = 0.008


@dataclass(frozen=True)
class PlacedSlice:
    """How one slice of the goal lies."""

    name: str
    centre_error_m: float  # horizontal distance of its centre from the plate's
    tilt_rad: float  # between its normal and the vertical; either face may be up
    height_error_m: float  # of its centre above where it lies on what is below it


@dataclass(frozen=True)
class Verdict:
    """The judgement, with every number it rests on."""

    success: bool
    unmet: tuple[str, ...]  # one sentence each; empty on success
    placed: tuple[PlacedSlice, ...]  # bottom to top
    neighbour_motion_m: Mapping[str, float]  # of every slice that is not in the goal
    touched: tuple[str, ...]  # slices the arm touches


def judge(
    goal: Sequence[str],
    before: Mapping[str, Pose],
    after: Mapping[str, Pose],
    touched: Collection[str],
) -> Verdict:
    """Return the verdict on a goal.

    Args:
        goal: slices that must lie on the plate, bottom to top, each once.
        before: object poses when the task began, with `plate`, in the arm's base frame.
        after: object poses now.
        touched: names of the slices the arm touches now.

    Slices that lay on the plate already when the task began are part of the pile below the goal.

    Raises:
        ConfigurationError: the goal is empty, repeats a slice or names one that does not exist.
    """
    _check_goal(goal)
    placed, unmet = [], []
    support_m = _plate_top_m(after) + sum(
        slice_named(name).thickness_m for name in _already_on_plate(goal, before)
    )
    for name in goal:
        slice_ = _placed(name, after, support_m)
        placed.append(slice_)
        unmet += _complaints(slice_)
        support_m += slice_named(name).thickness_m
    unmet += [
        f'{upper} lies below {lower}; the instruction puts it above'
        for lower, upper in pairwise(goal)
        if not after[upper].position_m[2] > after[lower].position_m[2]
    ]
    motion_m = {name: _motion_m(before, after, name) for name in SLICE_NAMES if name not in goal}
    unmet += [
        f'{name} was moved by {moved_m * 1e3:.1f} mm; allowed are less than '
        f'{NEIGHBOUR_LIMIT_M * 1e3:.0f} mm'
        for name, moved_m in motion_m.items()
        if not moved_m < NEIGHBOUR_LIMIT_M
    ]
    unmet += [f'the arm still touches {name}' for name in sorted(touched)]
    return Verdict(not unmet, tuple(unmet), tuple(placed), motion_m, tuple(sorted(touched)))


def _check_goal(goal: Sequence[str]) -> None:
    unknown = [name for name in goal if name not in SLICE_NAMES]
    if isinstance(goal, str) or not goal or unknown or len(set(goal)) != len(goal):
        raise ConfigurationError(
            f'a goal is a sequence of different slices, bottom to top, out of '
            f'{", ".join(SLICE_NAMES)}; found {goal!r}'
        )


def _plate_top_m(poses: Mapping[str, Pose]) -> float:
    return float(poses[PLATE].position_m[2]) + KITCHEN.plate.base_thickness_m


def _already_on_plate(goal: Sequence[str], before: Mapping[str, Pose]) -> list[str]:
    return [
        name
        for name in SLICE_NAMES
        if name not in goal
        and _centre_error_m(before, name) < KITCHEN.plate.base_radius_m
        and _tilt_rad(before[name]) < TILT_LIMIT_RAD
    ]


def _placed(name: str, poses: Mapping[str, Pose], support_m: float) -> PlacedSlice:
    height_m = float(poses[name].position_m[2])
    expected_m = support_m + slice_named(name).thickness_m / 2
    return PlacedSlice(
        name, _centre_error_m(poses, name), _tilt_rad(poses[name]), height_m - expected_m
    )


def _complaints(placed: PlacedSlice) -> list[str]:
    """Return what is wrong; written so that a NaN passes no test."""
    complaints = []
    if not placed.centre_error_m < CENTRE_LIMIT_M:
        complaints.append(
            f'{placed.name} lies {placed.centre_error_m * 1e3:.1f} mm from the centre of the '
            f'plate; allowed are less than {CENTRE_LIMIT_M * 1e3:.0f} mm'
        )
    if not placed.tilt_rad < TILT_LIMIT_RAD:
        complaints.append(
            f'{placed.name} is tilted by {math.degrees(placed.tilt_rad):.1f} degrees; allowed '
            f'are less than {math.degrees(TILT_LIMIT_RAD):.0f}'
        )
    if not abs(placed.height_error_m) < HEIGHT_LIMIT_M:
        complaints.append(
            f'{placed.name} is {placed.height_error_m * 1e3:+.1f} mm from the height at which it '
            f'lies on what the instruction puts below it; allowed are '
            f'{HEIGHT_LIMIT_M * 1e3:.0f} mm'
        )
    return complaints


def _centre_error_m(poses: Mapping[str, Pose], name: str) -> float:
    offset = poses[name].position_m - poses[PLATE].position_m
    return float(np.hypot(offset[0], offset[1]))


def _tilt_rad(pose: Pose) -> float:
    return float(np.arccos(np.clip(abs(pose.rotation[2, 2]), 0.0, 1.0)))


def _motion_m(before: Mapping[str, Pose], after: Mapping[str, Pose], name: str) -> float:
    return float(np.linalg.norm(after[name].position_m - before[name].position_m))
