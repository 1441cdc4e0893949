"""Named poses of a simulation as `sensor_msgs/MultiDOFJointState`, and back."""

from collections.abc import Mapping

import numpy as np
from builtin_interfaces.msg import Time
from geometry_msgs.msg import Quaternion, Transform, Vector3
from sensor_msgs.msg import MultiDOFJointState

from chefmate_core.geometry import Pose, wxyz_to_xyzw, xyzw_to_wxyz


def objects_message(stamp: Time, frame_id: str, poses: Mapping[str, Pose]) -> MultiDOFJointState:
    """Return named poses: the standard message that carries names with transforms."""
    message = MultiDOFJointState()
    message.header.stamp = stamp
    message.header.frame_id = frame_id
    message.joint_names = list(poses)
    for pose in poses.values():
        x, y, z = map(float, pose.position_m)
        qx, qy, qz, qw = map(float, wxyz_to_xyzw(pose.quaternion_wxyz))
        message.transforms.append(
            Transform(
                translation=Vector3(x=x, y=y, z=z),
                rotation=Quaternion(x=qx, y=qy, z=qz, w=qw),
            )
        )
    return message


def object_poses(message: MultiDOFJointState) -> dict[str, Pose]:
    """Return the poses by name, in the frame of the message's header."""
    poses = {}
    for name, transform in zip(message.joint_names, message.transforms, strict=False):
        t, q = transform.translation, transform.rotation
        poses[name] = Pose(np.array([t.x, t.y, t.z]), xyzw_to_wxyz(np.array([q.x, q.y, q.z, q.w])))
    return poses
