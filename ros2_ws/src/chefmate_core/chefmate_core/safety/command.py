"""What a command is once it has been found well-formed, and why one is refused."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from chefmate_core.joints import JOINT_COUNT, JOINT_NAMES


class Refusal(StrEnum):
    """Why the gate refused a command. The names are the counters in diagnostics."""

    EMPTY = 'refused_empty'
    LENGTH = 'refused_length'
    UNKNOWN_NAME = 'refused_unknown_name'
    REPEATED_NAME = 'refused_repeated_name'
    NOT_FINITE = 'refused_not_finite'
    STALE = 'refused_stale'
    FUTURE = 'refused_future'
    OUT_OF_ORDER = 'refused_out_of_order'
    ABSURD = 'refused_absurd'
    ESTOP = 'refused_estop'
    INACTIVE = 'refused_inactive'


@dataclass(frozen=True)
class Command:
    """Joint goals as a topic carries them: any rubbish is possible."""

    names: Sequence[str]
    positions_rad: Sequence[float]
    stamp_s: float  # sender's clock
    source: str = ''  # who commands; a change of it is a hand-over


_INDEX = {name: index for index, name in enumerate(JOINT_NAMES)}


def parse(command: Command) -> tuple[np.ndarray, np.ndarray] | Refusal:
    """Return (indices (n,), positions_rad (n,)) of a well-formed command, or why it is not."""
    names = command.names
    if not len(names):
        return Refusal.EMPTY
    if len(names) != len(command.positions_rad):
        return Refusal.LENGTH
    if len(names) > JOINT_COUNT or any(name not in _INDEX for name in names):
        more = len(names) > JOINT_COUNT  # so many are not even looked at: some repeat, or are none
        return Refusal.LENGTH if more else Refusal.UNKNOWN_NAME
    if len(set(names)) != len(names):
        return Refusal.REPEATED_NAME
    positions_rad = np.asarray(command.positions_rad, dtype=float)
    if not np.all(np.isfinite(positions_rad)) or not np.isfinite(command.stamp_s):
        return Refusal.NOT_FINITE
    return np.array([_INDEX[name] for name in names]), positions_rad
