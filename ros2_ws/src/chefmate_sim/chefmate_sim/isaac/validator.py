"""Says which prim of a stage breaks which rule of a kitchen that Isaac Sim can simulate."""

from collections.abc import Iterator
from dataclasses import dataclass

from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics

from chefmate_core.joints import ISAAC_JOINT_NAMES
from chefmate_description.scene import CAMERAS, SLICE_NAMES
from chefmate_sim.isaac.kitchen_prims import FIXED_NAMES

SCALE_TOLERANCE = 1e-6


@dataclass(frozen=True)
class Finding:
    """One prim that breaks one rule."""

    rule: str
    prim: str  # path; '/' is the stage itself
    message: str

    def __str__(self) -> str:
        return f'{self.prim}: {self.message} [{self.rule}]'


def validate(stage: Usd.Stage) -> list[Finding]:
    """Return what is wrong with the stage, in its order; nothing if all is well."""
    findings = list(_units(stage))
    root = stage.GetDefaultPrim()
    if not root:
        return [*findings, Finding('default-prim', '/', 'no defaultPrim; expected /World')]
    for check in (_rigid_bodies, _ingredients, _fixed_things, _joints, _arm, _cameras, _physics):
        findings += check(root)
    return findings


def _units(stage: Usd.Stage) -> Iterator[Finding]:
    metres = UsdGeom.GetStageMetersPerUnit(stage)
    if metres != 1.0:
        message = f'metersPerUnit is {metres:g}; expected 1: the arm is described in metres'
        yield Finding('metres', '/', message)
    if UsdGeom.GetStageUpAxis(stage) != UsdGeom.Tokens.z:
        axis = UsdGeom.GetStageUpAxis(stage)
        yield Finding('up-axis', '/', f'upAxis is {axis}; expected Z, as on every topic')
    kilograms = UsdPhysics.GetStageKilogramsPerUnit(stage)
    if kilograms != 1.0:
        yield Finding('kilograms', '/', f'kilogramsPerUnit is {kilograms:g}; expected 1')


def _below(root: Usd.Prim) -> Iterator[Usd.Prim]:
    return iter(Usd.PrimRange(root))


def _is_body(prim: Usd.Prim) -> bool:
    return prim.HasAPI(UsdPhysics.RigidBodyAPI)


def _path(prim: Usd.Prim) -> str:
    return str(prim.GetPath())


def _rigid_bodies(root: Usd.Prim) -> Iterator[Finding]:
    for prim in _below(root):
        if not _is_body(prim):
            continue
        above = prim.GetParent()
        while above and not _is_body(above):
            above = above.GetParent()
        if above:
            yield Finding(
                'nested-rigid-body',
                _path(prim),
                f'a rigid body below the rigid body {above.GetPath()}: PhysX drops or tears '
                f'apart one of them. Next: make it a child of {root.GetPath()}',
            )
        scale = Gf.Transform(UsdGeom.Xformable(prim).ComputeLocalToWorldTransform(0)).GetScale()
        if any(abs(factor - 1.0) > SCALE_TOLERANCE for factor in scale):
            factors = ' '.join(f'{factor:g}' for factor in scale)
            message = f'a rigid body scaled by {factors}; expected 1 1 1: scale its shapes instead'
            yield Finding('scaled-rigid-body', _path(prim), message)


def _ingredients(root: Usd.Prim) -> Iterator[Finding]:
    for name in SLICE_NAMES:
        path = root.GetPath().AppendChild(name)
        prim = root.GetStage().GetPrimAtPath(path)
        if prim:
            yield from _ingredient(prim)
            continue
        strays = [_path(one) for one in _below(root) if one.GetName() == name]
        found = f'it is at {", ".join(strays)}' if strays else 'it is nowhere'
        message = f'no ingredient of this name right below {root.GetPath()}; {found}'
        yield Finding('ingredient-below-root', strays[0] if strays else str(path), message)


def _ingredient(prim: Usd.Prim) -> Iterator[Finding]:
    if not _is_body(prim):
        yield Finding('dynamic', _path(prim), 'an ingredient without PhysicsRigidBodyAPI')
    elif UsdPhysics.RigidBodyAPI(prim).GetKinematicEnabledAttr().Get():
        yield Finding('dynamic', _path(prim), 'a kinematic ingredient; nothing could lift it')
    yield from _mass(prim)
    yield from _collision(prim)


def _mass(prim: Usd.Prim) -> Iterator[Finding]:
    mass = UsdPhysics.MassAPI(prim)
    if not prim.HasAPI(UsdPhysics.MassAPI) or not (mass.GetMassAttr().Get() or 0.0) > 0.0:
        message = 'no mass; PhysX would make one up from the volume and the density of water'
        yield Finding('mass', _path(prim), message)
    elif not all(moment > 0.0 for moment in mass.GetDiagonalInertiaAttr().Get()):
        yield Finding('mass', _path(prim), 'its inertia has a moment that is not positive')


def _collision(prim: Usd.Prim) -> Iterator[Finding]:
    if not any(one.HasAPI(UsdPhysics.CollisionAPI) for one in _below(prim)):
        message = 'no shape with PhysicsCollisionAPI: it would fall through the table'
        yield Finding('collision', _path(prim), message)


def _fixed_things(root: Usd.Prim) -> Iterator[Finding]:
    for name in FIXED_NAMES:
        prim = root.GetStage().GetPrimAtPath(root.GetPath().AppendChild(name))
        if not prim:
            path = str(root.GetPath().AppendChild(name))
            yield Finding('kinematic', path, f'there is no {name} right below {root.GetPath()}')
            continue
        if not _is_body(prim) or not UsdPhysics.RigidBodyAPI(prim).GetKinematicEnabledAttr().Get():
            message = f'the {name} is not a kinematic rigid body: it would be pushed away'
            yield Finding('kinematic', _path(prim), message)
        yield from _collision(prim)


def _joints(root: Usd.Prim) -> Iterator[Finding]:
    for prim in _below(root):
        if not prim.IsA(UsdPhysics.Joint):
            continue
        joint = UsdPhysics.Joint(prim)
        for name, relation, needed in (
            ('body0', joint.GetBody0Rel(), prim.IsA(UsdPhysics.RevoluteJoint)),
            ('body1', joint.GetBody1Rel(), True),
        ):
            targets = relation.GetTargets()
            if needed and not targets:
                yield Finding('joint-body', _path(prim), f'physics:{name} names no body')
            for target in targets:
                body = prim.GetStage().GetPrimAtPath(target)
                if not body or not _is_body(body):
                    message = f'physics:{name} is {target}, which is no rigid body'
                    yield Finding('joint-body', _path(prim), message)


def _arm(root: Usd.Prim) -> Iterator[Finding]:
    arms = [one for one in _below(root) if one.HasAPI(UsdPhysics.ArticulationRootAPI)]
    if len(arms) != 1:
        found = ', '.join(_path(one) for one in arms) or 'none'
        message = f'expected one prim with PhysicsArticulationRootAPI; found {found}'
        yield Finding('articulation', _path(root), message)
        return
    joints = {one.GetName(): one for one in _below(arms[0]) if one.IsA(UsdPhysics.RevoluteJoint)}
    if set(joints) != set(ISAAC_JOINT_NAMES):
        expected, found = ' '.join(ISAAC_JOINT_NAMES), ' '.join(joints) or 'none'
        message = f'its revolute joints are {found}; expected {expected}'
        yield Finding('joint-names', _path(arms[0]), message)
    for joint in joints.values():
        if not joint.HasAPI(UsdPhysics.DriveAPI, 'angular'):
            yield Finding('drive', _path(joint), 'no PhysicsDriveAPI:angular: commands do nothing')
    for link in _below(arms[0]):
        if _is_body(link):
            yield from _mass(link)


def _cameras(root: Usd.Prim) -> Iterator[Finding]:
    found = {one.GetName() for one in _below(root) if one.IsA(UsdGeom.Camera)}
    for camera in CAMERAS:
        name = f'{camera.name}_camera'
        if name not in found:
            yield Finding('camera', _path(root), f'there is no camera {name} below it')


def _physics(root: Usd.Prim) -> Iterator[Finding]:
    if not any(one.IsA(UsdPhysics.Scene) for one in _below(root)):
        yield Finding('physics-scene', _path(root), 'no PhysicsScene below it: nothing would fall')
    for prim in _below(root):
        for relation in prim.GetRelationships():
            for target in relation.GetTargets():
                if not _exists(root.GetStage(), target):
                    message = f'{relation.GetName()} names {target}, which is not there'
                    yield Finding('dangling', _path(prim), message)


def _exists(stage: Usd.Stage, target: Sdf.Path) -> bool:
    return bool(stage.GetObjectAtPath(target))
