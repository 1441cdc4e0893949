"""Table, tray, plate and ingredients of one seed, each a rigid body right below the root."""

import numpy as np
from pxr import Sdf, Usd, UsdGeom

from chefmate_core.geometry import Pose
from chefmate_description.scene import Kitchen
from chefmate_description.shapes import Colour, OrientedBox, Slice
from chefmate_sim.isaac import prims
from chefmate_sim.kitchen.placement import (
    PLATE,
    TABLE,
    TRAY,
    UNDER_RIM_M,
    initial_slice_pose,
    plate_pose,
    tray_pose,
)
from chefmate_sim.kitchen.variation import KitchenVariation

FIXED_NAMES = (TABLE, TRAY, PLATE)


def add_kitchen(
    stage: Usd.Stage,
    root: Sdf.Path,
    materials: prims.Materials,
    variation: KitchenVariation,
    kitchen: Kitchen,
) -> None:
    """Add what stands around the arm: furniture and crockery stay, ingredients fall."""
    furniture = _Furniture(stage, root, materials)
    table = kitchen.table
    centre = np.array([*table.centre_m, -table.size_m[2] / 2])
    frame = furniture.add(TABLE, np.eye(4))
    furniture.box(frame, 'top', _at(centre), table.size_m, table.friction, variation.table_colour)

    tray = kitchen.tray
    frame = furniture.add(TRAY, prims.transform_of(tray_pose(variation)))
    furniture.boxes(frame, tray.parts, tray.friction, variation.tray_colour)

    plate = kitchen.plate
    frame = furniture.add(PLATE, prims.transform_of(plate_pose(variation)))
    height_m = plate.base_thickness_m
    base = prims.cylinder(
        stage,
        frame.AppendChild('base'),
        _at(np.array([0.0, 0.0, height_m / 2])),
        plate.base_radius_m + UNDER_RIM_M,
        height_m,
    )
    materials.paint(base, PLATE, variation.plate_colour)
    materials.make_touchable(base, PLATE, plate.friction)
    furniture.boxes(frame, plate.rim, plate.friction, variation.plate_colour)

    for food in kitchen.slices:
        pose = initial_slice_pose(food.name, variation, kitchen)
        add_slice(stage, root, materials, food, pose)


def add_slice(
    stage: Usd.Stage, root: Sdf.Path, materials: prims.Materials, food: Slice, pose: Pose
) -> None:
    """Add one ingredient: its shape is drawn and touched, with the sharp corners of contact."""
    path = root.AppendChild(food.name)
    body = prims.rigid_body(prims.frame(stage, path, prims.transform_of(pose)))
    prims.set_mass(body, food.mass_kg, np.zeros(3), slice_inertia(food))
    shape_path, size_m = path.AppendChild('shape'), food.width_m
    if food.shape == 'square':
        size = (size_m, size_m, food.thickness_m)
        shape = prims.box(stage, shape_path, np.eye(4), size)
    else:
        shape = prims.cylinder(stage, shape_path, np.eye(4), size_m / 2, food.thickness_m)
    materials.paint(shape, food.name, food.colour)
    materials.make_touchable(shape, food.name, food.friction)


def slice_inertia(food: Slice) -> np.ndarray:
    """Return the inertia of a homogeneous slice about its centre, kg m^2, shape (3, 3)."""
    width, thickness = food.width_m, food.thickness_m
    if food.shape == 'square':
        normal, edge = width**2 / 6, (width**2 + thickness**2) / 12
    else:
        normal, edge = width**2 / 8, width**2 / 16 + thickness**2 / 12
    return food.mass_kg * np.diag([edge, edge, normal])


def _at(position_m: np.ndarray) -> np.ndarray:
    transform = np.eye(4)
    transform[:3, 3] = position_m
    return transform


class _Furniture:
    """Adds bodies that stay where they are."""

    def __init__(self, stage: Usd.Stage, root: Sdf.Path, materials: prims.Materials) -> None:
        self._stage, self._root, self._materials = stage, root, materials

    def add(self, name: str, transform: np.ndarray) -> Sdf.Path:
        path = self._root.AppendChild(name)
        prims.rigid_body(prims.frame(self._stage, path, transform), kinematic=True)
        return path

    def boxes(
        self, path: Sdf.Path, parts: tuple[OrientedBox, ...], friction: float, colour: Colour
    ) -> None:
        for index, part in enumerate(parts):
            pose = Pose(np.array(part.centre_m), part.quaternion_wxyz)
            transform, solid = prims.transform_of(pose), friction if part.solid else None
            self.box(path, f'part_{index}', transform, part.size_m, solid, colour)

    def box(
        self,
        path: Sdf.Path,
        name: str,
        transform: np.ndarray,
        size_m: tuple[float, float, float],
        friction: float | None,
        colour: Colour,
    ) -> UsdGeom.Gprim:
        shape = prims.box(self._stage, path.AppendChild(name), transform, size_m)
        self._materials.paint(shape, path.name, colour)
        if friction is not None:
            self._materials.make_touchable(shape, path.name, friction)
        return shape
