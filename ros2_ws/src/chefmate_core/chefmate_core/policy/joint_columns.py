"""Where each joint stands in a model's flat vector."""

from collections.abc import Sequence

import numpy as np

from chefmate_core.errors import ConfigurationError
from chefmate_core.joints import GRIPPER, JOINT_COUNT, JOINT_NAMES
from chefmate_core.policy.modality import SO101_GROUPS, JointGroup

_ARM_GROUP, _GRIPPER_GROUP = (group.name for group in SO101_GROUPS)


class JointColumns:
    """Converts vectors in `JOINT_NAMES` order to a model's order and back."""

    def __init__(self, groups: Sequence[JointGroup], what: str) -> None:
        """`what` names the vector in messages.

        Groups `single_arm` of five and `gripper` of one may stand in any order; six elements
        under other names are taken in the order of `JOINT_NAMES`.

        Raises:
            ConfigurationError: the vector is not that of one SO-101.
        """
        named = {group.name: group for group in groups}
        size = max((group.stop for group in groups), default=0)
        held = sum(group.stop - group.start for group in groups)
        if size != JOINT_COUNT or held != JOINT_COUNT:
            found = ', '.join(f'{group.name} {group.start}-{group.stop}' for group in groups)
            raise ConfigurationError(
                f"the model's {what} is not that of an SO-101: expected {JOINT_COUNT} numbers "
                f'({", ".join(JOINT_NAMES)}); found the groups: {found or "none"}'
            )
        self._columns = np.arange(JOINT_COUNT)
        arm, gripper = named.get(_ARM_GROUP), named.get(_GRIPPER_GROUP)
        if arm and gripper and gripper.stop - gripper.start == 1:
            self._columns[:GRIPPER] = np.arange(arm.start, arm.stop)
            self._columns[GRIPPER] = gripper.start
        self._joints = np.argsort(self._columns)

    def from_joints(self, values: np.ndarray) -> np.ndarray:
        """Return values in the model's order, shape (..., 6)."""
        return np.asarray(values)[..., self._joints]

    def to_joints(self, values: np.ndarray) -> np.ndarray:
        """Return values in the order of `JOINT_NAMES`, shape (..., 6)."""
        return np.asarray(values)[..., self._columns]
