"""How the kitchen looks: materials, textures, and the geometry that only cameras see."""

import math
from dataclasses import dataclass

import mujoco
import numpy as np

from chefmate_description.scene import Kitchen
from chefmate_description.shapes import Colour, Vector
from chefmate_sim.kitchen import textures
from chefmate_sim.kitchen.variation import KitchenVariation

CONTACT_GROUP = 3  # of geoms for contact only, which no camera draws
LOOK_GROUP = 2

_SHADOW_LAYERS = 2  # each costs two milliseconds of a pair of pictures
_SHADOW_REACH_M = 0.012


@dataclass(frozen=True)
class Palette:
    """Names of the materials in the model."""

    table: str = 'table'
    tray: str = 'tray'
    plate: str = 'plate'
    wall: str = 'wall'
    tiles: str = 'tiles'
    floor: str = 'floor'
    shadow: str = 'shadow'

    @classmethod
    def add_to(cls, spec, variation: KitchenVariation, kitchen: Kitchen) -> 'Palette':
        """Add the kitchen's materials to the model and return their names."""
        palette = cls()
        rng = np.random.default_rng(variation.texture_seed)
        _textured(spec, palette.table, textures.wood(rng, variation.table_colour), repeat=(2, 2))
        _textured(spec, palette.tiles, textures.tiles(rng), repeat=(16, 16))
        _plain(spec, palette.tray, variation.tray_colour, specular=0.3)
        _plain(spec, palette.plate, variation.plate_colour, specular=0.6)
        _plain(spec, palette.wall, (0.80, 0.78, 0.72))
        _plain(spec, palette.floor, (0.45, 0.42, 0.40))
        spec.add_material(name=palette.shadow, rgba=(0.05, 0.03, 0.02, 0.18), specular=0.0)
        for food in kitchen.slices:
            _plain(spec, food.name, food.colour)
            _plain(spec, f'{food.name}_edge', food.edge_colour)
            red, green, blue = food.colour
            _plain(spec, f'{food.name}_marks', (red * 0.8, green * 0.66, blue * 0.6))
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
    """Add the lamp, a tiled wall behind the table, and the room around it."""
    headlight = spec.visual.headlight
    headlight.ambient = (variation.ambient_intensity,) * 3
    headlight.diffuse = (0.32,) * 3
    headlight.specular = (0.05,) * 3
    lamp = variation.light_intensity
    spec.worldbody.add_light(
        name='lamp',
        type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
        pos=(0.25, 0.0, 1.5),
        dir=variation.light_direction,
        diffuse=(lamp, lamp * 0.97, lamp * 0.90),  # a warm lamp
        specular=(0.2, 0.2, 0.2),
        castshadow=False,
    )
    _add_walls(spec, kitchen, palette)
    # Real shadow maps triple the time of a picture; these stand for them where things stand.
    tray, plate = kitchen.tray, kitchen.plate
    _add_soft_shadow(spec.body('tray'), palette, tray.base_size_m[0] / 2, tray.base_size_m[1] / 2)
    _add_soft_shadow(spec.body('plate'), palette, plate.base_radius_m)


def _add_walls(spec, kitchen: Kitchen, palette: Palette) -> None:
    room = spec.worldbody.add_body(name='room')
    table = kitchen.table
    back_m = table.centre_m[0] - table.size_m[0] / 2
    splash_m = 0.64  # height of the tiles
    # A texture lies on a box's x-y plane, so the tiles are a lying box stood upright.
    _block(
        room,
        palette.tiles,
        (back_m - 0.02, 0.0, splash_m / 2 - table.size_m[2]),
        (splash_m, table.size_m[1], 0.04),
        quat=(math.sqrt(0.5), 0.0, math.sqrt(0.5), 0.0),
    )
    for material, centre_m, size_m in (
        (palette.wall, (back_m - 0.05, 0.0, 0.6), (0.02, 5.0, 3.0)),
        (palette.wall, (2.6, 0.0, 0.6), (0.02, 5.0, 3.0)),
        (palette.wall, (1.1, 2.4, 0.6), (3.2, 0.02, 3.0)),
        (palette.wall, (1.1, -2.4, 0.6), (3.2, 0.02, 3.0)),
        (palette.floor, (1.1, 0.0, -0.91), (3.2, 5.0, 0.02)),
    ):
        _block(room, material, centre_m, size_m)


def _add_soft_shadow(
    body, palette: Palette, half_x_m: float, half_y_m: float | None = None
) -> None:
    """Darken the table around a thing's foot: a disc, or a rectangle if `half_y_m` is given."""
    for layer in range(_SHADOW_LAYERS):
        grown_m = _SHADOW_REACH_M * (layer + 1) / _SHADOW_LAYERS
        height_m = 0.0002 * (layer + 1)
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_CYLINDER if half_y_m is None else mujoco.mjtGeom.mjGEOM_BOX,
            pos=(0.0, 0.0, height_m / 2),
            size=(
                (half_x_m + grown_m, height_m / 2, 0.0)
                if half_y_m is None
                else (half_x_m + grown_m, half_y_m + grown_m, height_m / 2)
            ),
            material=palette.shadow,
            contype=0,
            conaffinity=0,
            mass=0,
            group=LOOK_GROUP,
        )


def _block(body, material: str, centre_m: Vector, size_m: Vector, **attributes) -> None:
    body.add_geom(
        type=mujoco.mjtGeom.mjGEOM_BOX,
        pos=centre_m,
        size=np.array(size_m) / 2,
        material=material,
        contype=0,
        conaffinity=0,
        group=LOOK_GROUP,
        **attributes,
    )
