"""Forward kinematics for processes that hold neither MuJoCo nor ROS."""

from chefmate_core.kinematics.chain import GRIPPER_LINK, Chain
from chefmate_core.kinematics.urdf import UrdfError

__all__ = ['GRIPPER_LINK', 'Chain', 'UrdfError']
