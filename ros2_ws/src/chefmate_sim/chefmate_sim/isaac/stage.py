"""Writes the kitchen of one seed as a USD stage for Isaac Sim."""

from pathlib import Path

from pxr import Gf, Sdf, Tf, Usd, UsdGeom, UsdPhysics

from chefmate_core.errors import ConfigurationError
from chefmate_description.scene import CAMERAS, KITCHEN, Kitchen
from chefmate_sim.isaac import prims
from chefmate_sim.isaac.arm_prims import ARM_NAME, add_arm
from chefmate_sim.isaac.camera_prims import add_camera, add_lamps
from chefmate_sim.isaac.kitchen_prims import add_kitchen
from chefmate_sim.kitchen.variation import KitchenVariation

ROOT = Sdf.Path('/World')
ARM_PATH = ROOT.AppendChild(ARM_NAME)
SUFFIXES = ('.usd', '.usda', '.usdc')
_GRAVITY_M_S2 = 9.81


def build_stage(variation: KitchenVariation, kitchen: Kitchen = KITCHEN) -> Usd.Stage:
    """Return the kitchen: metres, kilograms, z up, everything below `/World`."""
    stage = Usd.Stage.CreateInMemory()
    UsdGeom.SetStageMetersPerUnit(stage, 1.0)
    UsdGeom.SetStageUpAxis(stage, UsdGeom.Tokens.z)
    UsdPhysics.SetStageKilogramsPerUnit(stage, 1.0)
    stage.SetDefaultPrim(UsdGeom.Xform.Define(stage, ROOT).GetPrim())
    scene = UsdPhysics.Scene.Define(stage, ROOT.AppendChild('physics'))
    scene.CreateGravityDirectionAttr(Gf.Vec3f(0.0, 0.0, -1.0))
    scene.CreateGravityMagnitudeAttr(_GRAVITY_M_S2)
    materials = prims.Materials(
        stage, UsdGeom.Scope.Define(stage, ROOT.AppendPath('materials')).GetPath()
    )
    add_kitchen(stage, ROOT, materials, variation, kitchen)
    add_arm(stage, ROOT, materials)
    for camera in CAMERAS:
        add_camera(stage, ARM_PATH, camera)
    add_lamps(stage, ROOT, variation)
    return stage


def write_stage(stage: Usd.Stage, path: Path) -> None:
    """Write the stage as one file that needs no other; `.usda` is text.

    Raises:
        ConfigurationError: the name has another ending, or the file cannot be written.
    """
    if path.suffix not in SUFFIXES:
        raise ConfigurationError(f'{path}: expected a name that ends in {" ".join(SUFFIXES)}')
    if not path.parent.is_dir():
        raise ConfigurationError(f'{path}: there is no folder {path.parent}. Next: make it')
    if not stage.GetRootLayer().Export(str(path)):
        raise ConfigurationError(
            f'{path} cannot be written. Next: see whether you may write there'
        )


def open_stage(path: Path) -> Usd.Stage:
    """Open a stage.

    Raises:
        ConfigurationError: there is no such file, or it is not USD.
    """
    if not path.is_file():
        raise ConfigurationError(f'there is no file {path}. Next: chefmate sim usd {path}')
    try:
        return Usd.Stage.Open(str(path))
    except Tf.ErrorException as error:
        raise ConfigurationError(
            f'{path} cannot be read as USD. Next: write it again, chefmate sim usd {path}'
        ) from error
