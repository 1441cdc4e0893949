"""How the kitchen looks: materials, textures, and the geometry that only cameras see."""

import math
from dataclasses import dataclass

import mujoco
import numpy as np

from chefmate_description.scene import Kitchen
from chefmate_description.shapes import Colour, Slice
from chefmate_sim.kitchen import textures
from chefmate_sim.kitchen.variation import KitchenVariation

CONTACT_GROUP = 3  # of geoms for contact only, which no camera draws
LOOK_GROUP = 2

_ARC_STEPS = 6  # segments per rounded corner


@dataclass(frozen=True)
class Palette:
    """Names of the materials in the model."""

    table: str = 'table'
    tray: str = 'tray'
    plate: str = 'plate'
    wall: str = 'wall'
    tiles: str = 'tiles'

    @classmethod
    def add_to(cls, spec, variation: KitchenVariation, kitchen: Kitchen) -> 'Palette':
        """Add the kitchen's materials to the model and return their names."""
        palette = cls()
        rng = np.random.default_rng(variation.texture_seed)
        _textured(spec, palette.table, textures.wood(rng, variation.table_colour), repeat=(2, 2))
        _textured(spec, palette.tiles, textures.tiles(rng), repeat=(6, 6))
        _plain(spec, palette.tray, variation.tray_colour, specular=0.3)
        _plain(spec, palette.plate, variation.plate_colour, specular=0.6)
        _plain(spec, palette.wall, (0.80, 0.78, 0.72))
        for food in kitchen.slices:
            _plain(spec, food.name, food.colour)
            _plain(spec, f'{food.name}_edge', food.edge_colour)
        return palette


def _plain(spec, name: str, colour: Colour, specular: float = 0.1) -> None:
    spec.add_material(name=name, rgba=(*colour, 1.0), specular=specular, shininess=0.4)


def _textured(spec, name: str, image: np.ndarray, repeat: tuple[float, float]) -> None:
    height, width, channels = image.shape
    texture = spec.add_texture(
        name=name,
        type=mujoco.mjtTexture.mjTEXTURE_2D,
        width=width,
        height=height,
        nchannel=channels,
    )
    texture.data = image.tobytes()
    material = spec.add_material(name=name, specular=0.1, shininess=0.3, texrepeat=repeat)
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = name


def add_room(spec, variation: KitchenVariation, kitchen: Kitchen, palette: Palette) -> None:
    """Add light and walls."""
    headlight = spec.visual.headlight
    ambient, diffuse = variation.ambient_intensity, variation.light_intensity
    headlight.ambient = (ambient,) * 3
    headlight.diffuse = (0.25,) * 3
    headlight.specular = (0.05,) * 3
    spec.worldbody.add_light(
        name='lamp',
        type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
        pos=(0.25, 0.0, 1.5),
        dir=variation.light_direction,
        diffuse=(diffuse, diffuse * 0.97, diffuse * 0.90),  # a warm lamp
        specular=(0.2, 0.2, 0.2),
        castshadow=False,
    )


def add_slice_look(spec, body, food: Slice, palette: Palette) -> None:
    """Draw one slice: its outline as a prism in the edge's colour, and its faces inside it."""
    radius_m = food.corner_radius_m if food.shape == 'square' else food.width_m / 2
    rim_m = 0.004 if food.thickness_m > 0.006 else 0.0015
    edge_mesh = _add_prism(
        spec, f'{food.name}_edge', food.width_m, radius_m, food.thickness_m - 0.0006
    )
    face_mesh = _add_prism(
        spec,
        f'{food.name}_face',
        food.width_m - 2 * rim_m,
        max(radius_m - rim_m, 0.002),
        food.thickness_m,
    )
    for mesh, material in ((edge_mesh, f'{food.name}_edge'), (face_mesh, food.name)):
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_MESH,
            meshname=mesh,
            material=material,
            contype=0,
            conaffinity=0,
            mass=0,
            group=LOOK_GROUP,
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
