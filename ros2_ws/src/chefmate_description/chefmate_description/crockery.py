"""Table, tray and plate: their sizes, and the boxes they are made of."""

import math
from dataclasses import dataclass

from chefmate_description.food import (
    BREAD_SLICE_1,
    BREAD_SLICE_2,
    CHEESE_SLICE,
    PATTY,
    slice_named,
)
from chefmate_description.shapes import Colour, OrientedBox, Placement, Slot, Vector

# Turned so that the slots face the arm, which it then enters without skew.
TRAY_PLACEMENT = Placement((0.285, -0.13), -0.45, 0.02, 0.10)
PLATE_PLACEMENT = Placement((0.27, 0.16), 0.0, 0.02, 0.0)


@dataclass(frozen=True)
class Table:
    """The table top: its upper face is the plane z = 0 of the base frame."""

    size_m: Vector = (1.20, 2.60, 0.04)
    centre_m: tuple[float, float] = (0.25, 0.0)
    friction: float = 0.6
    colour: Colour = (0.66, 0.47, 0.29)


@dataclass(frozen=True)
class Tray:
    """A holder of 2 x 2 slots whose slices lean 45 degrees, top edge towards the arm.

    Columns are 94 mm apart; rows 66 mm, which leaves room for the finger (31 mm) between a slice
    and the one behind it: pitch >= 1.41 (thickness in front + 31 mm).
    """

    placement: Placement = TRAY_PLACEMENT
    lean_rad: float = math.pi / 4
    base_size_m: tuple[float, float, float] = (0.160, 0.194, 0.006)
    column_pitch_m: float = 0.094
    row_pitch_m: float = 0.066
    support_length_m: float = 0.045  # along the slice; the rest sticks out for the gripper
    support_width_m: float = 0.084
    ledge_depth_m: float = 0.021
    sheet_m: float = 0.003  # thickness of supports, ledges and cheeks
    cheek_length_m: float = 0.030
    cheek_depth_m: float = 0.016
    cheek_offset_m: float = 0.0435
    corner_height_m: float = 0.010
    corner_offset_m: float = (
        0.024  # of a slot's corner from the middle of its row, away from the arm
    )
    friction: float = 0.3
    colour: Colour = (0.36, 0.52, 0.50)

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The four slots; the first two are the row nearer to the arm."""
        left, right = self.column_pitch_m / 2, -self.column_pitch_m / 2
        near = -self.row_pitch_m / 2 + self.corner_offset_m
        far = self.row_pitch_m / 2 + self.corner_offset_m
        z = self.corner_height_m
        return (
            Slot(BREAD_SLICE_1.name, (near, left, z)),
            Slot(CHEESE_SLICE.name, (near, right, z)),
            Slot(PATTY.name, (far, left, z)),
            Slot(BREAD_SLICE_2.name, (far, right, z)),
        )

    def slice_position_m(self, slot: Slot, gap_m: float = 0.0) -> Vector:
        """Return the centre of the slot's slice in the tray's frame, `gap_m` off both contacts.

        The slice's orientation there is a turn of `lean_rad` about the tray's y axis.
        """
        food = slice_named(slot.slice_name)
        along, above = food.width_m / 2 + gap_m, food.thickness_m / 2 + gap_m
        return self.in_slot(slot, along, 0.0, above)

    def in_slot(self, slot: Slot, along_m: float, side_m: float, above_m: float) -> Vector:
        """Return a point of the tray's frame: up the slot, to its left, off its support."""
        cos, sin = math.cos(self.lean_rad), math.sin(self.lean_rad)
        x, y, z = slot.corner_m
        return (
            x - cos * along_m + sin * above_m,
            y + side_m,
            z + sin * along_m + cos * above_m,
        )

    @property
    def parts(self) -> tuple[OrientedBox, ...]:
        """Every box of the tray, in the tray's frame."""
        base = OrientedBox((0.0, 0.0, self.base_size_m[2] / 2), self.base_size_m)
        return (base, *(part for slot in self.slots for part in self._slot_parts(slot)))

    def _slot_parts(self, slot: Slot) -> tuple[OrientedBox, ...]:
        half, length = self.sheet_m / 2, self.support_length_m

        def sheet(along, side, above, size) -> OrientedBox:
            return OrientedBox(self.in_slot(slot, along, side, above), size, self.lean_rad)

        cheek = (self.cheek_length_m, self.sheet_m, self.cheek_depth_m)
        foot_x, foot_y, foot_z = self.in_slot(slot, length * 0.7, 0.0, -self.sheet_m)
        base_top = self.base_size_m[2]
        return (
            sheet(length / 2, 0.0, -half, (length, self.support_width_m, self.sheet_m)),
            sheet(
                -half,
                0.0,
                self.ledge_depth_m / 2,
                (self.sheet_m, self.support_width_m, self.ledge_depth_m),
            ),
            sheet(self.cheek_length_m / 2, self.cheek_offset_m, self.cheek_depth_m / 2, cheek),
            sheet(self.cheek_length_m / 2, -self.cheek_offset_m, self.cheek_depth_m / 2, cheek),
            OrientedBox(
                (foot_x, foot_y, (base_top + foot_z) / 2),
                (self.sheet_m, self.support_width_m * 0.8, foot_z - base_top),
                solid=False,
            ),
        )


@dataclass(frozen=True)
class Plate:
    """A round plate with a low sloped rim of flat segments."""

    placement: Placement = PLATE_PLACEMENT
    diameter_m: float = 0.170
    base_thickness_m: float = 0.006
    rim_width_m: float = 0.018
    rim_slope_rad: float = math.radians(25)
    rim_segments: int = 20
    friction: float = 0.4
    colour: Colour = (0.88, 0.89, 0.91)

    @property
    def base_radius_m(self) -> float:
        """Radius of the flat part."""
        return self.diameter_m / 2 - self.rim_width_m * math.cos(self.rim_slope_rad)

    @property
    def rim(self) -> tuple[OrientedBox, ...]:
        """The rim's segments, in the plate's frame."""
        sheet_m = 0.004
        slope, width = self.rim_slope_rad, self.rim_width_m
        radius = self.base_radius_m + width / 2 * math.cos(slope) + sheet_m / 2 * math.sin(slope)
        height = (
            self.base_thickness_m + width / 2 * math.sin(slope) - sheet_m / 2 * math.cos(slope)
        )
        length = self.diameter_m * math.tan(math.pi / self.rim_segments)
        yaws = (2 * math.pi * i / self.rim_segments for i in range(self.rim_segments))
        return tuple(
            OrientedBox(
                (radius * math.cos(yaw), radius * math.sin(yaw), height),
                (width, length, sheet_m),
                -slope,
                yaw,
            )
            for yaw in yaws
        )
