"""Builds MuJoCo's model of one kitchen from the description."""

import math

import mujoco
import numpy as np

from chefmate_core.geometry import Pose
from chefmate_core.joints import JOINT_NAMES
from chefmate_description.scene import CAMERAS, HOME_POSITION_RAD, KITCHEN, Kitchen
from chefmate_description.shapes import Camera, Slice
from chefmate_description.share import mjcf_path
from chefmate_sim.kitchen import looks
from chefmate_sim.kitchen.food_looks import add_slice_look
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

TIMESTEP_S = 0.002

# Contact bits (the arm has 1/6 in its MJCF): world things touch arm and food, food touches all.
_WORLD_BITS = (2, 5)
_FOOD_BITS = (4, 7)
_FOOD_SOLREF, _FOOD_SOLIMP = (0.006, 1.0), (0.95, 0.99, 0.001)


def build_model(
    variation: KitchenVariation, kitchen: Kitchen = KITCHEN, *, with_looks: bool = True
) -> mujoco.MjModel:
    """Return the compiled kitchen; `with_looks=False` leaves out what only a camera sees."""
    spec = mujoco.MjSpec.from_file(str(mjcf_path()))
    spec.modelname = 'kitchen'
    _set_options(spec)
    for camera in CAMERAS:
        _add_camera(spec, camera)
    palette = looks.Palette.add_to(spec, variation, kitchen)
    _add_table(spec, kitchen, palette)
    _add_tray(spec, variation, kitchen, palette)
    _add_plate(spec, variation, kitchen, palette)
    for food in kitchen.slices:
        _add_slice(spec, food, initial_slice_pose(food.name, variation, kitchen))
    if with_looks:
        looks.add_room(spec, variation, kitchen, palette)
    return spec.compile()


def home_qpos(model: mujoco.MjModel) -> np.ndarray:
    """Return positions, shape (nq,), with the arm at home and every slice in its slot."""
    qpos = model.qpos0.copy()
    qpos[arm_qpos_addresses(model)] = HOME_POSITION_RAD
    return qpos


def arm_qpos_addresses(model: mujoco.MjModel) -> np.ndarray:
    """Return where the arm's joints lie in qpos, shape (6,), in joint order."""
    return np.array([model.joint(name).qposadr[0] for name in JOINT_NAMES])


def _set_options(spec: mujoco.MjSpec) -> None:
    option = spec.option
    option.timestep = TIMESTEP_S
    option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    option.impratio = 10
    option.iterations = 30
    option.noslip_iterations = 0
    # Idle slices sleep: most contacts are theirs, so this doubles the speed.
    option.enableflags |= int(mujoco.mjtEnableBit.mjENBL_SLEEP)
    spec.stat.extent = 1.0  # the cameras' clipping planes are multiples of it
    spec.stat.center = (0.2, 0.0, 0.1)
    spec.visual.map.znear, spec.visual.map.zfar = 0.008, 8.0


def _add_camera(spec: mujoco.MjSpec, camera: Camera) -> None:
    # MuJoCo's camera looks along -z with y up; the optical frame along +z with y down.
    rotation = camera.optical_rotation @ np.diag([1.0, -1.0, -1.0])
    quaternion = np.zeros(4)
    mujoco.mju_mat2Quat(quaternion, rotation.flatten())
    spec.body(camera.parent).add_camera(
        name=camera.name,
        pos=camera.position_m,
        quat=quaternion,
        fovy=math.degrees(camera.vertical_fov_rad),
        resolution=(camera.width, camera.height),
    )


def _world_geom(body, friction: float, **attributes) -> None:
    contype, conaffinity = _WORLD_BITS
    body.add_geom(
        contype=contype,
        conaffinity=conaffinity,
        condim=4,
        friction=(friction, 0.005, 0.0001),
        **attributes,
    )


def _add_table(spec: mujoco.MjSpec, kitchen: Kitchen, palette: looks.Palette) -> None:
    table = kitchen.table
    _world_geom(
        spec.worldbody.add_body(name=TABLE),
        table.friction,
        name='table_top',
        type=mujoco.mjtGeom.mjGEOM_BOX,
        pos=(*table.centre_m, -table.size_m[2] / 2),
        size=np.array(table.size_m) / 2,
        material=palette.table,
    )


def _add_boxes(body, parts, friction: float, material: str) -> None:
    for part in parts:
        attributes = {
            'type': mujoco.mjtGeom.mjGEOM_BOX,
            'pos': part.centre_m,
            'quat': part.quaternion_wxyz,
            'size': np.array(part.size_m) / 2,
            'material': material,
        }
        if part.solid:
            _world_geom(body, friction, **attributes)
        else:
            body.add_geom(contype=0, conaffinity=0, **attributes)


def _add_tray(spec, variation: KitchenVariation, kitchen: Kitchen, palette) -> None:
    pose = tray_pose(variation)
    body = spec.worldbody.add_body(name=TRAY, pos=pose.position_m, quat=pose.quaternion_wxyz)
    _add_boxes(body, kitchen.tray.parts, kitchen.tray.friction, palette.tray)


def _add_plate(spec, variation: KitchenVariation, kitchen: Kitchen, palette) -> None:
    plate, pose = kitchen.plate, plate_pose(variation)
    body = spec.worldbody.add_body(name=PLATE, pos=pose.position_m, quat=pose.quaternion_wxyz)
    half = plate.base_thickness_m / 2
    _world_geom(
        body,
        plate.friction,
        name='plate_base',
        type=mujoco.mjtGeom.mjGEOM_CYLINDER,
        pos=(0, 0, half),
        size=(plate.base_radius_m + UNDER_RIM_M, half, 0),
        material=palette.plate,
    )
    _add_boxes(body, plate.rim, plate.friction, palette.plate)


def _add_slice(spec, food: Slice, pose: Pose) -> None:
    body = spec.worldbody.add_body(name=food.name, pos=pose.position_m, quat=pose.quaternion_wxyz)
    body.add_freejoint(name=food.name)
    contype, conaffinity = _FOOD_BITS
    half = (food.width_m / 2, food.thickness_m / 2)
    square = food.shape == 'square'
    body.add_geom(
        name=food.name,
        type=mujoco.mjtGeom.mjGEOM_BOX if square else mujoco.mjtGeom.mjGEOM_CYLINDER,
        size=(half[0], half[0], half[1]) if square else (half[0], half[1], 0),
        mass=food.mass_kg,
        contype=contype,
        conaffinity=conaffinity,
        condim=4,
        friction=(food.friction, 0.005, 0.0001),
        solref=_FOOD_SOLREF,
        solimp=(*_FOOD_SOLIMP, 0.5, 2.0),
        group=looks.CONTACT_GROUP,
    )
    add_slice_look(spec, body, food)


def body_pose(data: mujoco.MjData, body_id: int) -> Pose:
    """Return a copy of a body's pose in the base frame, which is the world's."""
    return Pose(data.xpos[body_id].copy(), data.xquat[body_id].copy())
