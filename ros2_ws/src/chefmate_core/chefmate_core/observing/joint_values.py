"""The fields of a JointState message as joint vectors, whoever deserialised the message."""

from collections.abc import Sequence

import numpy as np

from chefmate_core.joints import JOINT_NAMES


def joint_vectors(
    names: Sequence[str], positions: Sequence[float], velocities: Sequence[float]
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return (position_rad, velocity_rad_s), shape (6,) each in `JOINT_NAMES` order, or None.

    None where a joint is missing or the message is malformed; a missing velocity reads as zero.
    """
    if len(positions) != len(names) or not set(JOINT_NAMES) <= set(names):
        return None
    index = {name: place for place, name in enumerate(names)}
    order = [index[name] for name in JOINT_NAMES]
    position = np.asarray(positions, dtype=float)[order]
    if len(velocities) == len(names):
        velocity = np.asarray(velocities, dtype=float)[order]
    else:
        velocity = np.zeros(len(JOINT_NAMES))
    return position, velocity
