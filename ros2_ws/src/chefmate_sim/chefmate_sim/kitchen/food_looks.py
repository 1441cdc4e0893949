"""How slices look: a prism in the edge's colour, faces inside it, and marks on the faces."""

import math

import mujoco
import numpy as np

from chefmate_description.shapes import Slice, Vector
from chefmate_sim.kitchen.looks import LOOK_GROUP

_ARC_STEPS = 6  # points per rounded corner
_PROUD_M = 0.0003  # how far one layer of paint stands above the one below it

# Holes of a cheese of width 1: x, y, radius.
_HOLES = ((-0.24, 0.20, 0.085), (0.15, 0.27, 0.055), (0.26, -0.10, 0.095), (-0.08, -0.22, 0.065),
          (-0.32, -0.28, 0.040), (0.05, 0.05, 0.035))  # fmt: skip
_GRILL_LINES = 4
_GRILL_LINE_WIDTH_M = 0.004


def add_slice_look(spec, body, food: Slice) -> None:
    """Draw one slice: its outline as a prism in the edge's colour, and its faces inside it."""
    radius_m = food.corner_radius_m if food.shape == 'square' else food.width_m / 2
    rim_m = 0.004 if food.thickness_m > 0.006 else 0.0015
    edge_mesh = _add_prism(
        spec, f'{food.name}_edge', food.width_m, radius_m, food.thickness_m - 2 * _PROUD_M
    )
    face_mesh = _add_prism(
        spec,
        f'{food.name}_face',
        food.width_m - 2 * rim_m,
        max(radius_m - rim_m, 0.002),
        food.thickness_m,
    )
    for mesh, material in ((edge_mesh, f'{food.name}_edge'), (face_mesh, food.name)):
        _paint(body, material, type=mujoco.mjtGeom.mjGEOM_MESH, meshname=mesh)
    if food.marks == 'holes':
        _add_holes(body, food)
    elif food.marks == 'grill':
        _add_grill(body, food, food.width_m / 2 - 2 * rim_m)


def _paint(body, material: str, **attributes) -> None:
    body.add_geom(
        material=material, contype=0, conaffinity=0, mass=0, group=LOOK_GROUP, **attributes
    )


def _add_holes(body, food: Slice) -> None:
    half_m = food.thickness_m / 2 + _PROUD_M
    for x, y, radius in _HOLES:
        _paint(
            body,
            f'{food.name}_marks',
            type=mujoco.mjtGeom.mjGEOM_CYLINDER,
            pos=(x * food.width_m, y * food.width_m, 0.0),
            size=(radius * food.width_m, half_m, 0.0),
        )


def _add_grill(body, food: Slice, radius_m: float) -> None:
    for line in range(_GRILL_LINES):
        y = (line - (_GRILL_LINES - 1) / 2) * 2 * radius_m / _GRILL_LINES
        size: Vector = (
            math.sqrt(radius_m**2 - y**2),
            _GRILL_LINE_WIDTH_M / 2,
            food.thickness_m / 2 + _PROUD_M,
        )
        _paint(
            body,
            f'{food.name}_marks',
            type=mujoco.mjtGeom.mjGEOM_BOX,
            pos=(0.0, y, 0.0),
            size=size,
        )


def _add_prism(spec, name: str, width_m: float, radius_m: float, height_m: float) -> str:
    """Add the mesh of a square prism with rounded edges; a round one if the radius is half."""
    outline = _rounded_square(width_m, radius_m)
    count = len(outline)
    bottom = np.column_stack([outline, np.full(count, -height_m / 2)])
    top = np.column_stack([outline, np.full(count, height_m / 2)])
    centres = [[0, 0, -height_m / 2], [0, 0, height_m / 2]]
    this, after = np.arange(count), np.roll(np.arange(count), -1)
    faces = np.concatenate([
        np.column_stack([this, after, this + count]),
        np.column_stack([after, after + count, this + count]),
        np.column_stack([after, this, np.full(count, 2 * count)]),
        np.column_stack([this + count, after + count, np.full(count, 2 * count + 1)]),
    ])  # fmt: skip
    mesh = spec.add_mesh(name=name)
    mesh.uservert = np.concatenate([bottom, top, centres]).flatten()
    mesh.userface = faces.astype(np.int32).flatten()
    return name


def _rounded_square(width_m: float, radius_m: float) -> np.ndarray:
    """Return the outline's points against the clock, shape (N, 2), m."""
    inner = width_m / 2 - radius_m
    steps = _ARC_STEPS if radius_m < width_m / 3 else 2 * _ARC_STEPS
    points = []
    for quarter, (x, y) in enumerate([(1, 1), (-1, 1), (-1, -1), (1, -1)]):
        for angle in np.linspace(0, math.pi / 2, steps) + quarter * math.pi / 2:
            points.append([x * inner + radius_m * math.cos(angle),
                           y * inner + radius_m * math.sin(angle)])  # fmt: skip
    # A disc's quarters share their end points; a mesh must not have them twice.
    unique = [p for p, q in zip(points, points[-1:] + points[:-1], strict=True)
              if math.dist(p, q) > 1e-6]  # fmt: skip
    return np.array(unique)
