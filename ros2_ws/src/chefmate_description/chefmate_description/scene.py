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

# On the gripper's left side, looking ahead at both jaw tips from above; up in the picture is up in
# the kitchen when the wrist is not rolled.
WRIST_CAMERA = Camera(
    name='wrist',
    parent='gripper',
    position_m=(0.055, 0.070, 0.000),
    look_at_m=(0.000, -0.004, -0.115),
    up=(1.0, 0.0, 0.0),
    vertical_fov_rad=math.radians(60),
)
# Opposite the arm, above the table's far edge.
SCENE_CAMERA = Camera(
    name='scene',
    parent='base',
    position_m=(0.52, 0.01, 0.34),
    look_at_m=(0.17, 0.01, 0.03),
    up=(0.0, 0.0, 1.0),
    vertical_fov_rad=math.radians(78),
)
CAMERAS = (WRIST_CAMERA, SCENE_CAMERA)
