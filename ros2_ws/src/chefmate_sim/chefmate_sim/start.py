"""The executables of this package: `setup.py` names them."""

from functools import partial

from chefmate_ros.start import start_node

kitchen_node = partial(start_node, 'chefmate_sim.nodes.kitchen_node')
kitchen_camera_node = partial(start_node, 'chefmate_sim.nodes.kitchen_camera_node')
twin_node = partial(start_node, 'chefmate_sim.nodes.twin_node')
