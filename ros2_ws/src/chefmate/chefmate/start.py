"""The executables of this package: `setup.py` names them."""

from functools import partial

from chefmate_ros.start import start_node

action_executor_node = partial(start_node, 'chefmate.nodes.action_executor_node')
arm_driver_node = partial(start_node, 'chefmate.nodes.arm_driver_node')
camera_node = partial(start_node, 'chefmate.nodes.camera_node')
chunk_markers_node = partial(start_node, 'chefmate.nodes.chunk_markers_node')
joint_state_bridge_node = partial(start_node, 'chefmate.nodes.joint_state_bridge_node')
policy_node = partial(start_node, 'chefmate.nodes.policy_node')
recorder_node = partial(start_node, 'chefmate.nodes.recorder_node')
task_node = partial(start_node, 'chefmate.nodes.task_node')
teleop_node = partial(start_node, 'chefmate.nodes.teleop_node')
viewer_node = partial(start_node, 'chefmate.nodes.viewer_node')
