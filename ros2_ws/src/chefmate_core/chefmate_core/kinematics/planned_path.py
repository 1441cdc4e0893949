"""What a chunk of joint goals looks like in space: the path of the gripper, coloured by time."""

from dataclasses import dataclass

import numpy as np

from chefmate_core.errors import ConfigurationError
from chefmate_core.kinematics.chain import GRIPPER_LINK, Chain

# Red, green, blue, alpha of the first and of the last goal: bright is soon, faint is late.
SOON_RGBA = (1.0, 0.85, 0.1, 1.0)
LATE_RGBA = (0.75, 0.1, 0.6, 0.5)
# Shown so much longer than the chunk lasts: the next one comes before, and nothing flickers.
GRACE_S = 0.5


@dataclass(frozen=True)
class PlannedPath:
    """Where the gripper will be, in the root link's frame."""

    points_m: np.ndarray  # (n, 3)
    colours_rgba: np.ndarray  # (n, 4), 0..1
    shown_s: float  # after which it is no plan any more


def planned_path(
    chain: Chain, positions_rad: np.ndarray, period_s: float, link: str = GRIPPER_LINK
) -> PlannedPath:
    """Return the path of `link` through goals of shape (n, 6), rad, `period_s` apart.

    Raises:
        ConfigurationError: the goals have another shape, there is none, or one is not finite.
    """
    if len(positions_rad) == 0 or not np.all(np.isfinite(positions_rad)):
        raise ConfigurationError('a chunk without goals, or with goals that are not finite')
    points_m = chain.positions(positions_rad, link)
    lateness = np.linspace(0.0, 1.0, len(points_m))[:, np.newaxis]
    colours = (1.0 - lateness) * np.array(SOON_RGBA) + lateness * np.array(LATE_RGBA)
    return PlannedPath(points_m, colours, len(points_m) * period_s + GRACE_S)
