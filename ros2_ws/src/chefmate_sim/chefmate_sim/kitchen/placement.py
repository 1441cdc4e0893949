"""Where things stand in the kitchen of one seed, the same for every simulator."""

import math

import numpy as np

from chefmate_core.geometry import Pose
from chefmate_description.scene import KITCHEN, Kitchen
from chefmate_description.shapes import OrientedBox
from chefmate_sim.kitchen.variation import KitchenVariation

TABLE, TRAY, PLATE = 'table', 'tray', 'plate'
INITIAL_GAP_M = 0.0002  # so that nothing starts in contact
UNDER_RIM_M = 0.003  # the plate's base reaches under its rim, so that no gap shows


def tray_pose(variation: KitchenVariation) -> Pose:
    """Return the tray's frame in the arm's base frame."""
    return _on_table(variation.tray_position_m, variation.tray_yaw_rad)


def plate_pose(variation: KitchenVariation) -> Pose:
    """Return the plate's frame in the arm's base frame."""
    return _on_table(variation.plate_position_m, variation.plate_yaw_rad)


def initial_slice_pose(name: str, variation: KitchenVariation, kitchen: Kitchen = KITCHEN) -> Pose:
    """Return the pose of a slice leaning in its slot, before gravity closes the last gap."""
    tray = tray_pose(variation)
    slot = next(one for one in kitchen.tray.slots if one.slice_name == name)
    in_tray = np.array(kitchen.tray.slice_position_m(slot, INITIAL_GAP_M))
    lean = OrientedBox((0, 0, 0), (0, 0, 0), kitchen.tray.lean_rad, variation.tray_yaw_rad)
    return Pose(tray.position_m + tray.rotation @ in_tray, lean.quaternion_wxyz)


def _on_table(position_m: tuple[float, float], yaw_rad: float) -> Pose:
    quaternion = np.array([math.cos(yaw_rad / 2), 0.0, 0.0, math.sin(yaw_rad / 2)])
    return Pose(np.array([*position_m, 0.0]), quaternion)
