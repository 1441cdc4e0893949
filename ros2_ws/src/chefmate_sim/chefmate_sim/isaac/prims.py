"""What every part of the stage is made of: frames, shapes, materials, rigid bodies."""

from dataclasses import dataclass

import numpy as np
from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics, UsdShade

from chefmate_core.geometry import Pose
from chefmate_description.shapes import Colour


def matrix(transform: np.ndarray) -> Gf.Matrix4d:
    """Return USD's matrix, which multiplies rows, of a (4, 4) that multiplies columns."""
    return Gf.Matrix4d(*np.asarray(transform, dtype=float).T.flatten().tolist())


def transform_of(pose: Pose) -> np.ndarray:
    """Return the pose as a (4, 4)."""
    transform = np.eye(4)
    transform[:3, :3], transform[:3, 3] = pose.rotation, pose.position_m
    return transform


def place(prim: UsdGeom.Xformable, transform: np.ndarray, scale: np.ndarray | None = None) -> None:
    """Put a prim at `transform` (4, 4) of its parent: translate, orient, and scale if given."""
    rigid = matrix(transform)
    prim.ClearXformOpOrder()
    prim.AddTranslateOp().Set(rigid.ExtractTranslation())
    quaternion = rigid.ExtractRotationQuat().GetNormalized()
    prim.AddOrientOp(UsdGeom.XformOp.PrecisionDouble).Set(quaternion)
    if scale is not None:
        prim.AddScaleOp().Set(Gf.Vec3f(*(float(edge) for edge in scale)))


def frame(stage: Usd.Stage, path: Sdf.Path, transform: np.ndarray) -> UsdGeom.Xform:
    """Add a frame at `transform` (4, 4) of its parent."""
    xform = UsdGeom.Xform.Define(stage, path)
    place(xform, transform)
    return xform


def rigid_body(xform: UsdGeom.Xform, *, kinematic: bool = False) -> Usd.Prim:
    """Make a frame a rigid body; a kinematic one stays where it is put."""
    UsdPhysics.RigidBodyAPI.Apply(xform.GetPrim()).CreateKinematicEnabledAttr(kinematic)
    return xform.GetPrim()


def set_mass(prim: Usd.Prim, mass_kg: float, centre_m: np.ndarray, tensor: np.ndarray) -> None:
    """State mass, centre (3,) and inertia about it, kg m^2 (3, 3), in the prim's axes."""
    moments, axes = np.linalg.eigh(tensor)
    axes[:, 2] *= np.linalg.det(axes)  # right-handed
    turn = np.eye(4)
    turn[:3, :3] = axes
    mass = UsdPhysics.MassAPI.Apply(prim)
    mass.CreateMassAttr(mass_kg)
    mass.CreateCenterOfMassAttr(Gf.Vec3f(*(float(value) for value in centre_m)))
    mass.CreateDiagonalInertiaAttr(Gf.Vec3f(*(float(value) for value in moments)))
    mass.CreatePrincipalAxesAttr(Gf.Quatf(matrix(turn).ExtractRotationQuat().GetNormalized()))


def box(stage: Usd.Stage, path: Sdf.Path, transform: np.ndarray, size_m) -> UsdGeom.Gprim:
    """Add a box with full edges `size_m` (3,) around `transform`."""
    cube = UsdGeom.Cube.Define(stage, path)
    cube.CreateSizeAttr(1.0)
    cube.CreateExtentAttr([Gf.Vec3f(-0.5), Gf.Vec3f(0.5)])
    place(cube, transform, np.asarray(size_m, dtype=float))
    return cube


def cylinder(
    stage: Usd.Stage, path: Sdf.Path, transform: np.ndarray, radius_m: float, height_m: float
) -> UsdGeom.Gprim:
    """Add a cylinder along z around `transform`."""
    shape = UsdGeom.Cylinder.Define(stage, path)
    shape.CreateAxisAttr(UsdGeom.Tokens.z)
    shape.CreateRadiusAttr(radius_m)
    shape.CreateHeightAttr(height_m)
    corner = Gf.Vec3f(radius_m, radius_m, height_m / 2)
    shape.CreateExtentAttr([-corner, corner])
    place(shape, transform)
    return shape


def mesh(
    stage: Usd.Stage,
    path: Sdf.Path,
    transform: np.ndarray,
    vertices_m: np.ndarray,
    faces: np.ndarray,
) -> UsdGeom.Gprim:
    """Add triangles: vertices (V, 3), faces (F, 3)."""
    shape = UsdGeom.Mesh.Define(stage, path)
    shape.CreateSubdivisionSchemeAttr(UsdGeom.Tokens.none)
    shape.CreatePointsAttr(vertices_m.astype(np.float32))
    shape.CreateFaceVertexCountsAttr(np.full(len(faces), 3, np.int32))
    shape.CreateFaceVertexIndicesAttr(faces.astype(np.int32).flatten())
    lower, upper = vertices_m.min(axis=0), vertices_m.max(axis=0)
    shape.CreateExtentAttr([Gf.Vec3f(*map(float, lower)), Gf.Vec3f(*map(float, upper))])
    place(shape, transform)
    return shape


@dataclass(frozen=True)
class Materials:
    """Adds materials below one scope and binds them."""

    stage: Usd.Stage
    scope: Sdf.Path

    def paint(self, gprim: UsdGeom.Gprim, name: str, colour: Colour) -> None:
        """Show a shape in `colour`, also where materials are not drawn."""
        path = self.scope.AppendChild(f'{name}_look')
        material = UsdShade.Material.Define(self.stage, path)
        shader = UsdShade.Shader.Define(self.stage, path.AppendChild('surface'))
        shader.CreateIdAttr('UsdPreviewSurface')
        shader.CreateInput('diffuseColor', Sdf.ValueTypeNames.Color3f).Set(Gf.Vec3f(*colour))
        shader.CreateInput('roughness', Sdf.ValueTypeNames.Float).Set(0.6)
        material.CreateSurfaceOutput().ConnectToSource(shader.ConnectableAPI(), 'surface')
        gprim.CreateDisplayColorAttr([Gf.Vec3f(*colour)])
        UsdShade.MaterialBindingAPI.Apply(gprim.GetPrim()).Bind(material)

    def make_touchable(self, gprim: UsdGeom.Gprim, name: str, friction: float) -> None:
        """Let a shape collide, with the same friction while it sticks and while it slides."""
        path = self.scope.AppendChild(f'{name}_surface')
        material = UsdShade.Material.Define(self.stage, path)
        physics = UsdPhysics.MaterialAPI.Apply(material.GetPrim())
        physics.CreateStaticFrictionAttr(friction)
        physics.CreateDynamicFrictionAttr(friction)
        physics.CreateRestitutionAttr(0.0)
        # Of two surfaces the rougher counts, as in MuJoCo; PhysX alone would take the mean.
        foreign_schema(
            material.GetPrim(),
            'PhysxMaterialAPI',
            {'physxMaterial:frictionCombineMode': (Sdf.ValueTypeNames.Token, 'max')},
        )
        UsdPhysics.CollisionAPI.Apply(gprim.GetPrim())
        UsdShade.MaterialBindingAPI.Apply(gprim.GetPrim()).Bind(
            material, UsdShade.Tokens.weakerThanDescendants, 'physics'
        )


def foreign_schema(prim: Usd.Prim, schema: str, values: dict[str, tuple]) -> None:
    """Apply a schema of PhysX, which usd-core does not carry: name -> (type, value)."""
    prim.AddAppliedSchema(schema)
    for name, (kind, value) in values.items():
        prim.CreateAttribute(name, kind, custom=False).Set(value)
