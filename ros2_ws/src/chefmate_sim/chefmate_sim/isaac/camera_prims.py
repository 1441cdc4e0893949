"""The two cameras, and the lamps they see by."""

import math

import numpy as np
from pxr import Gf, Sdf, Usd, UsdGeom, UsdLux

from chefmate_description.shapes import Camera
from chefmate_sim.isaac import prims
from chefmate_sim.kitchen.variation import KitchenVariation

# Only its ratio to the focal length counts: this is the aperture a new camera of USD has, and it
# is in tenths of a scene unit.
HORIZONTAL_APERTURE = 20.955
CLIPPING_M = (0.008, 8.0)
# A lamp of 1.0 in MuJoCo is a lit white surface; chosen by eye from Isaac's default of 1000.
_LAMP_LUX, _SKY_LUX = 3000.0, 1000.0


def camera_path(arm_path: Sdf.Path, camera: Camera) -> Sdf.Path:
    """Return where a camera is: below the link it is screwed to."""
    return arm_path.AppendChild(f'{camera.parent}_link').AppendChild(f'{camera.name}_camera')


def add_camera(stage: Usd.Stage, arm_path: Sdf.Path, camera: Camera) -> None:
    """Add a pinhole camera, without depth of field."""
    prim = UsdGeom.Camera.Define(stage, camera_path(arm_path, camera))
    # USD's cameras look along -z with y up; the optical frame along +z with y down.
    transform = np.eye(4)
    transform[:3, :3] = camera.optical_rotation @ np.diag([1.0, -1.0, -1.0])
    transform[:3, 3] = camera.position_m
    prims.place(prim, transform)
    vertical = HORIZONTAL_APERTURE * camera.height / camera.width
    prim.CreateProjectionAttr(UsdGeom.Tokens.perspective)
    prim.CreateHorizontalApertureAttr(HORIZONTAL_APERTURE)
    prim.CreateVerticalApertureAttr(vertical)
    prim.CreateFocalLengthAttr(vertical / 2 / math.tan(camera.vertical_fov_rad / 2))
    prim.CreateClippingRangeAttr(Gf.Vec2f(*CLIPPING_M))
    prim.CreateFStopAttr(0.0)


def add_lamps(stage: Usd.Stage, root: Sdf.Path, variation: KitchenVariation) -> None:
    """Add the seed's lamp and the light of the room."""
    lamp = UsdLux.DistantLight.Define(stage, root.AppendChild('lamp'))
    lamp.CreateIntensityAttr(_LAMP_LUX * variation.light_intensity)
    lamp.CreateColorAttr(Gf.Vec3f(1.0, 0.97, 0.90))
    prims.place(lamp, _shining_along(np.array(variation.light_direction)))
    sky = UsdLux.DomeLight.Define(stage, root.AppendChild('sky'))
    sky.CreateIntensityAttr(_SKY_LUX * variation.ambient_intensity)


def _shining_along(direction: np.ndarray) -> np.ndarray:
    """Return a frame, (4, 4), whose -z, along which USD's lamps shine, is `direction`."""
    z = -direction / np.linalg.norm(direction)
    x = np.cross([0.0, 1.0, 0.0], z)
    x /= np.linalg.norm(x)
    transform = np.eye(4)
    transform[:3, :3] = np.column_stack([x, np.cross(z, x), z])
    return transform
