"""Joint values of a message by name: whatever the order, never by place."""

import math
from collections.abc import Sequence

from chefmate_core.dds_client.messages import JointState
from chefmate_core.errors import ConfigurationError
from chefmate_core.listing import listed

# No joint of the SO-101 gets half as far: such a number is in another unit, or garbage.
FARTHEST_RAD = 2.0 * math.pi


class JointStateError(ConfigurationError):
    """A JointState that cannot be followed; `reason` is one word for counters."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


def positions_by_name(message: JointState, names: Sequence[str]) -> dict[str, float]:
    """Return the positions of a message, rad, by joint; any order, and any part of `names`.

    Raises:
        JointStateError: no names, a name outside `names`, a name twice, not one finite position
            for each name, or one that no joint can have. Use nothing of it then.
    """
    found = list(message.name)
    expected = ', '.join(names)
    if not found:
        raise JointStateError(
            'unnamed',
            f'{len(message.position)} positions without names; expected some of {expected}',
        )
    if len(found) > 2 * len(names):
        raise JointStateError('length', f'{len(found)} names; expected some of {expected}')
    unknown = [name for name in found if name not in names]
    if unknown:
        raise JointStateError(
            'unknown', f'unknown joints {listed(unknown)}; expected some of {expected}'
        )
    twice = sorted({name for name in found if found.count(name) > 1})
    if twice:
        raise JointStateError('duplicated', f'named more than once: {listed(twice)}')
    if len(message.position) != len(found):
        raise JointStateError(
            'length', f'{len(found)} names and {len(message.position)} positions'
        )
    not_finite = [
        name
        for name, value in zip(found, message.position, strict=True)
        if not math.isfinite(value)
    ]
    if not_finite:
        raise JointStateError('not_finite', f'not a finite position: {", ".join(not_finite)}')
    positions = dict(zip(found, message.position, strict=True))
    far = [name for name, value in positions.items() if abs(value) > FARTHEST_RAD]
    if far:
        raise JointStateError(
            'implausible',
            f'{far[0]} at {positions[far[0]]:g} rad; no joint gets beyond {FARTHEST_RAD:.3g} rad. '
            'Is it in degrees?',
        )
    return positions
