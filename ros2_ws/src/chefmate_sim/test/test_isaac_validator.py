"""Each rule of the stage, broken once: the finding names the prim that breaks it."""

import pytest
from pxr import Gf, Sdf, UsdGeom, UsdPhysics, UsdUtils

from chefmate_core.errors import ConfigurationError
from chefmate_sim.isaac.stage import build_stage, open_stage, write_stage
from chefmate_sim.isaac.validator import validate
from chefmate_sim.kitchen.variation import KitchenVariation


@pytest.fixture
def stage():
    return build_stage(KitchenVariation.sample(5))


def prim(stage, path):
    found = stage.GetPrimAtPath(path)
    assert found, path
    return found


@pytest.mark.parametrize('seed', [0, 1, 2, 99])
def test_the_kitchen_of_any_seed_breaks_no_rule(seed):
    assert validate(build_stage(KitchenVariation.sample(seed))) == []


@pytest.mark.parametrize('suffix', ['usda', 'usdc', 'usd'])
def test_a_written_file_is_the_same_kitchen_and_needs_no_other_file(stage, tmp_path, suffix):
    path = tmp_path / f'kitchen.{suffix}'
    write_stage(stage, path)
    again = open_stage(path)
    assert validate(again) == []
    assert again.GetRootLayer().ExportToString() == stage.GetRootLayer().ExportToString()
    layers, assets, unresolved = UsdUtils.ComputeAllDependencies(str(path))
    assert (len(layers), assets, unresolved) == (1, [], [])
    schemas = prim(again, '/World/so101/joints/Jaw').GetMetadata('apiSchemas').GetAppliedItems()
    assert 'PhysxJointAPI' in schemas  # kept although usd-core does not know it


def in_centimetres(stage):
    UsdGeom.SetStageMetersPerUnit(stage, 0.01)


def y_up(stage):
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.y)


def in_grams(stage):
    UsdPhysics.SetStageKilogramsPerUnit(stage, 0.001)


def without_default_prim(stage):
    stage.ClearDefaultPrim()


def patty_below_the_plate(stage):
    layer = stage.GetRootLayer()
    assert Sdf.CopySpec(layer, '/World/patty', layer, '/World/plate/patty')
    stage.RemovePrim('/World/patty')


def bread_below_a_folder(stage):
    UsdGeom.Scope.Define(stage, '/World/food')
    layer = stage.GetRootLayer()
    assert Sdf.CopySpec(layer, '/World/bread_slice_1', layer, '/World/food/bread_slice_1')
    stage.RemovePrim('/World/bread_slice_1')


def no_cheese(stage):
    stage.RemovePrim('/World/cheese_slice')


def gripper_below_the_wrist(stage):
    layer = stage.GetRootLayer()
    path = '/World/so101/wrist_link/gripper_link'
    assert Sdf.CopySpec(layer, '/World/so101/gripper_link', layer, path)


def weightless_patty(stage):
    prim(stage, '/World/patty').RemoveAPI(UsdPhysics.MassAPI)


def massless_patty(stage):
    UsdPhysics.MassAPI(prim(stage, '/World/patty')).GetMassAttr().Set(0.0)


def patty_without_inertia(stage):
    mass = UsdPhysics.MassAPI(prim(stage, '/World/patty'))
    mass.GetDiagonalInertiaAttr().Set(Gf.Vec3f(1e-5, 0.0, 1e-5))


def patty_without_inertia_at_all(stage):
    prim(stage, '/World/patty').RemoveProperty('physics:diagonalInertia')


def ghostly_cheese(stage):
    prim(stage, '/World/cheese_slice/shape').RemoveAPI(UsdPhysics.CollisionAPI)


def nailed_cheese(stage):
    body = UsdPhysics.RigidBodyAPI(prim(stage, '/World/cheese_slice'))
    body.GetKinematicEnabledAttr().Set(True)


def bodiless_bread(stage):
    prim(stage, '/World/bread_slice_2').RemoveAPI(UsdPhysics.RigidBodyAPI)


def falling_table(stage):
    UsdPhysics.RigidBodyAPI(prim(stage, '/World/table')).GetKinematicEnabledAttr().Set(False)


def no_tray(stage):
    stage.RemovePrim('/World/tray')


def scaled_plate(stage):
    UsdGeom.Xformable(prim(stage, '/World/plate')).AddScaleOp().Set(Gf.Vec3f(1.0, 1.0, 1.1))


def joint_on_nothing(stage):
    joint = UsdPhysics.Joint(prim(stage, '/World/so101/joints/Elbow'))
    joint.GetBody1Rel().ClearTargets(False)


def joint_on_a_shape(stage):
    joint = UsdPhysics.Joint(prim(stage, '/World/so101/joints/Elbow'))
    joint.GetBody0Rel().SetTargets(['/World/so101/upper_arm_link/upper_arm_box'])


def joint_on_what_is_not_there(stage):
    joint = UsdPhysics.Joint(prim(stage, '/World/so101/joints/root_joint'))
    joint.GetBody1Rel().SetTargets(['/World/so101/pedestal'])


def urdf_joint_name(stage):
    layer = stage.GetRootLayer()
    assert Sdf.CopySpec(
        layer, '/World/so101/joints/Jaw', layer, '/World/so101/joints/gripper_joint'
    )
    stage.RemovePrim('/World/so101/joints/Jaw')


def joint_without_drive(stage):
    prim(stage, '/World/so101/joints/Pitch').RemoveAPI(UsdPhysics.DriveAPI, 'angular')


def no_articulation(stage):
    prim(stage, '/World/so101').RemoveAPI(UsdPhysics.ArticulationRootAPI)


def second_articulation(stage):
    UsdPhysics.ArticulationRootAPI.Apply(prim(stage, '/World/tray'))


def link_without_mass(stage):
    prim(stage, '/World/so101/wrist_link').RemoveAPI(UsdPhysics.MassAPI)


def blind_wrist(stage):
    stage.RemovePrim('/World/so101/gripper_link/wrist_camera')


def no_physics(stage):
    stage.RemovePrim('/World/physics')


def lost_material(stage):
    stage.RemovePrim('/World/materials/patty_surface')


@pytest.mark.parametrize(
    ('breaks', 'rule', 'path'),
    [
        (in_centimetres, 'metres', '/'),
        (y_up, 'up-axis', '/'),
        (in_grams, 'kilograms', '/'),
        (without_default_prim, 'default-prim', '/'),
        (patty_below_the_plate, 'nested-rigid-body', '/World/plate/patty'),
        (patty_below_the_plate, 'ingredient-below-root', '/World/plate/patty'),
        (bread_below_a_folder, 'ingredient-below-root', '/World/food/bread_slice_1'),
        (no_cheese, 'ingredient-below-root', '/World/cheese_slice'),
        (gripper_below_the_wrist, 'nested-rigid-body', '/World/so101/wrist_link/gripper_link'),
        (weightless_patty, 'mass', '/World/patty'),
        (massless_patty, 'mass', '/World/patty'),
        (patty_without_inertia, 'mass', '/World/patty'),
        (patty_without_inertia_at_all, 'mass', '/World/patty'),
        (ghostly_cheese, 'collision', '/World/cheese_slice'),
        (nailed_cheese, 'dynamic', '/World/cheese_slice'),
        (bodiless_bread, 'dynamic', '/World/bread_slice_2'),
        (falling_table, 'kinematic', '/World/table'),
        (no_tray, 'kinematic', '/World/tray'),
        (scaled_plate, 'scaled-rigid-body', '/World/plate'),
        (joint_on_nothing, 'joint-body', '/World/so101/joints/Elbow'),
        (joint_on_a_shape, 'joint-body', '/World/so101/joints/Elbow'),
        (joint_on_what_is_not_there, 'joint-body', '/World/so101/joints/root_joint'),
        (urdf_joint_name, 'joint-names', '/World/so101'),
        (joint_without_drive, 'drive', '/World/so101/joints/Pitch'),
        (no_articulation, 'articulation', '/World'),
        (second_articulation, 'articulation', '/World'),
        (link_without_mass, 'mass', '/World/so101/wrist_link'),
        (blind_wrist, 'camera', '/World'),
        (no_physics, 'physics-scene', '/World'),
        (lost_material, 'dangling', '/World/patty/shape'),
    ],
)
def test_a_broken_rule_is_named_with_its_prim(stage, breaks, rule, path):
    breaks(stage)
    assert (rule, path) in [(finding.rule, finding.prim) for finding in validate(stage)]


def test_a_finding_reads_as_a_sentence(stage):
    falling_table(stage)
    (finding,) = validate(stage)
    assert str(finding).startswith('/World/table: the table is not a kinematic rigid body')


@pytest.mark.parametrize(
    ('name', 'said'),
    [('kitchen.obj', 'ends in .usd'), ('nowhere/kitchen.usda', 'there is no folder')],
)
def test_a_file_that_cannot_be_written_says_why(stage, tmp_path, name, said):
    with pytest.raises(ConfigurationError, match=said):
        write_stage(stage, tmp_path / name)


def test_what_is_no_stage_is_refused(tmp_path):
    with pytest.raises(ConfigurationError, match='there is no file'):
        open_stage(tmp_path / 'kitchen.usda')
    (tmp_path / 'notes.usda').write_text('buy bread')
    with pytest.raises(ConfigurationError, match='cannot be read as USD'):
        open_stage(tmp_path / 'notes.usda')
