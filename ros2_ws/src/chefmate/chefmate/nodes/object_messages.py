"""Named poses of a simulation as `sensor_msgs/MultiDOFJointState`, and back."""

import numpy as np
from sensor_msgs.msg import MultiDOFJointState

from chefmate_core.geometry import Pose, xyzw_to_wxyz


def object_poses(message: MultiDOFJointState) -> dict[str, Pose]:
    """Return the poses by name, in the frame of the message's header."""
    poses = {}
    for name, transform in zip(message.joint_names, message.transforms, strict=False):
        t, q = transform.translation, transform.rotation
        poses[name] = Pose(np.array([t.x, t.y, t.z]), xyzw_to_wxyz(np.array([q.x, q.y, q.z, q.w])))
    return poses
