"""The USD stage and MuJoCo's model of one seed are the same kitchen and the same arm."""

import math
from functools import cache

import mujoco
import numpy as np
import pytest
from pxr import Gf, Usd, UsdGeom, UsdPhysics, UsdShade

from chefmate_core.joints import ISAAC_JOINT_NAMES, JOINT_NAMES
from chefmate_description.scene import CAMERAS, SLICE_NAMES
from chefmate_sim.isaac.stage import ARM_PATH, ROOT, build_stage
from chefmate_sim.kitchen.scene_builder import arm_qpos_addresses, build_model, home_qpos
from chefmate_sim.kitchen.variation import KitchenVariation

SEEDS = (0, 1, 7, 123456)
ARM_BODIES = (
    'base',
    'shoulder',
    'upper_arm',
    'lower_arm',
    'wrist',
    'gripper',
    'moving_jaw_so101_v1',
)
BODIES = ('table', 'tray', 'plate', *SLICE_NAMES, *ARM_BODIES)
TURN = 1e-4  # of a rotation matrix: URDF and MJCF give angles with six digits
BOX, CYLINDER = mujoco.mjtGeom.mjGEOM_BOX, mujoco.mjtGeom.mjGEOM_CYLINDER


@cache
def kitchens(seed):
    """Return stage, model and data, the arm at home; read only."""
    variation = KitchenVariation.sample(seed)
    model = build_model(variation, with_looks=False)
    data = mujoco.MjData(model)
    data.qpos[:] = home_qpos(model)
    mujoco.mj_forward(model, data)
    return build_stage(variation), model, data


def prim_of(stage, body):
    path = ARM_PATH.AppendChild(f'{body}_link') if body in ARM_BODIES else ROOT.AppendChild(body)
    return stage.GetPrimAtPath(path)


def world(prim):
    """Return rotation (3, 3), translation (3,) and scale (3,) of a prim in the world."""
    matrix = np.array(UsdGeom.Xformable(prim).ComputeLocalToWorldTransform(0)).T
    scale = np.linalg.norm(matrix[:3, :3], axis=0)
    return matrix[:3, :3] / scale, matrix[:3, 3], scale


def touching(prim):
    return [one for one in Usd.PrimRange(prim) if one.HasAPI(UsdPhysics.CollisionAPI)]


def size_of(prim, scale):
    """Return MuJoCo's kind and size numbers of a shape."""
    if prim.IsA(UsdGeom.Cube):
        return BOX, UsdGeom.Cube(prim).GetSizeAttr().Get() / 2 * scale
    shape = UsdGeom.Cylinder(prim)
    assert shape.GetAxisAttr().Get() == 'Z'
    assert np.allclose(scale, 1.0)
    return CYLINDER, np.array([shape.GetRadiusAttr().Get(), shape.GetHeightAttr().Get() / 2, 0])


def friction_of(prim):
    material, _ = UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial('physics')
    physics = UsdPhysics.MaterialAPI(material)
    static, dynamic = physics.GetStaticFrictionAttr().Get(), physics.GetDynamicFrictionAttr().Get()
    assert static == dynamic
    # MuJoCo takes the larger of two surfaces' friction.
    assert material.GetPrim().GetAttribute('physxMaterial:frictionCombineMode').Get() == 'max'
    return static


@pytest.mark.parametrize('seed', SEEDS)
@pytest.mark.parametrize('body', BODIES)
def test_every_body_stands_where_mujoco_has_it(seed, body):
    stage, _, data = kitchens(seed)
    rotation, position_m, scale = world(prim_of(stage, body))
    assert position_m == pytest.approx(data.body(body).xpos, abs=1e-5)
    assert rotation == pytest.approx(data.body(body).xmat.reshape(3, 3), abs=TURN)
    assert scale == pytest.approx(np.ones(3), abs=1e-6)


@pytest.mark.parametrize('seed', SEEDS)
@pytest.mark.parametrize('body', BODIES)
def test_what_touches_has_the_place_size_and_friction_of_mujoco(seed, body):
    stage, model, data = kitchens(seed)
    body_id = model.body(body).id
    geoms = [
        index
        for index in range(model.ngeom)
        if model.geom_bodyid[index] == body_id and model.geom_contype[index]
    ]
    shapes = touching(prim_of(stage, body))
    assert len(shapes) == len(geoms) > 0
    for shape in shapes:
        rotation, position_m, scale = world(shape)
        kind, size_m = size_of(shape, scale)
        # Shapes may share a centre's place nearly; the nearest geom is used up.
        geom = min(geoms, key=lambda one: np.linalg.norm(data.geom_xpos[one] - position_m))
        geoms.remove(geom)
        assert position_m == pytest.approx(data.geom_xpos[geom], abs=1e-5), shape
        assert rotation == pytest.approx(data.geom_xmat[geom].reshape(3, 3), abs=TURN)
        assert int(kind) == model.geom_type[geom]
        assert size_m == pytest.approx(model.geom_size[geom], abs=1e-7)
        assert friction_of(shape) == pytest.approx(model.geom_friction[geom][0])


@pytest.mark.parametrize('body', [*SLICE_NAMES, *ARM_BODIES])
def test_mass_and_inertia_are_those_of_mujoco(body):
    stage, model, _ = kitchens(0)
    mass, expected = UsdPhysics.MassAPI(prim_of(stage, body)), model.body(body)
    assert mass.GetMassAttr().Get() == pytest.approx(expected.mass[0])
    assert np.array(mass.GetCenterOfMassAttr().Get()) == pytest.approx(expected.ipos, abs=1e-8)
    axes = np.array(Gf.Matrix3d(Gf.Quatd(mass.GetPrincipalAxesAttr().Get()))).T
    found = axes @ np.diag(mass.GetDiagonalInertiaAttr().Get()) @ axes.T
    turn = np.zeros(9)
    mujoco.mju_quat2Mat(turn, expected.iquat)
    turn = turn.reshape(3, 3)
    tensor = turn @ np.diag(expected.inertia) @ turn.T
    assert found == pytest.approx(tensor, abs=1e-4 * expected.inertia.max())


def joint_prim(stage, isaac_name):
    return stage.GetPrimAtPath(ARM_PATH.AppendChild('joints').AppendChild(isaac_name))


@pytest.mark.parametrize(
    ('isaac_name', 'name'), list(zip(ISAAC_JOINT_NAMES, JOINT_NAMES, strict=True))
)
def test_limits_and_servos_are_those_of_mujoco_in_degrees(isaac_name, name):
    stage, model, data = kitchens(0)
    prim = joint_prim(stage, isaac_name)
    joint, drive = UsdPhysics.RevoluteJoint(prim), UsdPhysics.DriveAPI(prim, 'angular')
    limits = [joint.GetLowerLimitAttr().Get(), joint.GetUpperLimitAttr().Get()]
    assert np.radians(limits) == pytest.approx(model.joint(name).range, abs=1e-6)
    actuator = model.actuator(name)
    assert drive.GetTypeAttr().Get() == 'force'
    assert math.degrees(drive.GetStiffnessAttr().Get()) == pytest.approx(actuator.gainprm[0])
    assert math.degrees(drive.GetDampingAttr().Get()) == pytest.approx(-actuator.biasprm[2])
    assert drive.GetMaxForceAttr().Get() == pytest.approx(actuator.forcerange[1])
    armature = prim.GetAttribute('physxJoint:armature').Get()
    assert armature == pytest.approx(model.joint(name).armature[0])
    home_rad = data.joint(name).qpos[0]
    for value in (
        drive.GetTargetPositionAttr().Get(),
        prim.GetAttribute('state:angular:physics:position').Get(),
    ):
        assert math.radians(value) == pytest.approx(home_rad, abs=1e-6)


def test_the_joints_frames_carry_every_link_to_where_mujoco_has_it():
    stage, model, data = kitchens(0)
    data = mujoco.MjData(model)
    addresses = arm_qpos_addresses(model)
    lower, upper = model.jnt_range[:6].T
    rng = np.random.default_rng(3)
    worst_m = 0.0
    for _ in range(200):
        joints_rad = rng.uniform(lower, upper)
        data.qpos[addresses] = joints_rad
        mujoco.mj_kinematics(model, data)
        poses = usd_kinematics(stage, dict(zip(ISAAC_JOINT_NAMES, joints_rad, strict=True)))
        for body in ARM_BODIES:
            pose = poses[prim_of(stage, body).GetPath()]
            worst_m = max(worst_m, np.linalg.norm(pose[:3, 3] - data.body(body).xpos))
            expected = data.body(body).xmat.reshape(3, 3)
            assert pose[:3, :3] == pytest.approx(expected, abs=TURN)
    assert worst_m < 1e-4


def usd_kinematics(stage, joints_rad):
    """Return (4, 4) of every link's path, as USD Physics defines joints: frame 0 meets frame 1."""
    prims = [joint_prim(stage, name) for name in ISAAC_JOINT_NAMES]
    poses = {ARM_PATH.AppendChild('base_link'): np.eye(4)}
    for prim in prims:  # from the base outwards
        joint = UsdPhysics.RevoluteJoint(prim)
        (parent,), (child,) = joint.GetBody0Rel().GetTargets(), joint.GetBody1Rel().GetTargets()
        axis = {'X': (1, 0, 0), 'Y': (0, 1, 0), 'Z': (0, 0, 1)}[joint.GetAxisAttr().Get()]
        turn = Gf.Rotation(Gf.Vec3d(*axis), math.degrees(joints_rad[prim.GetName()]))
        poses[child] = (
            poses[parent]
            @ local_frame(joint.GetLocalPos0Attr(), joint.GetLocalRot0Attr())
            @ np.array(Gf.Matrix4d().SetRotate(turn)).T
            @ np.linalg.inv(local_frame(joint.GetLocalPos1Attr(), joint.GetLocalRot1Attr()))
        )
    return poses


def local_frame(position, rotation):
    matrix = Gf.Matrix4d().SetRotate(Gf.Quatd(rotation.Get()))
    return np.array(matrix.SetTranslateOnly(Gf.Vec3d(position.Get()))).T


@pytest.mark.parametrize('camera', CAMERAS, ids=lambda camera: camera.name)
def test_cameras_see_what_those_of_mujoco_see(camera):
    stage, model, data = kitchens(1)
    path = ARM_PATH.AppendChild(f'{camera.parent}_link').AppendChild(f'{camera.name}_camera')
    prim = UsdGeom.Camera(stage.GetPrimAtPath(path))
    rotation, position_m, _ = world(prim.GetPrim())
    assert position_m == pytest.approx(data.camera(camera.name).xpos, abs=1e-5)
    assert rotation == pytest.approx(data.camera(camera.name).xmat.reshape(3, 3), abs=TURN)
    frustum = prim.GetCamera(0).frustum
    window = frustum.GetWindow().GetSize()
    assert window[0] / window[1] == pytest.approx(camera.width / camera.height)
    fov_deg = 2 * math.degrees(math.atan(window[1] / 2))
    assert fov_deg == pytest.approx(model.camera(camera.name).fovy[0], abs=1e-4)


def test_gravity_pulls_as_in_mujoco():
    stage, model, _ = kitchens(0)
    (scene,) = [UsdPhysics.Scene(one) for one in stage.Traverse() if one.IsA(UsdPhysics.Scene)]
    gravity = np.array(scene.GetGravityDirectionAttr().Get())
    gravity = gravity * scene.GetGravityMagnitudeAttr().Get()
    assert gravity == pytest.approx(model.opt.gravity, abs=1e-6)
