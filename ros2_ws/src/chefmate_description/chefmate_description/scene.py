"""The kitchen: one description for MuJoCo, USD, viewers and planners.

Frames: the arm's base frame lies on the table top under the arm, x ahead, y left, z up. Tray and
plate frames lie on the table top at the thing's centre. A slice's frame lies at its centre, z is
its normal. Sizes, masses and placements: ChefMate's kitchen study of 2026-11.
"""

import math
from dataclasses import dataclass

from chefmate_description.crockery import Plate, Table, Tray
from chefmate_description.food import SLICE_NAMES, SLICES, slice_named
from chefmate_description.shapes import Camera, Slice

__all__ = [
    'CAMERAS',
    'HOME_POSITION_RAD',
    'KITCHEN',
    'SCENE_CAMERA',
    'SLICES',
    'SLICE_NAMES',
    'WRIST_CAMERA',
    'Kitchen',
    'slice_named',
]

# Where the arm starts and returns to, rad, in joint order: folded over its own base, so that it
# hides nothing and, when it goes limp, has little height to lose.
HOME_POSITION_RAD = (0.0, -1.65, 1.50, 0.70, 0.0, 0.0)


@dataclass(frozen=True)
class Kitchen:
    """Everything that stands around the arm."""

    table: Table
    tray: Tray
    plate: Plate
    slices: tuple[Slice, ...]


KITCHEN = Kitchen(Table(), Tray(), Plate(), SLICES)

WRIST_CAMERA = Camera(
    'wrist', 'gripper', (0.045, 0.055, -0.010), (0.0, 0.0, -0.100), (1.0, 0.0, 0.0),
    math.radians(60),
)  # fmt: skip
SCENE_CAMERA = Camera(
    'scene', 'base', (0.66, 0.02, 0.40), (0.20, 0.0, 0.03), (0.0, 0.0, 1.0), math.radians(78)
)
CAMERAS = (WRIST_CAMERA, SCENE_CAMERA)
