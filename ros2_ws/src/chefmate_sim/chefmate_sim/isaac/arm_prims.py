"""The arm as an articulation: links side by side, revolute joints in degrees, servo drives."""

import math

import numpy as np
from pxr import Gf, Sdf, Usd, UsdGeom, UsdPhysics

from chefmate_core.errors import ConfigurationError
from chefmate_core.geometry import rotation_matrix
from chefmate_core.joints import ISAAC_JOINT_NAMES, JOINT_NAMES
from chefmate_description import arm as servo
from chefmate_description.build.stl import read_stl
from chefmate_description.scene import HOME_POSITION_RAD
from chefmate_description.share import urdf_path
from chefmate_sim.isaac import prims
from chefmate_sim.isaac.urdf import Arm, Joint, Link, read_urdf

ARM_NAME = 'so101'
JOINTS_NAME = 'joints'
ROOT_JOINT_NAME = 'root_joint'


def add_arm(stage: Usd.Stage, root: Sdf.Path, materials: prims.Materials) -> Arm:
    """Add the arm at home below `root` and return what was read of it."""
    arm = read_urdf(urdf_path())
    path = root.AppendChild(ARM_NAME)
    xform = prims.frame(stage, path, np.eye(4))
    UsdPhysics.ArticulationRootAPI.Apply(xform.GetPrim())
    prims.foreign_schema(
        xform.GetPrim(),
        'PhysxArticulationAPI',
        # Neighbouring boxes overlap at the joints; MuJoCo's do not see one another either.
        {'physxArticulation:enabledSelfCollisions': (Sdf.ValueTypeNames.Bool, False)},
    )
    home_rad = dict(zip(JOINT_NAMES, HOME_POSITION_RAD, strict=True))
    transforms = link_transforms(arm, home_rad)
    frames = {joint.child for joint in arm.joints if not joint.revolute}
    for link in arm.links.values():
        if link.name not in frames:
            _add_link(stage, path, link, transforms[link.name], materials)
    UsdGeom.Scope.Define(stage, path.AppendChild(JOINTS_NAME))
    _fix_to_table(stage, path, arm.root)
    for joint in arm.joints:
        if joint.revolute:
            _add_joint(stage, path, joint, home_rad[joint.name])
        else:
            _add_frame(stage, path, arm, joint)
    return arm


def link_transforms(arm: Arm, joints_rad: dict[str, float]) -> dict[str, np.ndarray]:
    """Return each link's (4, 4) in the base frame."""
    transforms = {arm.root: np.eye(4)}
    waiting = list(arm.joints)
    while waiting:
        ready = [joint for joint in waiting if joint.parent in transforms]
        if not ready:
            names = ', '.join(joint.name for joint in waiting)
            raise ConfigurationError(f'joints of the URDF that hang on no link: {names}')
        for joint in ready:
            turn = np.eye(4)
            if joint.revolute:
                half_rad = joints_rad[joint.name] / 2
                quaternion = np.array([math.cos(half_rad), *(math.sin(half_rad) * joint.axis)])
                turn[:3, :3] = rotation_matrix(quaternion)
            transforms[joint.child] = transforms[joint.parent] @ joint.transform @ turn
        waiting = [joint for joint in waiting if joint.child not in transforms]
    return transforms


def isaac_joint_name(name: str) -> str:
    """Return the name of a joint as Isaac's users have it."""
    return ISAAC_JOINT_NAMES[JOINT_NAMES.index(name)]


def _add_link(
    stage: Usd.Stage,
    arm_path: Sdf.Path,
    link: Link,
    transform: np.ndarray,
    materials: prims.Materials,
) -> None:
    path = arm_path.AppendChild(link.name)
    body = prims.rigid_body(prims.frame(stage, path, transform))
    if link.inertia is None:
        raise ConfigurationError(f'link {link.name} of the URDF has shapes but no <inertial>')
    inertia = link.inertia
    prims.set_mass(body, inertia.mass_kg, inertia.centre_m, inertia.tensor_kg_m2)
    for index, part in enumerate(link.meshes):
        name = f'look_{index}_{part.file.stem}'
        shape = prims.mesh(stage, path.AppendChild(name), part.transform, *read_stl(part.file))
        look = 'servo' if part.file.stem.startswith('sts3215') else 'printed'
        materials.paint(shape, f'{ARM_NAME}_{look}', part.colour)
    for box in link.boxes:
        shape = prims.box(stage, path.AppendChild(box.name), box.transform, box.size_m)
        shape.CreatePurposeAttr(UsdGeom.Tokens.guide)  # touches, is not drawn
        pad = box.name in servo.PAD_NAMES
        friction = servo.PAD_FRICTION[0] if pad else servo.LINK_FRICTION
        materials.make_touchable(shape, f'{ARM_NAME}_{"pad" if pad else "link"}', friction)


def _fix_to_table(stage: Usd.Stage, arm_path: Sdf.Path, base: str) -> None:
    joint = UsdPhysics.FixedJoint.Define(
        stage, arm_path.AppendChild(JOINTS_NAME).AppendChild(ROOT_JOINT_NAME)
    )
    joint.CreateBody1Rel().SetTargets([arm_path.AppendChild(base)])


def _add_frame(stage: Usd.Stage, arm_path: Sdf.Path, arm: Arm, joint: Joint) -> None:
    if not arm.links[joint.child].is_frame:
        raise ConfigurationError(
            f'link {joint.child} hangs on the fixed joint {joint.name} and has shapes; expected '
            f'a mere frame. Next: merge it into {joint.parent}'
        )
    prims.frame(stage, link_path(arm, arm_path, joint.child), joint.transform)


def link_path(arm: Arm, arm_path: Sdf.Path, name: str) -> Sdf.Path:
    """Return where a link is: bodies lie side by side, frames below what they are fixed to."""
    for joint in arm.joints:
        if joint.child == name and not joint.revolute:
            return link_path(arm, arm_path, joint.parent).AppendChild(name)
    return arm_path.AppendChild(name)


def _add_joint(stage: Usd.Stage, arm_path: Sdf.Path, joint: Joint, home_rad: float) -> None:
    if not np.array_equal(joint.axis, (0.0, 0.0, 1.0)):
        raise ConfigurationError(f'joint {joint.name} turns about {joint.axis}; expected 0 0 1')
    path = arm_path.AppendChild(JOINTS_NAME).AppendChild(isaac_joint_name(joint.name))
    prim = UsdPhysics.RevoluteJoint.Define(stage, path)
    prim.CreateBody0Rel().SetTargets([arm_path.AppendChild(joint.parent)])
    prim.CreateBody1Rel().SetTargets([arm_path.AppendChild(joint.child)])
    prim.CreateAxisAttr(UsdPhysics.Tokens.z)
    origin = prims.matrix(joint.transform)
    prim.CreateLocalPos0Attr(Gf.Vec3f(origin.ExtractTranslation()))
    prim.CreateLocalRot0Attr(Gf.Quatf(origin.ExtractRotationQuat().GetNormalized()))
    prim.CreateLocalPos1Attr(Gf.Vec3f(0.0))
    prim.CreateLocalRot1Attr(Gf.Quatf.GetIdentity())
    prim.CreateLowerLimitAttr(math.degrees(joint.lower_rad))
    prim.CreateUpperLimitAttr(math.degrees(joint.upper_rad))
    _add_servo(prim.GetPrim(), joint, home_rad)


def _add_servo(prim: Usd.Prim, joint: Joint, home_rad: float) -> None:
    """Drive the joint as the servo does: torques in Nm, angles in degrees, as USD has them."""
    drive = UsdPhysics.DriveAPI.Apply(prim, 'angular')
    drive.CreateTypeAttr(UsdPhysics.Tokens.force)
    drive.CreateStiffnessAttr(math.radians(servo.SERVO_KP_NM_PER_RAD))
    drive.CreateDampingAttr(math.radians(servo.SERVO_KV_NMS_PER_RAD))
    gripper = joint.name == 'gripper'
    drive.CreateMaxForceAttr(servo.GRIPPER_TORQUE_LIMIT_NM if gripper else servo.STALL_TORQUE_NM)
    drive.CreateTargetPositionAttr(math.degrees(home_rad))
    number = Sdf.ValueTypeNames.Float
    prims.foreign_schema(
        prim,
        'PhysxJointAPI',
        {
            'physxJoint:armature': (number, servo.SERVO_ARMATURE_KG_M2),
            # The gear train's damping only matters at full torque, where it is a top speed.
            'physxJoint:maxJointVelocity': (number, math.degrees(joint.velocity_rad_s)),
        },
    )
    prims.foreign_schema(
        prim,
        'PhysicsJointStateAPI:angular',
        {'state:angular:physics:position': (number, math.degrees(home_rad))},
    )
