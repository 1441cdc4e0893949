"""Table, tray, plate and food as coloured meshes, from the kitchen's description."""

import numpy as np

from chefmate.viewer.scene.shapes import Mesh, box, circle, joined, prism, rounded_square
from chefmate_description.crockery import Plate, Table, Tray
from chefmate_description.scene import KITCHEN, Kitchen
from chefmate_description.shapes import Colour, OrientedBox, Slice

# A thing's parts, each with its colour, in the thing's frame.
Parts = tuple[tuple[Mesh, Colour], ...]

# Drawn only so far around the arm: the whole table would be the picture.
TABLE_SHOWN_M = (0.72, 0.86)
TABLE_SHOWN_CENTRE_M = (0.19, 0.0)
TABLE_CORNER_M = 0.05

UNDER_RIM_M = 0.003  # the plate's base reaches under its rim, so that no gap shows
RIM_M = 0.004  # width of a crust on a thick slice
THIN_RIM_M = 0.0015
PROUD_M = 0.0004  # how far one layer of paint stands above the one below it

# Holes of a cheese of width 1: x, y, radius.
HOLES = ((-0.24, 0.20, 0.085), (0.15, 0.27, 0.055), (0.26, -0.10, 0.095), (-0.08, -0.22, 0.065),
         (-0.32, -0.28, 0.040), (0.05, 0.05, 0.035))  # fmt: skip
GRILL_LINES, GRILL_LINE_WIDTH_M = 4, 0.004


def things(kitchen: Kitchen = KITCHEN) -> dict[str, Parts]:
    """Return what `kitchen/objects` places, by its name there."""
    return {
        'tray': _tray(kitchen.tray),
        'plate': _plate(kitchen.plate),
        **{food.name: _food(food) for food in kitchen.slices},
    }


def table(description: Table = KITCHEN.table) -> Parts:
    """Return the part of the table around the arm; its upper face is z = 0 of the base frame."""
    width, depth = TABLE_SHOWN_M
    height = description.size_m[2]
    outline = rounded_square(1.0, TABLE_CORNER_M / min(width, depth)) * (width, depth)
    top = prism(outline, height).moved((*TABLE_SHOWN_CENTRE_M, -height / 2 - PROUD_M))
    return ((top, description.colour),)


def _tray(tray: Tray) -> Parts:
    return ((joined(box(part) for part in tray.parts), tray.colour),)


def _plate(plate: Plate) -> Parts:
    base = prism(circle(plate.base_radius_m + UNDER_RIM_M), plate.base_thickness_m)
    rim = joined(box(part) for part in plate.rim)
    return ((joined((base.moved((0.0, 0.0, plate.base_thickness_m / 2)), rim)), plate.colour),)


def _food(food: Slice) -> Parts:
    """Return an outline in the edge's colour, the faces inside it, and what marks the faces."""
    rim = RIM_M if food.thickness_m > 0.006 else THIN_RIM_M
    square = food.shape == 'square'

    def outline(inset_m: float) -> np.ndarray:
        if square:
            radius = max(food.corner_radius_m - inset_m, 0.002)
            return rounded_square(food.width_m - 2 * inset_m, radius)
        return circle(food.width_m / 2 - inset_m)

    parts = [
        (prism(outline(0.0), food.thickness_m - 2 * PROUD_M), food.edge_colour),
        (prism(outline(rim), food.thickness_m), food.colour),
    ]
    marks = _marks(food, food.width_m / 2 - 2 * rim)
    if marks:
        red, green, blue = food.colour
        parts.append((joined(marks), (red * 0.8, green * 0.66, blue * 0.6)))
    return tuple(parts)


def _marks(food: Slice, radius_m: float) -> list[Mesh]:
    height = food.thickness_m + 2 * PROUD_M
    if food.marks == 'holes':
        width = food.width_m
        return [
            prism(circle(radius * width, 20), height).moved((x * width, y * width, 0.0))
            for x, y, radius in HOLES
        ]
    if food.marks == 'grill':
        spots = (np.arange(GRILL_LINES) + 0.5) / GRILL_LINES * 2 * radius_m - radius_m
        return [
            box(
                OrientedBox(
                    (0.0, float(y), 0.0),
                    (2 * float(np.sqrt(radius_m**2 - y**2)), GRILL_LINE_WIDTH_M, height),
                )
            )
            for y in spots
        ]
    return []
